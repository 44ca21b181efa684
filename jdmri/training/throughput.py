"""Where the time of a training goes: series and seconds a step, waiting for data, memory, and the share of the device's peak."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from jdmri.runtime import memory

_SIZE = 2048  # of the matrices whose product measures the peak
_REPEATS = 3


class Meter:
    """Measures the steps since it was last read.

    The work of a step is counted in its unoptimised program, where a loop counts once, so that networks with conjugate gradients
    do more than is counted.
    """

    def __init__(self, batch_size: int):
        """Take the series of a step, of all devices together."""
        self._batch_size = batch_size
        self._peak = matmul_peak()
        self._flops = self._waited = 0.0
        self._clock = time.perf_counter()

    def waiting(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield the batches, and note how long each was waited for."""
        iterator = iter(batches)
        while True:
            start = time.perf_counter()
            try:
                batch = next(iterator)
            except StopIteration:
                return
            self._waited += time.perf_counter() - start
            yield batch

    def count(self, flops: float) -> None:
        """Add the floating-point operations of a step on one device."""
        self._flops += flops

    def restart(self) -> None:
        """Begin anew, as after a validation."""
        self._flops = self._waited = 0.0
        self._clock = time.perf_counter()

    def read(self, num_steps: int) -> dict[str, float]:
        """Return the figures of the ``num_steps`` since the last call, and begin anew."""
        seconds = time.perf_counter() - self._clock
        values = {
            "seconds_per_step": seconds / num_steps,
            "series_per_second": num_steps * self._batch_size / seconds,
            "waiting": self._waited / seconds,
            "memory_gib": memory.peak_bytes() / memory.GIB,
            "fraction_of_peak": self._flops / seconds / self._peak,
        }
        self.restart()
        return values


def matmul_peak() -> float:
    """Measure the operations a second of a float32 matrix product on one device, as precise as the training's own."""
    product = jax.jit(lambda a: a @ a)
    matrix = jnp.full((_SIZE, _SIZE), 1 / _SIZE)
    product(matrix).block_until_ready()
    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        product(matrix).block_until_ready()
        seconds.append(time.perf_counter() - start)
    return 2 * _SIZE**3 / min(seconds)
