"""The learning-rate range test: where the loss falls, and where it blows up (Smith 2017, arXiv:1506.01186)."""

import csv
from pathlib import Path

import jax
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from tqdm import tqdm

from jdmri.errors import InputError
from jdmri.report.figures import cines
from jdmri.runtime import files
from jdmri.training import batches, build, optim, state
from jdmri.training.feed import feed
from jdmri.training.step import make_train_step
from jdmri.training.train import one_axis_mesh
from jdmri.training.validation import Validation
from jdmri.training.workdir import Config

LOWEST, HIGHEST = 1e-6, 1.0
_BLOWN_UP = 4.0  # times the smallest loss
_SMOOTHING = 0.8
_NUM_PROBES = 4  # series on which the loss is measured


def find(config: Config, folder: Path, num_steps: int = 100) -> str:
    """Train from scratch while the rate rises from ``LOWEST`` to ``HIGHEST``; nothing of it is kept.

    The loss is measured after each step on the same few training series with the same masks: that of the
    batches scatters more between series than it changes. Writes ``lr_range.csv`` and ``lr_range.png`` into ``folder``.

    Args:
        config: of the run; its schedule and rate are replaced.
        folder: for the two files.
        num_steps: of the sweep.

    Returns:
        A sentence with the rate of the lowest loss and a tenth of it.

    Raises:
        InputError: something in the config or the data cannot be used, or the loss is never finite.
    """
    rates, losses = _sweep(config, num_steps)
    smooth = smoothed(losses)
    if not np.isfinite(smooth).any():
        raise InputError(
            "the loss is not finite from the first step on; check the data and the loss."
        )
    best = float(rates[int(np.nanargmin(smooth))])
    rows = zip(rates, losses, smooth, strict=True)
    files.write_atomic(folder / "lr_range.csv", lambda path: _write(path, rows))
    cines.save(cines.rate_range(rates, losses, smooth, best), folder / "lr_range.png")
    return (
        f"The loss was lowest at a learning rate of {best:.1e}; a tenth, {best / 10:.1e}, is a usual choice. "
        f"The curve is {folder / 'lr_range.png'}."
    )


def smoothed(losses: np.ndarray) -> np.ndarray:
    """Exponential mean without the bias of its beginning."""
    total, result = 0.0, []
    for i, loss in enumerate(losses, 1):
        total = _SMOOTHING * total + (1 - _SMOOTHING) * loss
        result.append(total / (1 - _SMOOTHING**i))
    return np.array(result)


def _sweep(config: Config, num_steps: int) -> tuple[np.ndarray, np.ndarray]:
    task = build.build_task(config)
    series = build.split_data(build.read_data(config), config)["train"]
    section = config.optimizer.to_dict()
    section |= {"learning_rate": HIGHEST, "schedule": {"name": "geometric", "start": LOWEST}}
    optimizer, schedule = optim.build(section, num_steps)
    size = min(config.train.batch_size, len(series))
    mesh = one_axis_mesh(size)
    current = jax.device_put(
        state.create(task.model, optimizer, config.seed), NamedSharding(mesh, P())
    )
    pipeline = build.pipeline(config)
    fed = feed(series, pipeline)
    plan = batches.make(fed.buckets, size, num_steps, config.seed)
    train_step = make_train_step(task, optimizer, ema_decay=0.0, mesh=mesh, streamed=fed.streamed)
    probe = Validation(task, feed(series[:_NUM_PROBES], pipeline))
    losses: list[float] = []
    stream = fed.batches(plan, mesh)
    for batch in tqdm(stream, desc="learning rate", total=num_steps, unit="step", disable=None):
        current, _ = train_step(current, *batch)
        losses.append(probe(current)[0]["loss"])
        if not losses[-1] <= _BLOWN_UP * min(losses):
            break
    return np.array([float(schedule(i)) for i in range(len(losses))]), np.array(losses)


def _write(path: Path, rows) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("learning_rate", "loss", "smoothed_loss"))
        writer.writerows(rows)
