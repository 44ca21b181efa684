"""Which series make which batch: decided by the seed alone, before the training begins."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jdmri.errors import InputError
from jdmri.training.examples import Bucket


def steps_per_epoch(buckets: Sequence[Bucket], batch_size: int) -> int:
    """Count the batches of an epoch: a last partial batch of a bucket is dropped, unless it is its only one."""
    return sum(max(buckets.count(b) // batch_size, 1) for b in set(buckets))


def run_length(
    buckets: Sequence[Bucket], batch_size: int, *, num_steps: int, num_epochs: int
) -> tuple[int, int]:
    """Return steps per epoch (a last partial batch is dropped) and steps of the whole run.

    Args:
        buckets: the bucket of each series.
        batch_size: series a batch.
        num_steps: of the run; 0: as many as ``num_epochs`` give.
        num_epochs: of the run.

    Raises:
        InputError: the batch is larger than the training set, or no length is given.
    """
    if batch_size > len(buckets):
        raise InputError(
            f"train.batch_size is {batch_size}, but there are {len(buckets)} training series; "
            f"type --config.train.batch_size={len(buckets)} or less."
        )
    per_epoch = steps_per_epoch(buckets, batch_size)
    num_steps = num_steps or num_epochs * per_epoch
    if num_steps < 1:
        raise InputError("train.num_steps or train.num_epochs must be at least 1.")
    return per_epoch, num_steps


def make(buckets: Sequence[Bucket], batch_size: int, num_steps: int, seed: int) -> np.ndarray:
    """Shuffle the series anew in each epoch, and cut each bucket into batches.

    A bucket with fewer series than a batch repeats some. Buckets follow each other at random.

    Args:
        buckets: the bucket of each series.
        batch_size: series a batch.
        num_steps: of the training.
        seed: of the training.

    Returns:
        int ``[step, batch]``: indices of series; those of a batch share a bucket.
    """
    num_epochs = -(-num_steps // steps_per_epoch(buckets, batch_size))
    orders = _orders(seed, num_epochs, len(buckets))
    return np.concatenate([_cut(order, buckets, batch_size) for order in orders])[:num_steps]


def _orders(seed: int, num_epochs: int, num_series: int) -> np.ndarray:
    """One permutation an epoch; any prefix of epochs is the same however many follow."""
    # Negative numbers keep these keys apart from those of the steps.
    epochs = -1 - jnp.arange(num_epochs)
    keys = jax.vmap(functools.partial(jax.random.fold_in, jax.random.key(seed)))(epochs)
    return np.asarray(jax.vmap(lambda key: jax.random.permutation(key, num_series))(keys))


def _cut(order: np.ndarray, buckets: Sequence[Bucket], batch_size: int) -> np.ndarray:
    """Cut one epoch's permutation into batches, ordered by where their last series stands in it."""
    members: dict[Bucket, list[int]] = {}
    for place, index in enumerate(order):
        members.setdefault(buckets[index], []).append(place)
    batches = []
    for places in members.values():
        count = max(len(places) // batch_size, 1)
        used = np.resize(places, count * batch_size)
        batches += [sorted(batch.tolist()) for batch in used.reshape(count, batch_size)]
    batches.sort(key=lambda batch: batch[-1])
    return order[np.array(batches)]
