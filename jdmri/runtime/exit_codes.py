"""From an exception to one line and an exit code."""

import errno
import sys
import threading

import jax

from jdmri.errors import BAD_INPUT, TERMINATED, InputError
from jdmri.runtime.memory import REMEDY
from jdmri.runtime.signals import Terminated

_COLLECTIVES = ("Gloo", "gloo", "NCCL", "coordination service")


def explain(error: BaseException) -> tuple[str, int] | None:
    """Return what to tell the user and the exit code; None for what is a defect of ours."""
    if isinstance(error, InputError):
        return " ".join(str(error).split()), BAD_INPUT
    if isinstance(error, Terminated):
        return f"stopped by {error}. The same command continues.", TERMINATED
    if isinstance(error, KeyboardInterrupt):
        return "interrupted. The same command continues.", TERMINATED
    text = str(error)
    if _is_disk_full(error, text):  # first: tensorstore says RESOURCE_EXHAUSTED of a disk, too
        return (
            f"the disk is full ({_first_line(text)}); free some space and run the same command again.",
            BAD_INPUT,
        )
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text or "Out of memory" in text:
        return f"out of device memory ({_first_line(text)}); {REMEDY}.", BAD_INPUT
    if isinstance(error, jax.errors.JaxRuntimeError) and any(w in text for w in _COLLECTIVES):
        return (
            f"another process is gone ({_first_line(text)}). The same command continues from the last save.",
            TERMINATED,
        )
    if isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError):
        return f"cannot read or write {error.filename}: {error.strerror}.", BAD_INPUT
    return None


def silence_threads() -> None:
    """Keep the tracebacks of background writers off the screen: the main thread fails of the same cause.

    TensorBoard's writer dies in its thread (its data are in ``metrics.jsonl`` as well); the writes of
    tensorstore that a failed save leaves behind complain that their event loop is closed.
    """
    threading.excepthook = lambda _: None

    def hook(unraisable):
        if "Event loop is closed" not in str(unraisable.exc_value):
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = hook


def _is_disk_full(error: BaseException, text: str) -> bool:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or "No space left on device" in text


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no detail"])[0][:200]
