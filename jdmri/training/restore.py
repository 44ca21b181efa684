"""Restoring a run: its state from a checkpoint, and its network as a function of measured data."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jdmri.models import scale
from jdmri.training import build, state, workdir
from jdmri.training.checkpoint import Checkpoints
from jdmri.training.state import TrainState
from jdmri.typing import Cine, CoilMaps, KSpace, Mask


def restore(
    folder: str | Path, checkpoint: str = "best"
) -> Callable[[KSpace, CoilMaps, Mask], Cine]:
    """Restore the network of a workdir; see `jdmri.restore`."""
    model = build.build_model(workdir.load_config(Path(folder)))
    restored, _ = restore_state(Path(folder), checkpoint)
    return reconstructor(model, jax.device_put(restored.variables))


def restore_state(folder: Path, which: str) -> tuple[TrainState, int]:
    """Restore a checkpoint of a run.

    Args:
        folder: the workdir.
        which: ``best``, ``latest`` or a step number.

    Returns:
        The state, as NumPy arrays, and its step.

    Raises:
        InputError: there is no such run or checkpoint, or it is damaged or of another network.
    """
    config = workdir.load_config(folder)
    optimizer, _ = build.build_optimizer(config)
    template = jax.eval_shape(lambda: state.create(build.build_model(config), optimizer, 0))
    checkpoints = Checkpoints(folder / "checkpoints")
    step = checkpoints.choose(which)
    return checkpoints.restore(step, template), step


def reconstructor(
    model: nn.Module, variables: Mapping[str, Any]
) -> Callable[[KSpace, CoilMaps, Mask], Cine]:
    """Make a function ``(kspace, maps, mask) -> cine`` of a trained network, scale handled.

    It takes one series ``[frame, coil, ky, kx]`` or a batch of them, is compiled once a shape, and has
    the call signature of the classical methods.
    """

    @jax.jit
    def batched(kspace, maps, mask):
        return scale.apply(model, variables, kspace, maps, mask)

    def reconstruct(kspace, maps, mask):
        kspace, maps = jnp.asarray(kspace, jnp.complex64), jnp.asarray(maps, jnp.complex64)
        mask = jnp.asarray(mask, bool)
        if kspace.ndim == 4:
            return batched(kspace[None], maps[None], mask[None])[0]
        return batched(kspace, maps, mask)

    return reconstruct
