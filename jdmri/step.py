"""The compiled training and validation steps.

Inside the one compiled step: pick the batch, augment, draw the masks, undersample, scale,
reconstruct, loss, gradient, update. Every draw is keyed by (seed, step, sample), never by device.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import lax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jdmri import scale
from jdmri.losses import Loss
from jdmri.masks import Sampler
from jdmri.models.layers import BATCH_AXES
from jdmri.ops.acquire import acquire
from jdmri.state import TrainState

SAMPLES, DEVICES = BATCH_AXES
Metrics = dict[str, jax.Array]


class Examples(NamedTuple):
    """Fully sampled series on the device, all of one shape.

    Attributes:
        cine: ``[series, frame, y, x]``.
        maps: ``[series, coil, y, x]``.
        sigma: ``[series]``, noise added to k-space, in the units of ``cine``.
        seed: ``[series]``, identifies a series in its evaluation draws.
    """

    cine: jax.Array
    maps: jax.Array
    sigma: jax.Array
    seed: jax.Array


class DrawKeys(NamedTuple):
    """What one sample draws, each with a key of its own."""

    augment: jax.Array
    mask: jax.Array
    noise: jax.Array
    dropout: jax.Array


def draw_keys(key: jax.Array) -> DrawKeys:
    """Split the key of one sample."""
    return DrawKeys(*jax.random.split(key, len(DrawKeys._fields)))


@dataclasses.dataclass(frozen=True)
class Task:
    """What is learnt: a network, the masks it sees, and its loss."""

    model: nn.Module
    sampler: Sampler
    loss: Loss
    augment: Callable
    eval_seed: int

    def example_loss(self, variables, key, example: Examples, step, *, train: bool):
        """Undersample one series, reconstruct it, and score it in the network's scale."""
        keys = draw_keys(key)
        cine, maps = example.cine, example.maps
        if train:
            cine, maps = self.augment(keys.augment, cine, maps)
        mask = self.sampler(keys.mask, cine.shape)
        kspace = acquire(keys.noise, cine, maps, mask, example.sigma)
        options = (
            {"train": True, "mutable": ["batch_stats"], "rngs": {"dropout": keys.dropout}}
            if train
            else {}
        )
        data = kspace[None], maps[None], mask[None]
        output = scale.apply(self.model, variables, *data, **options)
        estimate, changed = output if train else (output, {})
        level = scale.signal_level(*data)[0]
        loss = self.loss(estimate[0] / level, cine / level, step)
        stats = changed.get("batch_stats", {})
        return loss, (magnitude_psnr(estimate[0], cine), stats, estimate[0])


def magnitude_psnr(estimate: jax.Array, reference: jax.Array) -> jax.Array:
    """PSNR of one series in float32, for monitoring; tables use `jdmri.metrics`."""
    reference = jnp.abs(reference)
    error = jnp.mean((jnp.abs(estimate) - reference) ** 2)
    return 10 * jnp.log10(jnp.max(reference) ** 2 / error)


def make_train_step(
    task: Task,
    optimizer: optax.GradientTransformation,
    *,
    batch_size: int,
    ema_decay: float,
    mesh: Mesh,
) -> Callable[[TrainState, Examples], tuple[TrainState, Metrics]]:
    """Compile one training step; ``state.seed`` and ``state.step`` alone decide the batch and every draw.

    ``check_vma`` is off: the batch statistics reduce over a vmapped and a device axis together, which
    the check cannot type; the gradients are then averaged explicitly.
    """
    local_size = batch_size // mesh.size

    @partial(jax.jit, donate_argnums=0)
    @partial(jax.shard_map, mesh=mesh, in_specs=(P(), P()), out_specs=(P(), P()), check_vma=False)
    def train_step(state: TrainState, examples: Examples) -> tuple[TrainState, Metrics]:
        index = _local_batch(state.seed, state.step, len(examples.cine), batch_size, local_size)
        step_key = jax.random.fold_in(jax.random.key(state.seed), state.step)
        keys = jax.vmap(partial(jax.random.fold_in, step_key))(index)
        batch = jax.tree.map(lambda a: a[index], examples)

        def batch_loss(params):
            variables = {"params": params, "batch_stats": state.batch_stats}
            one = partial(task.example_loss, variables, step=state.step, train=True)
            mapped = jax.vmap(one, axis_name=SAMPLES, out_axes=(0, (0, None, 0)))
            loss, (psnr, stats, _) = mapped(keys, batch)
            return jnp.mean(loss), (jnp.mean(psnr), stats)

        (loss, (psnr, stats)), grads = jax.value_and_grad(batch_loss, has_aux=True)(state.params)
        loss, psnr, grads = lax.pmean((loss, psnr, grads), DEVICES)
        return _update(state, optimizer, grads, stats, ema_decay, {"loss": loss, "psnr": psnr})

    return train_step


def make_eval_step(
    task: Task,
) -> Callable[[Mapping[str, Any], Examples, jax.Array], tuple[Metrics, jax.Array]]:
    """Compile loss (as at a step), PSNR and first frame of one series with its own fixed mask."""

    @jax.jit
    def eval_step(variables, example: Examples, step) -> tuple[Metrics, jax.Array]:
        loss, (psnr, _, estimate) = task.example_loss(
            variables,
            series_key(task.eval_seed, example.seed),
            example,
            step,
            train=False,
        )
        return {"loss": loss, "psnr": psnr}, estimate[0]

    return eval_step


def series_key(eval_seed: int, series_seed: jax.Array) -> jax.Array:
    """Return the key of a validation or test series: always the same for the same series."""
    return jax.random.fold_in(jax.random.key(eval_seed), series_seed)


def _local_batch(seed, step, num_series, batch_size, local_size):
    """Indices of this device's part of the batch: a new permutation each epoch, the rest dropped."""
    epoch, position = jnp.divmod(step, num_series // batch_size)
    # Negative numbers keep these keys apart from those of the steps.
    epoch_key = jax.random.fold_in(jax.random.key(seed), -1 - epoch)
    order = jax.random.permutation(epoch_key, num_series)
    start = position * batch_size + lax.axis_index(DEVICES) * local_size
    return lax.dynamic_slice_in_dim(order, start, local_size)


def _update(state, optimizer, grads, stats, ema_decay, metrics):
    """Take the optimizer's step, unless the loss or a gradient is not finite."""
    grad_norm = optax.tree.norm(grads)
    good = jnp.isfinite(metrics["loss"]) & jnp.isfinite(grad_norm)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    # Early on the average follows fast, so that it is never dominated by the initial values.
    decay = jnp.minimum(ema_decay, (1 + state.step) / (10 + state.step))
    blend = lambda old, new: decay * old + (1 - decay) * new
    # The statistics belong to the parameters that they are evaluated with: both are averaged.
    ema = jax.tree.map(blend, state.ema, {"params": params, "batch_stats": stats})
    new = dict(params=params, batch_stats=stats, opt_state=opt_state, ema=ema)
    old = {name: getattr(state, name) for name in new}
    kept = jax.tree.map(partial(jnp.where, good), new, old)
    bad = (~good).astype(jnp.int32)
    state = TrainState(
        step=state.step + 1,
        seed=state.seed,
        skipped=state.skipped + bad,
        skipped_in_a_row=(state.skipped_in_a_row + 1) * bad,
        **kept,
    )
    return state, metrics | {"grad_norm": grad_norm, "skipped_in_a_row": state.skipped_in_a_row}
