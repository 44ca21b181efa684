"""From a config to what it names: data, splits, network, masks. Shared by all modes."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
from ml_collections import ConfigDict

from jdmri import models, optim, state, workdir
from jdmri.augment import augmentation
from jdmri.checkpoint import Checkpoints
from jdmri.data import READERS, Dataset, Series
from jdmri.data.splits import SPLITS
from jdmri.errors import InputError
from jdmri.losses import LOSSES
from jdmri.masks import MASKS
from jdmri.step import Examples, Task


def read_data(config: ConfigDict) -> Dataset:
    """Read the data set of ``config.data``; each reader takes the fields it knows.

    Raises:
        InputError: unknown reader, or input that cannot be used.
    """
    fields = config.data.to_dict()
    return READERS.build({"name": fields.pop("name")}, **fields)


def split_data(dataset: Dataset, config: ConfigDict) -> dict[str, tuple[Series, ...]]:
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
    return models.build(config.model.to_dict(), cyclic=config.data.cyclic)


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


def stack(series: Sequence[Series], noise_sigma: float) -> Examples:
    """Stack series of one shape into arrays for the device.

    Args:
        series: at least one.
        noise_sigma: σ of the simulated noise as a fraction of each series' bright level.

    Raises:
        InputError: the shapes differ.
    """
    shapes = {(s.cine.shape, s.maps.shape) for s in series}
    if len(shapes) > 1:
        listed = ", ".join(str(cine) for cine, _ in sorted(shapes))
        raise InputError(f"training needs series of one shape [frame, y, x], got {listed}.")
    return Examples(
        cine=np.stack([s.cine for s in series]),
        maps=np.stack([s.maps for s in series]),
        sigma=np.array([noise_sigma * bright_level(s.cine) for s in series], np.float32),
        seed=np.array([series_seed(s) for s in series], np.uint32),
    )


def bright_level(cine: np.ndarray) -> float:
    """Return the 99th percentile of the magnitude: bright tissue, to which noise is stated."""
    return float(np.percentile(np.abs(cine), 99))


def series_seed(series: Series) -> int:
    """Derive the number that fixes a series' evaluation mask and noise from its name."""
    return zlib.crc32(series.name.encode())


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
