"""Figures of the scores of several methods: every subject is visible.

Colours are those of Okabe and Ito, and no meaning rests on colour alone.
"""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jdmri.errors import InputError
from jdmri.statistics.describe import finite_subjects

BLUE, PALE, GREY = "#0072B2", "#DCE9F3", "0.45"
_MIN_BOX = 6  # subjects; quartiles of fewer say nothing


def box(values: np.ndarray, names: Sequence[str], ylabel: str, *, remark: str = "") -> Figure:
    """Draw a box (for fewer than six subjects the median) and all subjects' points for each method.

    Args:
        values: ``[subject, method]``; subjects with a score that is not finite are left out.
        names: of the methods.
        ylabel: metric and unit.
        remark: a sentence to stand below.

    Raises:
        InputError: not one name a column.
    """
    kept = _checked(values, names)
    figure, axis = _canvas(len(names))
    _draw_boxes(axis, kept)
    _label(axis, names, ylabel, len(kept))
    if remark:
        figure.supxlabel(textwrap.fill(remark, int(14 * figure.get_figwidth())), fontsize=9)
    return figure


def paired(values: np.ndarray, names: Sequence[str], ylabel: str) -> Figure:
    """Draw a line for each subject across the methods, and the median in bold.

    Args:
        values: ``[subject, method]``; subjects with a score that is not finite are left out.
        names: of the methods.
        ylabel: metric and unit.

    Raises:
        InputError: not one name a column.
    """
    kept = _checked(values, names)
    figure, axis = _canvas(len(names))
    if len(kept):
        positions = np.arange(1, len(names) + 1)
        alpha = float(np.clip(12 / len(kept), 0.15, 0.7))  # many lines would be one black area
        axis.plot(positions, kept.T, "o-", color=GREY, alpha=alpha, linewidth=0.9, markersize=3)
        median = np.median(kept, axis=0)
        axis.plot(positions, median, "s-", color=BLUE, linewidth=2.4, markersize=6, label="median")
        axis.legend(frameon=False, fontsize=9)
    _label(axis, names, ylabel, len(kept))
    return figure


def spoken(name: str) -> str:
    """Write a method's name as a label."""
    return name.replace("_", " ")


def _checked(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise InputError(
            f"The figure needs an array [subject, method] with one column for each of {len(names)} names, got "
            f"shape {values.shape}; give the scores of all methods side by side."
        )
    return finite_subjects(values)[0]


def _canvas(num_methods: int) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(float(np.clip(num_methods + 1.5, 4.5, 10)), 4), layout="constrained")
    return figure, figure.subplots()


def _draw_boxes(axis: Axes, values: np.ndarray) -> None:
    if not len(values):
        return
    has_box = len(values) >= _MIN_BOX
    style = {"boxprops": {"facecolor": PALE, "edgecolor": BLUE}, "showfliers": False}
    style |= {"medianprops": {"color": BLUE, "linewidth": 2.2}, "widths": 0.55, "capwidths": 0.2}
    style |= {"showbox": has_box, "showcaps": has_box, "whiskerprops": {"linewidth": has_box}}
    axis.boxplot(values, patch_artist=True, **style)
    jitter = np.random.default_rng(0).uniform(-0.16, 0.16, values.shape)
    opacity = float(np.clip(25 / len(values), 0.2, 0.8))
    positions = np.arange(1, values.shape[1] + 1) + jitter
    axis.plot(positions, values, "o", color="black", alpha=opacity, markersize=3.2, mew=0, zorder=3)


def _label(axis: Axes, names: Sequence[str], ylabel: str, num_subjects: int) -> None:
    axis.set_xticks(np.arange(1, len(names) + 1))
    is_long = max(map(len, names)) * len(names) > 11 * min(len(names) + 1.5, 10)
    turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if is_long else {}
    axis.set_xticklabels([spoken(name) for name in names], fontsize=10, **turned)
    axis.set_xlim(0.5, len(names) + 0.5)
    axis.set_ylabel(ylabel, fontsize=11)
    axis.set_title(f"n = {num_subjects} subjects", fontsize=9)
    axis.grid(axis="y", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
