"""Stopping on request: a signal is noted, and the loop saves before it ends."""

import signal

import jax

from jdmri.runtime import processes


class Terminated(Exception):
    """A signal asked the run to stop, and its state was saved first."""


class StopRequest:
    """Context that notes SIGTERM and SIGINT in ``received`` instead of dying of them."""

    def __init__(self, ask_every: int = 1):
        """Set the interval, in steps, at which several processes ask each other."""
        self._ask_every = ask_every

    def agreed(self, step: int) -> signal.Signals | None:
        """Return the signal that all processes stop for at this step, whichever of them received it."""
        if jax.process_count() == 1:
            return self.received
        if step % self._ask_every or not processes.any_of(self.received is not None):
            return None
        return self.received or signal.SIGTERM

    def __enter__(self) -> "StopRequest":
        """Take over the handlers."""
        self.received: signal.Signals | None = None
        self._previous = {s: signal.signal(s, self._note) for s in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_) -> None:
        """Give the handlers back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number, _frame) -> None:
        self.received = signal.Signals(number)
