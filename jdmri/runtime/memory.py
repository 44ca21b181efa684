"""Device memory: estimate before running, and say what to lower when it does not fit."""

import ctypes
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

import jax

from jdmri.errors import InputError
from jdmri.runtime.log import log

GIB = 1024**3
# Of glibc's malloc.h: parameter → value, in mallopt(3).
_KEEP = {"M_ARENA_MAX": (-8, 1), "M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, -1)}
REMEDY = (
    "lower --config.train.batch_size or the network's width, or set --config.model.memory=remat, "
    "or scan_remat where that is not enough (where the model has it)"
)


def keep_freed() -> None:
    """Let the process keep memory that it has freed; for command lines, where nobody else needs it.

    On a CPU, XLA allocates its temporary memory anew in each call. glibc returns blocks of that size to the kernel at once, and
    pages that come back must be zeroed: 173 instead of 108 ms for a step of the demo. Elsewhere than with glibc nothing happens.
    """
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt"):
        for parameter, value in _KEEP.values():
            ctypes.CDLL(None).mallopt(parameter, value)


class CompiledOnce:
    """A jitted step that is compiled once for each shape of its second argument, and checked against the memory."""

    def __init__(self, function: Any):
        """Take a jitted ``(state, examples, rows)``; nothing is compiled yet."""
        self._function, self._compiled, self._flops = function, {}, {}
        self.flops = 0.0  # of the last call on one device, loops counted once

    def __call__(self, state: Any, examples: Any, rows: jax.Array) -> Any:
        """Apply it.

        Raises:
            InputError: the step does not fit into the memory.
        """
        shape = tuple(a.shape for a in jax.tree.leaves(examples))
        if shape not in self._compiled:
            log.info("Compiling the training step for a cine of shape %s.", list(shape[0]))
            lowered = self._function.lower(state, examples, rows)
            self._flops[shape] = (lowered.cost_analysis() or {}).get("flops", 0.0)
            self._compiled[shape] = compile_within_memory(lowered)
        self.flops = self._flops[shape]
        return self._compiled[shape](state, examples, rows)

    def __len__(self) -> int:
        """Count the compilations."""
        return len(self._compiled)


def compile_within_memory(lowered: Any) -> Callable:
    """Compile what ``function.lower(...)`` returned, and check that it fits on the device.

    Returns:
        The compiled function.

    Raises:
        InputError: the estimate exceeds the memory that is free.
    """
    compiled = lowered.compile()
    needed, free = estimate(compiled), free_bytes()
    if free is not None and needed > free:
        raise InputError(
            f"the step needs about {needed / GIB:.1f} GiB beside the data, {free / GIB:.1f} GiB are free; {REMEDY}."
        )
    return compiled


def estimate(compiled: Any) -> int:
    """Bytes that a compiled function needs besides its arguments."""
    analysis = compiled.memory_analysis()
    if analysis is None:
        return 0
    return (
        analysis.temp_size_in_bytes + analysis.output_size_in_bytes - analysis.alias_size_in_bytes
    )


def peak_bytes() -> int:
    """Most bytes used on the device so far; on a CPU, of the process."""
    stats = jax.local_devices()[0].memory_stats()
    if stats and "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"]
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def free_bytes() -> int | None:
    """Bytes free on the device; None where that is not known."""
    device = jax.local_devices()[0]
    stats = device.memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"] - stats["bytes_in_use"]
    if (
        device.platform == "cpu"
        and hasattr(os, "sysconf")
        and "SC_AVPHYS_PAGES" in os.sysconf_names
    ):
        # Free pages leave out what the file cache would give back; half of all memory is a floor.
        page = os.sysconf("SC_PAGE_SIZE")
        return max(os.sysconf("SC_AVPHYS_PAGES") * page, os.sysconf("SC_PHYS_PAGES") * page // 2)
    return None
