"""The one door from a config to what it names: data, splits, acquisition, network, loss, optimizer."""

import flax.linen as nn
import optax
from ml_collections import ConfigDict

from jdmri import models
from jdmri.data import READERS, Dataset
from jdmri.data.acquisition import Acquisition
from jdmri.data.records import SeriesLike
from jdmri.data.splits import SPLITS
from jdmri.losses import LOSSES, Loss
from jdmri.masks import MASKS
from jdmri.ops.coil_maps import COIL_MAPS
from jdmri.training import optim, workdir
from jdmri.training.augment import augmentation
from jdmri.training.examples import Pipeline
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


def acquisition(config: ConfigDict) -> Acquisition:
    """Build how series are undersampled: mask, noise, coil maps, reference.

    Raises:
        InputError: an unknown name or an impossible setting.
    """
    estimator = COIL_MAPS.build(config.coil_maps)
    return Acquisition(
        sampler=MASKS.build(config.mask),
        sigma=config.noise.sigma,
        coil_maps=None if config.coil_maps.name == "given" else estimator,
        reference=config.data.reference,
        eval_seed=config.eval.seed,
    )


def pipeline(config: ConfigDict) -> Pipeline:
    """Build how series become what the step takes."""
    return Pipeline(
        acquisition=acquisition(config),
        cyclic=config.data.cyclic,
        streaming=config.train.streaming,
        num_workers=config.train.num_workers,
    )


def build_model(config: ConfigDict) -> nn.Module:
    """Build the network; whether time is cyclic is a property of the data."""
    context = {"cyclic": config.data.cyclic, "precision": config.train.precision}
    return models.build(config.model.to_dict(), **context)


def build_task(config: ConfigDict) -> Task:
    """Build what is learnt, with a loss for epochs of one step; `train.prepare` replaces it where epochs count."""
    augment = config.augment.to_dict()
    augment["frame_roll"] = augment["frame_roll"] and config.data.cyclic
    return Task(
        model=build_model(config),
        acquisition=acquisition(config),
        loss=build_loss(config),
        augment=augmentation(**augment),
    )


def build_loss(config: ConfigDict, steps_per_epoch: int = 1) -> Loss:
    """Build the loss; those that change after some epochs ask for the steps of one."""
    return LOSSES.build(config.loss.to_dict(), steps_per_epoch=steps_per_epoch)


def build_optimizer(
    config: ConfigDict, num_steps: int = 1
) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """Build the optimizer and its learning rate over ``num_steps``."""
    return optim.build(config.optimizer.to_dict(), num_steps)
