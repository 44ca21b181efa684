"""Restoring a run: its state from a checkpoint, and its network as a function of measured data."""

from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from jdmri.errors import InputError
from jdmri.models import pretrained
from jdmri.models.reconstructor import reconstructor
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
    """Restore the network of a workdir, or the one of the package; see `jdmri.restore`."""
    folder = Path(folder)
    if str(folder) == pretrained.NAME and not folder.is_dir():
        if checkpoint != "best":
            raise InputError(f"{folder} has one set of weights, got checkpoint {checkpoint!r}.")
        return pretrained.flagship()
    model = build.build_model(workdir.load_config(folder))
    restored, _ = restore_state(folder, checkpoint)
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
