"""From an exception to one line and an exit code."""

import errno
import sys
import threading
import traceback
from pathlib import Path

import jax

from jdmri.errors import BAD_INPUT, TERMINATED, InputError
from jdmri.runtime.memory import REMEDY
from jdmri.runtime.signals import Terminated

_WRITERS = ("tensorboardX", "orbax", "tensorstore")  # packages whose threads write
_LOOP_CLOSED = "Event loop is closed"
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


def located(error: Exception, path: Path) -> str:
    """Say where in the user's file ``path`` an exception arose: ``FILE:LINE: TYPE: TEXT``."""
    places = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    text = str(error)
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
        text = error.msg
    lines = [line for name, line in places if Path(name).absolute() == path.absolute()]
    text = _first_line(text)
    return f"{path}{f':{lines[-1]}' if lines else ''}: {type(error).__name__}: {text}"


def silence_writers() -> None:
    """Keep the tracebacks of background writers off the screen: the main thread fails of the same cause.

    TensorBoard's writer dies in its thread (its data are in ``metrics.jsonl`` as well); the writes of
    tensorstore that a failed save leaves behind complain that their event loop is closed. All other threads
    report as before.
    """
    previous = threading.excepthook

    def of_thread(args):
        if not _is_writer(args):
            previous(args)

    def of_destructor(unraisable):
        if _LOOP_CLOSED not in str(unraisable.exc_value):
            sys.__unraisablehook__(unraisable)

    threading.excepthook, sys.unraisablehook = of_thread, of_destructor


def _is_writer(args: threading.ExceptHookArgs) -> bool:
    """Whether a thread that ended in an exception ran a writer's function, and the exception is one of writing."""
    frames = [frame for frame, _ in traceback.walk_tb(args.exc_traceback)]
    modules = [frame.f_globals.get("__name__", "").partition(".")[0] for frame in frames]
    owner = next((module for module in modules if module != "threading"), "")
    return owner in _WRITERS and issubclass(args.exc_type, (OSError, RuntimeError, ValueError))


def _is_disk_full(error: BaseException, text: str) -> bool:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or "No space left on device" in text


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no detail"])[0][:200]
