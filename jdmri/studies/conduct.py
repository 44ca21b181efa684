"""Carrying a study out: train what is missing, skip what is finished, share runs with other workers."""

import contextlib
import fcntl
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
from tqdm import tqdm

from jdmri.errors import InputError
from jdmri.evaluation import evaluate
from jdmri.runtime import exit_codes, files
from jdmri.runtime.log import log
from jdmri.studies.runs import Run
from jdmri.training import train, workdir


def open_study(folder: Path, settings: Mapping[str, Any]) -> None:
    """Begin or continue a study; variants and seeds may be added to it, nothing may be changed.

    Args:
        folder: of the study.
        settings: its whole config, which is written there.

    Raises:
        InputError: the folder holds another study, or something else.
    """
    path = folder / workdir.STUDY
    if path.is_file():
        old = workdir.read_config(folder, workdir.STUDY).to_dict()
        changes = workdir.differences(
            {k: v for k, v in old.items() if k != "seeds"},
            {k: v for k, v in settings.items() if k != "seeds"},
        )
        changes = [c for c in changes if not (c.startswith("variants.") and ": absent →" in c)]
        if changes:
            raise InputError(
                f"{folder} belongs to another study ({'; '.join(changes[:4])}); choose another --workdir."
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty and holds no study; choose another --workdir.")
    files.write_json(path, settings)


def conduct(runs: Sequence[Run], folder: Path) -> dict[str, str]:
    """Train and evaluate the runs that are not finished; one line a run.

    Args:
        runs: of this worker.
        folder: of the study, possibly shared with other workers.

    Returns:
        The runs that failed, and why. Those that another worker has in hand are left to it.

    Raises:
        Terminated: a signal came; what is trained so far is saved.
    """
    failed = {}
    # Bars of position 1 and higher vanish when they are done: one line a run remains.
    with quiet(), tqdm(runs, desc="study", unit="run", disable=None) as bar:
        for number, run in enumerate(bar, 1):
            with claim(run.workdir(folder)) as is_ours:
                start = time.perf_counter()
                said = _finish(run, folder, failed) if is_ours else "in the hands of another worker"
            seconds = time.perf_counter() - start
            say(bar, f"[{number}/{len(runs)}] {run.name}: {said} ({seconds:.0f} s)")
    return failed


def _finish(run: Run, folder: Path, failed: dict[str, str]) -> str:
    """Train and evaluate one run, and say how it went."""
    if run.is_finished(folder):
        return "finished before"
    try:
        train.train(run.config, run.workdir(folder))
        _, result = evaluate.evaluate(run.config, run.workdir(folder), pictures=False)
    except Exception as error:
        told = exit_codes.explain(error)
        if told is None or told[1] != exit_codes.BAD_INPUT:
            raise
        failed[run.name] = told[0]
        return f"failed: {told[0]}"
    finally:
        jax.clear_caches()  # compiled programs of many runs would fill the memory
    psnr = result["methods"]["model"].get("psnr")
    return "done" if psnr is None else f"{psnr['mean']:.2f} dB on {psnr['n']} test subjects"


@contextlib.contextmanager
def claim(run: Path) -> Iterator[bool]:
    """Hold the run's lock, if it is free; the system releases it even when this process is killed."""
    run.parent.mkdir(parents=True, exist_ok=True)
    with run.with_name(run.name + ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let only warnings through: a study has many runs, and one line for each."""
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def say(bar: tqdm, text: str) -> None:
    """Write a line above the progress bar, or log it where there is no terminal."""
    if bar.disable:
        log.warning("%s", text)
    else:
        bar.write(text)
