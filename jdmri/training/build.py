"""From a config to what it names: data, splits, network, masks. Shared by all modes."""

from pathlib import Path

import flax.linen as nn
import jax
from ml_collections import ConfigDict

from jdmri import models
from jdmri.data import READERS, Dataset
from jdmri.data.records import SeriesLike
from jdmri.data.splits import SPLITS
from jdmri.losses import LOSSES
from jdmri.masks import MASKS
from jdmri.training import optim, state, workdir
from jdmri.training.augment import augmentation
from jdmri.training.checkpoint import Checkpoints
from jdmri.training.step import Task


def read_data(config: ConfigDict) -> Dataset:
    """Read the data set of ``config.data``; each reader takes the fields it knows.

    The others are there for other readers; `jdmri.data.fields` refuses those that were typed in vain.

    Raises:
        InputError: unknown reader, or input that cannot be used.
    """
    fields = config.data.to_dict()
    return READERS.build({"name": fields.pop("name")}, **fields)


def split_data(dataset: Dataset, config: ConfigDict) -> dict[str, tuple[SeriesLike, ...]]:
    """Split by subject as ``config.split`` says."""
    return SPLITS.build(config.split)(dataset)


def same_data(config: ConfigDict, trained: ConfigDict) -> bool:
    """Whether ``config`` names the data that the run ``trained`` on, split alike, so that its splits hold."""
    same_split = not workdir.differences(trained.split.to_dict(), config.split.to_dict())
    return same_split and same_source(config, trained)


def same_source(config: ConfigDict, trained: ConfigDict) -> bool:
    """Whether ``config`` names the data that the run ``trained`` on, however they are split."""
    place = {"cache_dir": ""}
    return not workdir.differences(trained.data.to_dict() | place, config.data.to_dict() | place)


def build_model(config: ConfigDict) -> nn.Module:
    """Build the network; whether time is cyclic is a property of the data."""
    context = {"cyclic": config.data.cyclic, "precision": config.train.precision}
    return models.build(config.model.to_dict(), **context)


def build_task(config: ConfigDict, steps_per_epoch: int = 1) -> Task:
    """Build what is learnt; losses that change after some epochs ask for the steps of one."""
    augment = config.augment.to_dict()
    augment["frame_roll"] = augment["frame_roll"] and config.data.cyclic
    return Task(
        model=build_model(config),
        sampler=MASKS.build(config.mask),
        loss=LOSSES.build(config.loss.to_dict(), steps_per_epoch=steps_per_epoch),
        augment=augmentation(**augment),
        eval_seed=config.eval.seed,
    )


def restore_state(config: ConfigDict, folder: Path, which: str) -> tuple[state.TrainState, int]:
    """Restore a checkpoint of a run.

    Args:
        config: of the run.
        folder: its workdir.
        which: ``best``, ``latest`` or a step number.

    Returns:
        The state, as NumPy arrays, and its step.

    Raises:
        InputError: there is no such checkpoint, or it is damaged or of another network.
    """
    optimizer, _ = optim.build(config.optimizer.to_dict(), 1)
    template = jax.eval_shape(lambda: state.create(build_model(config), optimizer, 0))
    checkpoints = Checkpoints(folder / "checkpoints")
    step = checkpoints.choose(which)
    return checkpoints.restore(step, template), step
