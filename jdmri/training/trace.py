"""A trace of a few training steps, for XProf and TensorBoard's profiler: ``--profile=10:15``."""

from pathlib import Path
from types import TracebackType

import jax

from jdmri.errors import InputError
from jdmri.runtime.log import log


class Profile:
    """Context around the training loop; ``step`` is called before each step."""

    def __init__(self, steps: str, folder: Path):
        """Trace the steps ``first:last`` of this command, counted from 1 and both included.

        Args:
            steps: as ``10:15``; empty: none.
            folder: of TensorBoard's files.

        Raises:
            InputError: ``steps`` is something else.
        """
        self._first, self._last = _parse(steps)
        self._folder, self._running, self._count = folder, False, 0

    def step(self, state: object) -> None:
        """Start or stop the trace before a step, when it is time.

        Args:
            state: what the steps so far return: they must end before the trace begins or ends.
        """
        self._count += 1
        if self._count == self._first:
            jax.block_until_ready(state)
            jax.profiler.start_trace(self._folder)
            self._running = True
        elif self._running and self._count > self._last:
            jax.block_until_ready(state)
            self._stop()

    def __enter__(self) -> "Profile":
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End a trace that the loop's end cuts short."""
        if self._running:
            self._stop()

    def _stop(self) -> None:
        jax.profiler.stop_trace()
        self._running = False
        log.info("A trace is in %s; open it with xprof or tensorboard --logdir.", self._folder)


def _parse(steps: str) -> tuple[int, int]:
    if not steps:
        return 0, 0
    first, colon, last = steps.partition(":")
    if not (colon and first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last)):
        raise InputError(f"--profile={steps!r} must be FIRST:LAST step, as --profile=10:15.")
    return int(first), int(last)
