"""Curves of tuned methods: objective and PSNR of each iteration, far beyond where their residual stops them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from jdmri.classical import METHODS, Minimiser
from jdmri.data.acquisition import Acquisition
from jdmri.data.records import SeriesLike
from jdmri.evaluation.protocol import Protocol
from jdmri.report.figures import cines, solver_curves
from jdmri.training.step import magnitude_psnr

_BEYOND = 3  # times as many iterations as the method took


def draw(
    entries: Sequence[Mapping[str, Any]],
    conditions: Sequence[tuple[Protocol, Acquisition]],
    one: SeriesLike,
    folder: Path,
) -> list[Path]:
    """Draw one figure for each mask.

    Args:
        entries: of the table of `tune.tune`.
        conditions: what was tuned for, one a mask.
        one: the series to reconstruct.
        folder: for ``convergence-R<acceleration>-<kind>.png``.

    Returns:
        The files.
    """
    paths = []
    for protocol, acquisition in conditions:
        mine = [entry for entry in entries if entry["mask"] == protocol.mask]
        measured = dict(_curves(mine, acquisition, one, cyclic=protocol.data["cyclic"]))
        if measured:
            kind = "per-frame" if protocol.mask["per_frame"] else "shared"
            name = f"R{protocol.mask['acceleration']:g}-{kind}"
            paths.append(folder / f"convergence-{name}.png")
            title = f"{one.name}, {name.replace('-', ' ', 1)} masks; dots: stopped by the residual"
            cines.save(solver_curves.curves(measured, title=title), paths[-1])
    return paths


def _curves(
    entries: Sequence[Mapping[str, Any]], acquisition: Acquisition, one: SeriesLike, *, cyclic: bool
) -> Iterator[tuple[str, solver_curves.Curve]]:
    """Run each method that minimises an objective."""
    acquired, reference = acquisition.simulate(one)
    cine = jnp.asarray(reference.cine)
    psnr = lambda estimate: magnitude_psnr(estimate, cine)
    for entry in entries:
        section = {"name": entry["method"], **entry["parameters"]}
        method = METHODS.build(section, cyclic=cyclic)
        if isinstance(method, Minimiser):
            stopped = int(method.solve(*acquired).iterations)
            found = method.trace(*acquired, num_iterations=_BEYOND * stopped, measure=psnr)
            yield entry["method"], solver_curves.Curve(*map(np.asarray, found), stopped)
