"""Everything that changes from step to step, and how it begins."""

from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import optax

from jdmri.models.denoisers.frames import FramesAsChannels

# Parameter shapes do not depend on the image, so initialisation compiles for a small one.
_INIT_SIZE = 16
_INIT_FRAMES = 4


@flax.struct.dataclass
class TrainState:
    """What a checkpoint holds.

    Attributes:
        step: steps taken, skipped ones included.
        seed: with ``step`` it decides every draw; data, so that all seeds share one compiled program.
        params, batch_stats: of the network.
        opt_state: of optax.
        ema: exponential moving averages of both, by name; what is evaluated.
        skipped: updates skipped so far because the loss or a gradient was not finite.
        skipped_in_a_row: those since the last good one.
    """

    step: jax.Array
    seed: jax.Array
    params: Any
    batch_stats: Any
    opt_state: optax.OptState
    ema: Any
    skipped: jax.Array
    skipped_in_a_row: jax.Array

    @property
    def variables(self) -> dict[str, Any]:
        """The network's variables for evaluation: averaged parameters and batch statistics."""
        return self.ema


def create(model: nn.Module, optimizer: optax.GradientTransformation, seed: int) -> TrainState:
    """Initialise a network and its optimizer; the same seed gives the same parameters on the same kind of device.

    The draws are of JAX's "rbg" generator: threefry takes half a minute to compile for the dual UNet's 117 parameters on a CPU.

    Args:
        model: with the call signature ``(kspace, maps, mask)``, and perhaps a ``denoiser`` of a fixed number of frames.
        optimizer: from `optim.build`.
        seed: of the initial parameters, and of all draws of the training.
    """
    denoiser = getattr(model, "denoiser", None)  # networks that are no rounds of one have none
    fixed = isinstance(denoiser, FramesAsChannels)
    num_frames = denoiser.num_frames if fixed else _INIT_FRAMES

    @jax.jit
    def init(seed):
        key = jax.random.key(seed, impl="rbg")
        kspace = jnp.zeros((1, num_frames, 1, _INIT_SIZE, _INIT_SIZE), jnp.complex64)
        maps = jnp.ones((1, 1, _INIT_SIZE, _INIT_SIZE), jnp.complex64)
        mask = jnp.ones((1, num_frames, _INIT_SIZE, 1), bool)
        variables = model.init(key, kspace, maps, mask)
        params, stats = variables["params"], variables.get("batch_stats", {})
        zero = jnp.zeros((), jnp.int32)
        return TrainState(
            step=zero,
            seed=seed,
            params=params,
            batch_stats=stats,
            opt_state=optimizer.init(params),
            ema=jax.tree.map(jnp.copy, {"params": params, "batch_stats": stats}),
            skipped=zero,
            skipped_in_a_row=zero,
        )

    return init(jnp.asarray(seed, jnp.uint32))
