"""How long runs will take: from their own logs where they have begun, else from a few steps."""

import time
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from jdmri.data.splits import most_diverse
from jdmri.studies.runs import Run
from jdmri.training import (
    batches,
    build,
    records,
    state,
    train,
)
from jdmri.training.examples import (
    Examples,
    buckets,
    prepare,
    stack,
)
from jdmri.training.step import make_train_step
from jdmri.training.workdir import Config

_REPEATS = 3


def dry_run(runs: Sequence[Run], folder: Path) -> str:
    """List the runs with their state and the time that each will take, evaluation not counted."""
    lines, total, measured = [], 0.0, {}
    sizes = {}
    for run in runs:
        if run.is_finished(folder):
            lines.append(f"  {run.name}: finished")
            continue
        if run.variant not in sizes:
            sizes[run.variant] = _length(run.config)
            measured[run.variant] = _from_log(run.workdir(folder)) or seconds_per_step(run.config)
        steps, seconds = (
            sizes[run.variant] - _steps_done(run.workdir(folder)),
            measured[run.variant],
        )
        total += steps * seconds
        lines.append(f"  {run.name}: {steps} steps of {seconds:.3g} s, {_spoken(steps * seconds)}")
    todo = sum(not run.is_finished(folder) for run in runs)
    return (
        f"{len(runs)} runs, {todo} to do in {folder}:\n"
        + "\n".join(lines)
        + f"\nTraining takes about {_spoken(total)} on one worker like this machine, compilation and evaluation apart."
    )


def seconds_per_step(config: Config) -> float:
    """Time the training step of ``config`` on the largest of the data's shapes, compilation apart."""
    dataset = build.read_data(config)
    kinds = buckets(dataset.series)
    largest = max(kinds, key=lambda kind: np.prod(kind.shape))
    one = prepare(dataset.series[kinds.index(largest)], largest, build.pipeline(config))
    compiled, current, *data = compile_step(config, stack([one] * config.train.batch_size))
    current, _ = jax.block_until_ready(compiled(current, *data))
    start = time.perf_counter()
    for _ in range(_REPEATS):
        current, _ = jax.block_until_ready(compiled(current, *data))
    return (time.perf_counter() - start) / _REPEATS


def compile_step(config: Config, examples: Examples):
    """Compile the training step of ``config`` for one batch.

    Returns:
        The step, and its arguments: an initial state, the examples on the device, and the rows.
    """
    task = build.build_task(config)
    optimizer, _ = build.build_optimizer(config, 1000)
    mesh = train.one_axis_mesh(config.train.batch_size)
    current = state.create(task.model, optimizer, config.seed)
    rows = np.arange(config.train.batch_size, dtype=np.int32)
    shared, split = NamedSharding(mesh, P()), NamedSharding(mesh, P(mesh.axis_names))
    arguments = (*jax.device_put((current, examples), shared), jax.device_put(rows, split))
    train_step = make_train_step(task, optimizer, ema_decay=config.train.ema_decay, mesh=mesh)
    return train_step.lower(*arguments).compile(), *arguments


def _length(config: Config) -> int:
    series = build.split_data(build.read_data(config), config)["train"]
    chosen = most_diverse(series, config.train.num_series)
    length = {"num_steps": config.train.num_steps, "num_epochs": config.train.num_epochs}
    return batches.run_length(buckets(chosen), config.train.batch_size, **length)[1]


def _from_log(workdir: Path) -> float | None:
    times = [
        r["seconds_per_step"] for r in records.read_records(workdir) if "seconds_per_step" in r
    ]
    return float(np.median(times)) if times else None


def _steps_done(workdir: Path) -> int:
    return max((r["step"] for r in records.read_records(workdir)), default=0)


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
