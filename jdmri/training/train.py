"""Training: prepare, restore, step, validate, save. One loop for one device or many."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jdmri.data.records import SeriesLike
from jdmri.data.splits import most_diverse
from jdmri.errors import InputError
from jdmri.runtime import memory, processes
from jdmri.runtime.log import log
from jdmri.runtime.signals import StopRequest, Terminated
from jdmri.training import batches, build, examples, records, restore, state, workdir
from jdmri.training.checkpoint import Checkpoints
from jdmri.training.examples import Pipeline
from jdmri.training.feed import feed
from jdmri.training.progress import MAX_SKIPPED_IN_A_ROW, RunLog
from jdmri.training.state import TrainState
from jdmri.training.step import DEVICES, Task, make_train_step
from jdmri.training.trace import Profile
from jdmri.training.validation import Validation
from jdmri.training.workdir import Config


class Training(NamedTuple):
    """Everything that the training loop needs.

    Attributes:
        task: what is learnt.
        optimizer: with its learning rate.
        schedule: step → learning rate.
        initial: the state before the first step.
        mesh: one axis over the devices.
        pipeline: how series become examples.
        series: to train on.
        held_out: to validate on; may be empty.
        steps_per_epoch: batches of one pass over ``series``.
        num_steps: of the whole run.
    """

    task: Task
    optimizer: optax.GradientTransformation
    schedule: optax.Schedule
    initial: TrainState
    mesh: Mesh
    pipeline: Pipeline
    series: Sequence[SeriesLike]
    held_out: Sequence[SeriesLike]
    steps_per_epoch: int
    num_steps: int


def train(
    config: Config,
    folder: Path,
    *,
    extend: bool = False,
    checkpoint: str = "latest",
    on_validation: Callable[[int, float], bool] | None = None,
    profile: str = "",
) -> None:
    """Train the network of ``config`` in ``folder``, or continue there.

    Args:
        config: the whole resolved config.
        folder: the workdir.
        extend: allow a longer run than the one in ``folder``.
        checkpoint: where to continue: ``latest``, ``best`` or a step.
        on_validation: told step and PSNR of each validation; True ends the training there.
        profile: steps to trace, as ``10:15``, counted from the first of this call.

    Raises:
        InputError: something in the config, the data or the workdir cannot be used.
        Terminated: SIGTERM or SIGINT came; the state is saved.
    """
    tracing = Profile(profile, folder / "tensorboard")
    training = prepare(config)
    num_steps = training.num_steps
    processes.first_does(lambda: workdir.open_run(folder, config, extend=extend))
    checkpoints = Checkpoints(folder / "checkpoints", keep_latest=config.checkpoint.keep_latest)
    current = restore.resume(training.initial, checkpoints, checkpoint, config)
    first = int(current.step)
    processes.first_does(lambda: records.cut_after(folder, first))
    run_log = RunLog(
        folder,
        first_step=first,
        num_steps=num_steps,
        schedule=training.schedule,
        batch_size=config.train.batch_size,
        log_every=config.train.log_every,
        patience=config.train.patience,
    )
    if first >= num_steps or run_log.out_of_patience():
        log.info("Training is complete: step %d of %d.", first, num_steps)
        return

    series = feed(training.series, training.pipeline)
    plan = batches.make(series.buckets, config.train.batch_size, num_steps, config.seed)
    stream = series.batches(plan[first:], training.mesh)
    current = processes.put(current, NamedSharding(training.mesh, P()))
    train_step = memory.CompiledOnce(
        make_train_step(
            training.task,
            training.optimizer,
            ema_decay=config.train.ema_decay,
            mesh=training.mesh,
            streamed=series.streamed,
        )
    )
    held_out = feed(training.held_out, training.pipeline) if training.held_out else None
    validation = Validation(training.task, held_out, config.eval.num_series)
    validate_every = config.eval.every_epochs * training.steps_per_epoch
    save_every = config.checkpoint.every_steps

    with StopRequest(config.train.log_every) as stop, run_log, tracing:
        for step, batch in enumerate(run_log.meter.waiting(stream), first + 1):
            tracing.step(current)
            current, metrics = train_step(current, *batch)
            run_log.meter.count(train_step.flops)
            run_log.step(step, metrics)
            stopping = stop.agreed(step)
            if step % validate_every == 0 or step == num_steps:
                psnr = run_log.validated(step, *validation(processes.local(current)))
                checkpoints.save(processes.local(current), psnr)
                if on_validation and psnr is not None and on_validation(step, psnr):
                    break
            elif stopping or (save_every and step % save_every == 0):
                checkpoints.save(processes.local(current))
            if stopping or run_log.diverged or run_log.out_of_patience():
                break
    processes.first_does(checkpoints.close)
    if run_log.diverged:
        raise InputError(_divergence(step, checkpoints))
    if stopping:
        raise Terminated(f"{stopping.name} at step {step} of {num_steps}; saved in {folder}")


def prepare(config: Config) -> Training:
    """Build and check everything that does not depend on a workdir; data are read last, when the rest can be used.

    Raises:
        InputError: something in the config or the data cannot be used.
    """
    task, pipeline = build.build_task(config), build.pipeline(config)
    mesh = one_axis_mesh(config.train.batch_size)
    parts = build.split_data(build.read_data(config), config)
    series = most_diverse(parts["train"], config.train.num_series)
    steps_per_epoch, num_steps = batches.run_length(
        examples.buckets(series),
        config.train.batch_size,
        num_steps=config.train.num_steps,
        num_epochs=config.train.num_epochs,
    )
    task = dataclasses.replace(task, loss=build.build_loss(config, steps_per_epoch))
    optimizer, schedule = build.build_optimizer(config, num_steps)
    initial = state.create(task.model, optimizer, config.seed)
    _check_shapes(task, initial, series, pipeline)
    return Training(
        task=task,
        optimizer=optimizer,
        schedule=schedule,
        initial=initial,
        mesh=mesh,
        pipeline=pipeline,
        series=series,
        held_out=parts["validation"],
        steps_per_epoch=steps_per_epoch,
        num_steps=num_steps,
    )


def _check_shapes(
    task: Task, initial: TrainState, series: Sequence[SeriesLike], pipeline: Pipeline
) -> None:
    """Trace one reconstruction of each shape, so that a mask or a network that does not fit is refused at once."""
    kinds = examples.buckets(series)
    for kind in set(kinds):
        example = examples.prepare(series[kinds.index(kind)], kind, pipeline)
        jax.eval_shape(
            lambda example=example: task.example_loss(
                initial.variables, jax.random.key(0), example, np.zeros(()), train=False
            )
        )


def one_axis_mesh(batch_size: int) -> Mesh:
    """Lay one axis over as many devices of each process as divide its part of the batch.

    Raises:
        InputError: the batch cannot be divided among the processes.
    """
    count = jax.process_count()
    if batch_size % count:
        raise InputError(
            f"train.batch_size is {batch_size}, which {count} processes cannot divide; type "
            f"--config.train.batch_size={-(-batch_size // count) * count}."
        )
    size = math.gcd(batch_size // count, jax.local_device_count())
    chosen = [d for i in range(count) for d in jax.devices() if d.process_index == i]
    chosen = [d for i in range(count) for d in chosen[i * len(chosen) // count :][:size]]
    return jax.make_mesh(
        (count * size,), (DEVICES,), axis_types=(jax.sharding.AxisType.Auto,), devices=chosen
    )


def _divergence(step: int, checkpoints: Checkpoints) -> str:
    steps = checkpoints.steps()
    good = f"the last good checkpoint is {steps[-1]}" if steps else "there is no checkpoint yet"
    return (
        f"the loss was not finite {MAX_SKIPPED_IN_A_ROW} times in a row up to step {step}; {good} in "
        f"{checkpoints.folder}; lower --config.optimizer.learning_rate, or check the data."
    )
