"""What a training run reports, and the reasons to stop that it sees."""

import logging
import math
from pathlib import Path

import jax
import numpy as np
import optax
from tqdm import tqdm

from jdmri.runtime import processes
from jdmri.runtime.log import log
from jdmri.training import records
from jdmri.training.throughput import Meter

MAX_SKIPPED_IN_A_ROW = 10


class RunLog:
    """What a run reports: ``metrics.jsonl``, TensorBoard, the progress bar, and reasons to stop."""

    def __init__(
        self,
        folder: Path,
        *,
        first_step: int,
        num_steps: int,
        schedule: optax.Schedule,
        batch_size: int,
        log_every: int,
        patience: int,
    ):
        """Begin or go on.

        Args:
            folder: the workdir.
            first_step: the step that the run stands at.
            num_steps: of the whole run.
            schedule: step → learning rate.
            batch_size: series a step.
            log_every: steps from one line to the next.
            patience: validations without a better PSNR that end the run; 0: never.
        """
        self._log_every, self._patience = log_every, patience
        self._num_steps, self._schedule = num_steps, schedule
        self.meter = Meter(batch_size)
        history = [r for r in records.read_records(folder) if r["split"] == "validation"]
        self._validation_psnr = [_or_worst(r["psnr"]) for r in history]
        self._writer = records.Writer(folder, resume_step=first_step)
        self._window: list[dict] = []
        self.diverged = False

    def __enter__(self) -> "RunLog":
        """Start the progress bar."""
        self._bar = tqdm(
            total=self._num_steps,
            unit="step",
            desc="train",
            leave=None,
            disable=processes.no_progress(),
        )
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
        measured = self.meter.read(len(fetched))
        streak = max(int(m.pop("skipped_in_a_row")) for m in fetched)
        self.diverged = streak >= MAX_SKIPPED_IN_A_ROW
        values = {name: float(np.mean([m[name] for m in fetched])) for name in fetched[0]}
        rate = float(self._schedule(step - 1))
        self._writer.scalars(step, "train", values | {"learning_rate": rate} | measured)
        self._show(
            step, f"loss {values['loss']:.4f}  psnr {values['psnr']:.2f} dB  {_told(measured)}"
        )
        self._window = []

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
        self.meter.restart()
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


def _told(measured: dict[str, float]) -> str:
    """Say what the meter measured, for a line on the screen."""
    return (
        f"{measured['seconds_per_step']:.3f} s/step  {measured['series_per_second']:.3g} series/s  waiting {measured['waiting']:.0%}  "
        f"{measured['memory_gib']:.1f} GiB  {measured['fraction_of_peak']:.0%} of peak"
    )


def _or_worst(psnr: float | None) -> float:
    return -math.inf if psnr is None else psnr
