"""Training: prepare, restore, step, validate, save. One loop for one device or many."""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import optax
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from ml_collections import ConfigDict
from tqdm import tqdm

from jdmri import memory, optim, setup, state, workdir, writers
from jdmri.checkpoint import Checkpoints
from jdmri.data.splits import most_diverse
from jdmri.errors import InputError
from jdmri.log import log
from jdmri.signals import StopRequest, Terminated
from jdmri.state import TrainState
from jdmri.step import Examples, make_train_step
from jdmri.validate import Validation

MAX_SKIPPED_IN_A_ROW = 10


def train(
    config: ConfigDict,
    folder: Path,
    *,
    extend: bool = False,
    checkpoint: str = "latest",
    on_validation: Callable[[int, float], bool] | None = None,
) -> None:
    """Train the network of ``config`` in ``folder``, or continue there.

    Args:
        config: the whole resolved config.
        folder: the workdir.
        extend: allow a longer run than the one in ``folder``.
        checkpoint: where to continue: ``latest``, ``best`` or a step.
        on_validation: told step and PSNR of each validation; True ends the training there.

    Raises:
        InputError: something in the config, the data or the workdir cannot be used.
        Terminated: SIGTERM or SIGINT came; the state is saved.
    """
    parts = setup.split_data(setup.read_data(config), config)
    chosen = most_diverse(parts["train"], config.train.num_series)
    examples = setup.stack(chosen, config.noise.sigma)
    held_out = setup.stack(parts["validation"], config.noise.sigma) if parts["validation"] else None
    steps_per_epoch, num_steps = run_length(config, len(examples.cine))
    task = setup.build_task(config, steps_per_epoch)
    optimizer, schedule = optim.build(config.optimizer.to_dict(), num_steps)
    initial = state.create(task.model, optimizer, config.seed)
    _check_shapes(task, initial, examples)

    workdir.open_run(folder, config, extend=extend)
    checkpoints = Checkpoints(folder / "checkpoints", keep_latest=config.checkpoint.keep_latest)
    current = _resume(initial, checkpoints, checkpoint, config)
    run_log = RunLog(
        config,
        num_steps,
        schedule,
        writers.Writer(folder, resume_step=int(current.step)),
        folder,
    )
    if int(current.step) >= num_steps or run_log.out_of_patience():
        log.info("Training is complete: step %d of %d.", int(current.step), num_steps)
        return

    mesh = one_axis_mesh(config.train.batch_size)
    current, examples = jax.device_put((current, examples), NamedSharding(mesh, P()))
    train_step = make_train_step(
        task,
        optimizer,
        batch_size=config.train.batch_size,
        ema_decay=config.train.ema_decay,
        mesh=mesh,
    )
    log.info("Compiling the training step for %d device(s).", mesh.size)
    train_step = memory.compile_within_memory(train_step, current, examples)
    validation = Validation(task, held_out, config.eval.num_series)
    validate_every = config.eval.every_epochs * steps_per_epoch
    save_every = config.checkpoint.every_steps

    with StopRequest() as stop, run_log:
        for step in range(int(current.step) + 1, num_steps + 1):
            current, metrics = train_step(current, examples)
            run_log.step(step, metrics)
            if step % validate_every == 0 or step == num_steps:
                psnr = run_log.validated(step, *validation(current))
                checkpoints.save(current, psnr)
                if on_validation and psnr is not None and on_validation(step, psnr):
                    break
            elif stop.received or (save_every and step % save_every == 0):
                checkpoints.save(current)
            if stop.received or run_log.diverged or run_log.out_of_patience():
                break
    checkpoints.close()
    if run_log.diverged:
        raise InputError(_divergence(step, checkpoints))
    if stop.received and step < num_steps:
        raise Terminated(f"{stop.received.name} at step {step} of {num_steps}; saved in {folder}")


def run_length(config: ConfigDict, num_series: int) -> tuple[int, int]:
    """Return steps per epoch (a last partial batch is dropped) and steps of the whole run.

    Raises:
        InputError: the batch is larger than the training set, or no length is given.
    """
    steps_per_epoch = num_series // config.train.batch_size
    if steps_per_epoch == 0:
        raise InputError(
            f"train.batch_size is {config.train.batch_size}, but there are {num_series} training series; "
            f"type --config.train.batch_size={num_series} or less."
        )
    num_steps = config.train.num_steps or config.train.num_epochs * steps_per_epoch
    if num_steps < 1:
        raise InputError("train.num_steps or train.num_epochs must be at least 1.")
    return steps_per_epoch, num_steps


