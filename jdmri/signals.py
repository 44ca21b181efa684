"""Stopping on request: a signal is noted, and the loop saves before it ends."""

import signal


class Terminated(Exception):
    """A signal asked the run to stop, and its state was saved first."""


class StopRequest:
    """Context that notes SIGTERM and SIGINT in ``received`` instead of dying of them."""

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
