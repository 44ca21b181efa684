"""Training: prepare, restore, step, validate, save. One loop for one device or many."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from jdmri.data.records import SeriesLike
from jdmri.data.splits import most_diverse
from jdmri.errors import InputError
from jdmri.runtime import memory, processes
from jdmri.runtime.log import log
from jdmri.runtime.signals import StopRequest, Terminated
from jdmri.training import batches as schedules
from jdmri.training import (
    build,
    records,
    restore,
    state,
    workdir,
)
from jdmri.training.checkpoint import Checkpoints
from jdmri.training.examples import Bucket, Pipeline, buckets, prepare
from jdmri.training.feed import feed
from jdmri.training.progress import MAX_SKIPPED_IN_A_ROW, RunLog
from jdmri.training.state import TrainState
from jdmri.training.step import Task, make_train_step
from jdmri.training.trace import Profile
from jdmri.training.validation import Validation
from jdmri.training.workdir import Config


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
    parts = build.split_data(build.read_data(config), config)
    chosen = most_diverse(parts["train"], config.train.num_series)
    steps_per_epoch, num_steps = run_length(config, buckets(chosen))
    mesh = one_axis_mesh(config.train.batch_size)
    task = build.build_task(config, steps_per_epoch)
    pipeline = build.pipeline(config)
    optimizer, schedule = build.build_optimizer(config, num_steps)
    initial = state.create(task.model, optimizer, config.seed)
    _check_shapes(task, initial, chosen, pipeline)

    processes.first_does(lambda: workdir.open_run(folder, config, extend=extend))
    checkpoints = Checkpoints(folder / "checkpoints", keep_latest=config.checkpoint.keep_latest)
    current = _resume(initial, checkpoints, checkpoint, config)
    first = int(current.step)
    processes.first_does(lambda: records.cut_after(folder, first))
    run_log = RunLog(
        folder,
        first_step=first,
        num_steps=num_steps,
        schedule=schedule,
        batch_size=config.train.batch_size,
        log_every=config.train.log_every,
        patience=config.train.patience,
    )
    if first >= num_steps or run_log.out_of_patience():
        log.info("Training is complete: step %d of %d.", first, num_steps)
        return

    examples = feed(chosen, pipeline)
    plan = schedules.make(examples.buckets, config.train.batch_size, num_steps, config.seed)
    batches = examples.batches(plan[first:], mesh)
    current = processes.put(current, NamedSharding(mesh, P()))
    train_step = memory.CompiledOnce(
        make_train_step(
            task,
            optimizer,
            ema_decay=config.train.ema_decay,
            mesh=mesh,
            streamed=examples.streamed,
        )
    )
    held_out = feed(parts["validation"], pipeline) if parts["validation"] else None
    validation = Validation(task, held_out, config.eval.num_series)
    validate_every = config.eval.every_epochs * steps_per_epoch
    save_every = config.checkpoint.every_steps

    with StopRequest(config.train.log_every) as stop, run_log, tracing:
        for step, batch in enumerate(run_log.meter.waiting(batches), first + 1):
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
    if stopping and step < num_steps:
        raise Terminated(f"{stopping.name} at step {step} of {num_steps}; saved in {folder}")


def run_length(config: Config, kinds: Sequence[Bucket]) -> tuple[int, int]:
    """Return steps per epoch (a last partial batch is dropped) and steps of the whole run.

    Args:
        config: of the run.
        kinds: the bucket of each training series.

    Raises:
        InputError: the batch is larger than the training set, or no length is given.
    """
    if config.train.batch_size > len(kinds):
        raise InputError(
            f"train.batch_size is {config.train.batch_size}, but there are {len(kinds)} training series; "
            f"type --config.train.batch_size={len(kinds)} or less."
        )
    steps_per_epoch = schedules.steps_per_epoch(kinds, config.train.batch_size)
    num_steps = config.train.num_steps or config.train.num_epochs * steps_per_epoch
    if num_steps < 1:
        raise InputError("train.num_steps or train.num_epochs must be at least 1.")
    return steps_per_epoch, num_steps


def _check_shapes(
    task: Task, initial: TrainState, series: Sequence[SeriesLike], pipeline: Pipeline
) -> None:
    """Trace one reconstruction of each shape, so that a mask or a network that does not fit is refused at once."""
    kinds = buckets(series)
    for kind in set(kinds):
        example = prepare(series[kinds.index(kind)], kind, pipeline)
        jax.eval_shape(
            lambda example=example: task.example_loss(
                initial.variables, jax.random.key(0), example, np.zeros(()), train=False
            )
        )


def _resume(
    initial: TrainState, checkpoints: Checkpoints, which: str, config: Config
) -> TrainState:
    """Return the state to continue from: a checkpoint, another run's weights, or the initial one."""
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
    theirs, step = restore.restore_state(source, "best")
    if jax.tree.map(np.shape, theirs.params) != jax.tree.map(np.shape, initial.params):
        raise InputError(
            f"train.init_from={source} holds another network than config.model describes."
        )
    log.info("Starting from the weights of step %d in %s.", step, source)
    return initial.replace(**theirs.ema, ema=theirs.ema)


def one_axis_mesh(batch_size: int) -> jax.sharding.Mesh:
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
        (count * size,), ("data",), axis_types=(jax.sharding.AxisType.Auto,), devices=chosen
    )


def _divergence(step: int, checkpoints: Checkpoints) -> str:
    steps = checkpoints.steps()
    good = f"the last good checkpoint is {steps[-1]}" if steps else "there is no checkpoint yet"
    return (
        f"the loss was not finite {MAX_SKIPPED_IN_A_ROW} times in a row up to step {step}; {good} in "
        f"{checkpoints.folder}; lower --config.optimizer.learning_rate, or check the data."
    )
