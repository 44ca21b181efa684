"""How the methods without training approach their minima: objective and PSNR against iteration."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure


class Curve(NamedTuple):
    """One method on one series: ``objective [iteration]``, ``psnr [iteration]`` in dB, and where its residual stopped it."""

    objective: np.ndarray
    psnr: np.ndarray
    stopped: int


def curves(measured: Mapping[str, Curve], *, title: str) -> Figure:
    """Draw the distance of each objective from its lowest value, and the PSNR; a dot marks where the residual stops the method.

    Args:
        measured: by method.
        title: what was reconstructed.
    """
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, (objective, psnr, stopped) in measured.items():
        iteration = np.arange(1, len(objective) + 1)
        lowest = objective.min()
        above = np.maximum(objective / lowest - 1, 1e-9)
        (line,) = left.loglog(iteration, above, label=name, linewidth=1.2)
        right.semilogx(iteration, psnr, color=line.get_color(), linewidth=1.2)
        for axis, values in ((left, above), (right, psnr)):
            axis.plot(stopped, values[stopped - 1], "o", color=line.get_color(), markersize=4)
    left.set(xlabel="iteration", ylabel="objective / lowest − 1", ylim=(1e-8, None))
    right.set(xlabel="iteration", ylabel="PSNR (dB)")
    left.legend(fontsize=8)
    for axis in (left, right):
        axis.grid(alpha=0.3)
    figure.suptitle(title, fontsize=10)
    return figure
