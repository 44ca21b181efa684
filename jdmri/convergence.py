"""Curves of tuned methods: objective and PSNR of each iteration, far beyond where their residual stops them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from jdmri.classical import METHODS, Minimiser
from jdmri.data.acquisition import load, simulate
from jdmri.data.records import SeriesLike
from jdmri.report.figures import cines, convergence
from jdmri.training.step import magnitude_psnr

_BEYOND = 3  # times as many iterations as the method took


def draw(
    entries: Sequence[Mapping[str, Any]], runs: Sequence[ConfigDict], one: SeriesLike, folder: Path
) -> list[Path]:
    """Draw one figure for each mask.

    Args:
        entries: of the table of `tuning.tune`.
        runs: one run's config for each mask.
        one: the series to reconstruct.
        folder: for ``convergence-R<acceleration>-<kind>.png``.

    Returns:
        The files.
    """
    paths = []
    for run in runs:
        measured = dict(_curves(entries, run, one))
        if measured:
            kind = "per-frame" if run.mask.per_frame else "shared"
            name = f"R{run.mask.acceleration:g}-{kind}"
            paths.append(folder / f"convergence-{name}.png")
            title = f"{one.name}, {name.replace('-', ' ', 1)} masks; dots: stopped by the residual"
            cines.save(convergence.curves(measured, title=title), paths[-1])
    return paths


def _curves(
    entries: Sequence[Mapping[str, Any]], run: ConfigDict, one: SeriesLike
) -> Iterator[tuple[str, convergence.Curve]]:
    """Run each method that minimises an objective."""
    acquired, reference = simulate(load(one, run), run)
    cine = jnp.asarray(reference.cine)
    psnr = lambda estimate: magnitude_psnr(estimate, cine)
    for entry in entries:
        if entry["mask"] != run.mask.to_dict():
            continue
        section = {"name": entry["method"], **entry["parameters"]}
        method = METHODS.build(section, cyclic=run.data.cyclic)
        if isinstance(method, Minimiser):
            stopped = int(method.solve(*acquired).iterations)
            found = method.trace(*acquired, num_iterations=_BEYOND * stopped, measure=psnr)
            yield entry["method"], convergence.Curve(*map(np.asarray, found), stopped)
