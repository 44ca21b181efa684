"""Restoring a run: its state from a checkpoint, and its network as a function of measured data."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jdmri.errors import InputError
from jdmri.models import scale
from jdmri.runtime import processes
from jdmri.runtime.log import log
from jdmri.training import build, state, workdir
from jdmri.training.checkpoint import Checkpoints
from jdmri.training.state import TrainState
from jdmri.training.workdir import Config
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


def resume(initial: TrainState, checkpoints: Checkpoints, which: str, config: Config) -> TrainState:
    """Return the state that a training continues from: a checkpoint, another run's weights, or the initial one.

    Args:
        initial: what no checkpoint gives.
        checkpoints: of the run; those after the chosen one are deleted.
        which: ``best``, ``latest`` or a step number.
        config: of the run; ``train.init_from`` counts where there is no checkpoint.

    Raises:
        InputError: the checkpoint or the other run cannot be used.
    """
    if checkpoints.steps():
        step = checkpoints.choose(which)
        restored = checkpoints.restore(step, initial)
        processes.first_does(lambda: checkpoints.drop_after(step))
        log.info("Resuming from step %d in %s.", step, checkpoints.folder)
        return restored
    processes.first_does(lambda: checkpoints.drop_after(-1))
    if not config.train.init_from:
        return initial
    source = Path(config.train.init_from)
    their_config = workdir.load_config(source)
    if build.same_source(config, their_config) and not build.same_data(config, their_config):
        raise InputError(
            f"train.init_from={source} was trained on another split of the same data, so that it may know the test "
            f"subjects; use the same --config.split."
        )
    theirs, step = restore_state(source, "best")
    if jax.tree.map(np.shape, theirs.params) != jax.tree.map(np.shape, initial.params):
        raise InputError(
            f"train.init_from={source} holds another network than config.model describes."
        )
    log.info("Starting from the weights of step %d in %s.", step, source)
    return initial.replace(**theirs.ema, ema=theirs.ema)


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
