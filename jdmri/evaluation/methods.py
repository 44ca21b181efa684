"""The rows of a table: the methods without training with their tuned parameters, and the model."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from jdmri.classical import METHODS, Iterative, reconstruct
from jdmri.data.acquisition import Acquired
from jdmri.errors import InputError
from jdmri.evaluation.protocol import Protocol
from jdmri.models.reconstructor import reconstructor
from jdmri.runtime import files

MODEL = "model"
Parameters = dict[str, float]


def build_methods(
    protocol: Protocol, num_coils: int, model: nn.Module, variables: Mapping[str, Any]
) -> dict[str, Callable]:
    """Build the rows of the table: the methods without training, then the model.

    Args:
        protocol: names the methods, and the table of their parameters.
        num_coils: of the series, for which parameters are looked up.
        model: the network.
        variables: its parameters and batch statistics.

    Returns:
        Name → ``(kspace, maps, mask) -> cine``.
    """
    section = lambda name: {"name": name, **lookup(protocol, name, num_coils)}
    cyclic = protocol.data["cyclic"]
    methods = {name: METHODS.build(section(name), cyclic=cyclic) for name in protocol.methods}
    return methods | {MODEL: reconstructor(model, jax.device_put(variables))}


def lookup(protocol: Protocol, method: str, num_coils: int) -> Parameters:
    """Return the tuned parameters of a method for mask, noise and number of coils; nothing where none are known.

    Raises:
        InputError: ``protocol.tuned`` names no table.
    """
    if not protocol.tuned:
        return {}
    path = Path(protocol.tuned)
    if not path.is_file():
        raise InputError(
            f"no file {protocol.tuned!r}; make one with --mode=tune, or set tuned to ''."
        )
    wanted = {"method": method, "mask": protocol.mask, "noise_sigma": protocol.noise_sigma}
    wanted |= {"num_coils": num_coils}
    for entry in files.read_json(path)["entries"]:
        if all(entry[key] == value for key, value in wanted.items()):
            return entry["parameters"]
    return {}


def timed(method: Callable, data: Acquired) -> tuple[np.ndarray, dict[str, float]]:
    """Reconstruct; how the solver ended (NaN without one), and seconds of a second call: the first one of a shape compiles."""
    jax.block_until_ready(method(*data))
    start = time.perf_counter()
    cine, iterations, residual, converged = reconstruct(method, data)
    estimate = np.asarray(cine)
    seconds = time.perf_counter() - start
    stopped = isinstance(method, Iterative) and method.stopped_early
    converged = np.nan if stopped or not np.isfinite(iterations) else float(converged)
    ended = {"iterations": iterations, "residual": residual, "converged": converged}
    return estimate, ended | {"seconds": seconds}
