"""The compiled training and validation steps.

Inside the one compiled step: pick the batch, augment, draw the masks, undersample, scale,
reconstruct, loss, gradient, update. Every draw is keyed by (seed, step, series), never by device.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import lax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jdmri.keys import DrawKeys, draw_keys, series_key
from jdmri.losses import Loss
from jdmri.masks import Sampler
from jdmri.models import scale
from jdmri.models.layers.basic import BATCH_AXES
from jdmri.ops import sense
from jdmri.training.examples import Examples
from jdmri.training.state import TrainState

SAMPLES, DEVICES = BATCH_AXES
Metrics = dict[str, jax.Array]


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
        example = self.augment(keys.augment, example) if train else example
        data, estimate, changed = self._reconstruct(variables, keys, example, train=train)
        cine, estimate, share = without_padding(example, estimate)
        level = scale.signal_level(*data)[0]
        loss = self.loss(estimate / level, cine / level, step) / share
        stats = changed.get("batch_stats", {})
        return loss, (magnitude_psnr(estimate, cine, share), stats, estimate)

    def _reconstruct(self, variables, keys: DrawKeys, example: Examples, *, train: bool):
        """Draw the mask, measure, and apply the network to ``(kspace, maps, mask)``."""
        mask = self.sampler(keys.mask, example.cine.shape)
        if example.kspace is None:
            maps = example.maps if example.true_maps is None else example.true_maps
            kspace = sense.acquire(keys.noise, example.cine, maps, mask, example.sigma)
        else:
            kspace = jnp.where(mask[:, None], example.kspace, 0)
        data = kspace[None], example.maps[None], mask[None]
        options = (
            {"train": True, "mutable": ["batch_stats"], "rngs": {"dropout": keys.dropout}}
            if train
            else {}
        )
        output = scale.apply(self.model, variables, *data, **options)
        estimate, changed = output if train else (output, {})
        return data, estimate[0], changed


def without_padding(
    example: Examples, estimate: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array | float]:
    """Return reference and estimate ``[frame, y, x]``, equal in the padding, and the share that is none."""
    if example.inside is None:
        return example.cine, estimate, 1.0
    frame = jnp.arange(len(example.cine))[:, None, None]
    inside = example.inside & (frame < example.num_frames)
    return example.cine, jnp.where(inside, estimate, example.cine), jnp.mean(inside)


def magnitude_psnr(
    estimate: jax.Array, reference: jax.Array, share: jax.Array | float = 1.0
) -> jax.Array:
    """PSNR of one series in float32, for monitoring; tables use `jdmri.metrics`.

    Args:
        estimate: ``[frame, y, x]``.
        reference: the same shape.
        share: of the pixels that count; in the others the two are equal.
    """
    reference = jnp.abs(reference)
    error = jnp.mean((jnp.abs(estimate) - reference) ** 2) / share
    return 10 * jnp.log10(jnp.max(reference) ** 2 / error)


def make_train_step(
    task: Task,
    optimizer: optax.GradientTransformation,
    *,
    ema_decay: float,
    mesh: Mesh,
    streamed: bool = False,
) -> Callable[[TrainState, Examples, jax.Array], tuple[TrainState, Metrics]]:
    """Compile one training step ``(state, examples, rows)``; with ``state.seed`` and ``state.step`` they decide every draw.

    Args:
        task: what is learnt.
        optimizer: from `optim.build`.
        ema_decay: of the averaged weights.
        mesh: one axis over the devices.
        streamed: whether ``examples`` holds one batch, divided among the devices; otherwise every device holds all series.

    Returns:
        The step, compiled once for each shape of examples. Each device takes its part of ``rows`` [batch] from the
        examples that it holds.

    ``check_vma`` is off: the batch statistics reduce over a vmapped and a device axis together, which
    the check cannot type; the gradients are then averaged explicitly.
    """
    specs = P(), P(DEVICES) if streamed else P(), P(DEVICES)

    @partial(jax.jit, donate_argnums=0)
    @partial(jax.shard_map, mesh=mesh, in_specs=specs, out_specs=(P(), P()), check_vma=False)
    def train_step(
        state: TrainState, examples: Examples, rows: jax.Array
    ) -> tuple[TrainState, Metrics]:
        batch = jax.tree.map(lambda a: a[rows], examples)
        step_key = jax.random.fold_in(jax.random.key(state.seed), state.step)
        keys = jax.vmap(partial(jax.random.fold_in, step_key))(batch.seed)

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