class RunLog:
    """What a run reports: ``metrics.jsonl``, TensorBoard, the progress bar, and reasons to stop."""

    def __init__(
        self,
        config: ConfigDict,
        num_steps: int,
        schedule: optax.Schedule,
        writer: writers.Writer,
        folder: Path,
    ):
        """Hold the writer; ``patience`` and ``log_every`` come from ``config.train``."""
        self._log_every, self._patience = config.train.log_every, config.train.patience
        self._num_steps, self._schedule, self._writer = num_steps, schedule, writer
        records = [r for r in writers.read_records(folder) if r["split"] == "validation"]
        self._validation_psnr = [_or_worst(r["psnr"]) for r in records]
        self._window: list[dict] = []
        self.diverged = False

    def __enter__(self) -> "RunLog":
        """Start the clock and the progress bar."""
        self._clock = time.perf_counter()
        self._bar = tqdm(total=self._num_steps, unit="step", desc="train", leave=None, disable=None)
        return self

    def __exit__(self, *_) -> None:
        """Close the bar and flush the writer."""
        self._bar.close()
        self._writer.close()

    def step(self, step: int, metrics: dict[str, jax.Array]) -> None:
        """Note a step; every ``log_every`` steps fetch, write and show the means since the last time."""
        self._window.append(metrics)
        if step % self._log_every and step != self._num_steps:
            return
        fetched = jax.device_get(self._window)
        seconds = (time.perf_counter() - self._clock) / len(fetched)
        streak = max(int(m.pop("skipped_in_a_row")) for m in fetched)
        self.diverged = streak >= MAX_SKIPPED_IN_A_ROW
        values = {name: float(np.mean([m[name] for m in fetched])) for name in fetched[0]}
        rate = float(self._schedule(step - 1))
        self._writer.scalars(
            step, "train", values | {"learning_rate": rate, "seconds_per_step": seconds}
        )
        self._show(
            step,
            f"loss {values['loss']:.4f}  psnr {values['psnr']:.2f} dB  {seconds:.3f} s/step",
        )
        self._window, self._clock = [], time.perf_counter()

    def validated(
        self, step: int, scores: dict[str, float], picture: np.ndarray | None
    ) -> float | None:
        """Write validation scores and picture; returns the PSNR if it is a number."""
        if not scores:
            return None
        self._writer.image(step, "validation: reference, reconstruction, error x 5", picture)
        psnr = scores["psnr"] if math.isfinite(scores["psnr"]) else None
        self._writer.scalars(step, "validation", scores)
        self._validation_psnr.append(_or_worst(psnr))
        text = f"step {step}: validation loss {scores['loss']:.4f}  psnr {scores['psnr']:.2f} dB"
        if self._bar.disable or not log.isEnabledFor(logging.INFO):
            log.info("%s", text)
        else:
            self._bar.write(text)
        self._clock = time.perf_counter()
        return psnr

    def out_of_patience(self) -> bool:
        """Whether ``train.patience`` validations passed without a better PSNR (0: never)."""
        scores = self._validation_psnr
        if not self._patience or not scores:
            return False
        return len(scores) - 1 - int(np.argmax(scores)) >= self._patience

    def _show(self, step: int, text: str) -> None:
        if self._bar.disable:
            log.info("step %d/%d  %s", step, self._num_steps, text)
        else:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(step - self._bar.n)


def _check_shapes(task, initial: TrainState, examples: Examples) -> None:
    """Trace one reconstruction, so that a mask or a network that does not fit is refused at once."""
    first = jax.tree.map(lambda a: a[0], examples)
    jax.eval_shape(
        lambda: task.example_loss(
            initial.variables, jax.random.key(0), first, np.zeros(()), train=False
        )
    )


def _resume(
    initial: TrainState, checkpoints: Checkpoints, which: str, config: ConfigDict
) -> TrainState:
    """Return the state to continue from: a checkpoint, another run's weights, or the initial one."""
    if checkpoints.steps():
        step = checkpoints.choose(which)
        restored = checkpoints.restore(step, initial)
        checkpoints.drop_after(step)
        log.info("Resuming from step %d in %s.", step, checkpoints.folder)
        return restored
    checkpoints.drop_after(-1)
    if not config.train.init_from:
        return initial
    source = Path(config.train.init_from)
    theirs, step = setup.restore_state(workdir.load_config(source), source, "best")
    if jax.tree.map(np.shape, theirs.params) != jax.tree.map(np.shape, initial.params):
        raise InputError(
            f"train.init_from={source} holds another network than config.model describes."
        )
    log.info("Starting from the weights of step %d in %s.", step, source)
    return initial.replace(**theirs.ema, ema=theirs.ema)


def one_axis_mesh(batch_size: int) -> jax.sharding.Mesh:
    """Lay one axis over the largest number of devices that divides the batch."""
    size = math.gcd(batch_size, jax.device_count())
    return jax.make_mesh(
        (size,),
        ("data",),
        axis_types=(jax.sharding.AxisType.Auto,),
        devices=jax.devices()[:size],
    )


def _divergence(step: int, checkpoints: Checkpoints) -> str:
    steps = checkpoints.steps()
    good = f"the last good checkpoint is {steps[-1]}" if steps else "there is no checkpoint yet"
    return (
        f"the loss was not finite {MAX_SKIPPED_IN_A_ROW} times in a row up to step {step}; {good} in "
        f"{checkpoints.folder}; lower --config.optimizer.learning_rate, or check the data."
    )


def _or_worst(psnr: float | None) -> float:
    return -math.inf if psnr is None else psnr
