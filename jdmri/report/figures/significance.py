"""Figures of significance: mean ranks with a critical difference, and all pairs as matrix and graph."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from jdmri.report.figures.distributions import (
    BLUE,
    PALE,
    box,
    spoken,
)
from jdmri.report.tables.pairs import check_names, omnibus
from jdmri.statistics.many_methods import Comparison

_ORANGE = "#D55E00"
_STARS = (1, 1 / 5, 1 / 50)  # of alpha: .05, .01, .001
_SHADES = ("white", PALE, "#A9CBE2", "#6BA6CD")  # by number of stars; black is legible on all
_STEP = 0.4  # height of a line of a critical-difference diagram


def critical_difference(comparison: Comparison, names: Sequence[str]) -> Figure:
    """Draw mean ranks on a line, best to the right; bars join what Nemenyi's test does not tell apart.

    The diagram of Demšar (JMLR 2006, Fig. 1). Where the comparison is refused, or has two methods and hence
    no such test, the points and a sentence.

    Args:
        comparison: of `jdmri.statistics.many_methods.compare_many`.
        names: of its methods, in its order.

    Raises:
        InputError: not one name a method.
    """
    check_names(comparison, names)
    if comparison.nemenyi is None:
        return _points(comparison, names)
    ranks, critical = comparison.mean_ranks, comparison.nemenyi.critical_difference
    groups = _cliques(ranks, critical)
    top = 0.5 + _STEP * len(groups)
    bottom = top + _STEP * ((len(names) + 1) // 2)
    figure = Figure(figsize=(7.5, 0.62 * (bottom + 2.4)), layout="constrained")
    axis = figure.subplots()
    _draw_scale(axis, len(names), critical)
    for level, (low, high) in enumerate(groups):
        height = -0.45 - _STEP * level
        axis.plot([low - 0.04, high + 0.04], [height] * 2, color=_ORANGE, linewidth=4)
    _draw_names(axis, ranks, names, top)
    axis.set(xlim=(len(names), 1), ylim=(-bottom, 1.6))
    axis.set_axis_off()
    axis.set_title(_summary(comparison), fontsize=9)
    return figure


def pair_graph(comparison: Comparison, names: Sequence[str]) -> Figure:
    """Draw p after Holm for every pair, and the graph whose arrows lead to the better of a significant pair.

    After Fig. 5 of Ghodrati et al. (QIMS 2019); where the comparison is refused, the points and a sentence.

    Args:
        comparison: of `jdmri.statistics.many_methods.compare_many`.
        names: of its methods, in its order.

    Raises:
        InputError: not one name a method.
    """
    check_names(comparison, names)
    if comparison.refused:
        return _points(comparison, names)
    size = max(3.6, 0.55 * len(names) + 0.8)
    figure = Figure(figsize=(2 * size + 2.4, size + 0.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_matrix(left, comparison, names)
    _draw_graph(right, comparison, names)
    figure.suptitle(_summary(comparison), fontsize=9)
    return figure


def _points(comparison: Comparison, names: Sequence[str]) -> Figure:
    """Show all points and say why there is no test between them."""
    said = comparison.refused
    if said is None:
        p = comparison.pairs[0].test.p
        said = f"Two methods have no critical difference; Wilcoxon signed-rank test: p = {p:.2g}."
    return box(comparison.values, names, "score", remark=said)


def _cliques(ranks: np.ndarray, critical: float) -> list[tuple[float, float]]:
    """Find the longest runs of mean ranks that lie within less than the critical difference."""
    ordered, groups, reached = np.sort(ranks), [], 0
    for start, low in enumerate(ordered):
        end = int(np.searchsorted(ordered, low + critical)) - 1
        if end > max(start, reached):
            groups.append((float(low), float(ordered[end])))
            reached = end
    return groups


def _draw_scale(axis: Axes, num_methods: int, critical: float) -> None:
    axis.plot([1, num_methods], [0, 0], color="black", linewidth=1.2)
    for rank in range(1, num_methods + 1):
        axis.plot([rank, rank], [0, 0.14], color="black", linewidth=1.2)
        axis.text(rank, 0.2, str(rank), ha="center", va="bottom", fontsize=9)
    axis.text(1, 0.75, "mean rank, 1 is best", ha="right", va="bottom", fontsize=9)
    ends = [num_methods, num_methods - critical]
    axis.plot(ends, [1, 1], "|-", color="black", markersize=7, clip_on=False)
    axis.text(np.mean(ends), 1.12, f"CD = {critical:.2f}", ha="center", va="bottom", fontsize=9)


def _draw_names(axis: Axes, ranks: np.ndarray, names: Sequence[str], top: float) -> None:
    """Lead a line from each mean rank to its name: the worse half to the left, the others to the right."""
    order, k = np.argsort(-ranks, kind="stable"), len(names)
    half = (k + 1) // 2
    for side, methods in ((0, order[:half]), (1, order[half:][::-1])):
        edge = 1 - 0.03 * k if side else k + 0.03 * k
        for line, method in enumerate(methods):
            height, rank = -top - _STEP * line, ranks[method]
            lines = ([rank, rank, edge], [0, height, height])
            axis.plot(*lines, color="black", linewidth=0.9, clip_on=False)
            text = (f"{rank:.2f}  {{}}" if side else f"{{}}  {rank:.2f}").format(
                spoken(names[method])
            )
            align = {"ha": "left" if side else "right", "va": "center"}
            axis.text(edge + (-0.01 if side else 0.01) * k, height, text, fontsize=10, **align)


def _draw_matrix(axis: Axes, comparison: Comparison, names: Sequence[str]) -> None:
    """Shade and print p below a diagonal that carries the names of the columns."""
    k = len(names)
    marks = np.full((k, k), np.nan)
    for pair in comparison.pairs:
        stars = sum(pair.p_holm <= level * comparison.alpha for level in _STARS)
        marks[pair.second, pair.first] = stars
        text = "<0.001" if pair.p_holm < 0.001 else f"{pair.p_holm:.3f}"
        text = f"{text}\n{'*' * stars}".strip()
        axis.text(pair.first, pair.second, text, ha="center", va="center", fontsize=8)
    axis.imshow(marks, cmap=ListedColormap(_SHADES), vmin=0, vmax=len(_SHADES) - 1)
    for column, name in enumerate(names[:-1]):
        axis.text(column - 0.45, column + 0.4, spoken(name), va="bottom", fontsize=9)
    axis.set(xlim=(-0.5, max(k, 4) - 0.5), ylim=(max(k, 4) - 0.5, -0.5), xticks=[])
    axis.set_yticks(range(1, k), [spoken(name) for name in names[1:]], fontsize=9)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    levels = [f"{'*' * i} p ≤ {comparison.alpha * s:.3g}" for i, s in enumerate(_STARS, 1)]
    axis.set_title(f"p of Wilcoxon's test after Holm\n{',  '.join(levels)}", fontsize=9)


def _draw_graph(axis: Axes, comparison: Comparison, names: Sequence[str]) -> None:
    """Set the methods in a circle, clockwise from the top, mean ranks inside; arrows point to the better."""
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(names)) / len(names)
    x, y = np.cos(angles), np.sin(angles)
    arrow = {"arrowstyle": "-|>", "color": _ORANGE, "linewidth": 1.4, "shrinkA": 15, "shrinkB": 15}
    for better, worse in comparison.significant:
        axis.annotate("", (x[better], y[better]), (x[worse], y[worse]), arrowprops=arrow)
    axis.scatter(x, y, s=700, color=PALE, edgecolors=BLUE, linewidths=1.4, zorder=3)
    for i, name in enumerate(names):
        inside = {"ha": "center", "va": "center", "fontsize": 8.5, "zorder": 4}
        axis.text(x[i], y[i], f"{comparison.mean_ranks[i]:.2f}", **inside)
        beside = {"textcoords": "offset points", "va": "center", "fontsize": 9.5}
        beside["ha"] = "center" if abs(x[i]) < 0.1 else "left" if x[i] > 0 else "right"
        axis.annotate(spoken(name), (x[i], y[i]), (19 * x[i], 23 * y[i]), **beside)
    axis.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
    axis.set_axis_off()
    found = "arrows lead to the better" if comparison.significant else "no significant pair"
    axis.set_title(f"Mean ranks, 1 is best; {found}", fontsize=9, pad=22)


def _summary(comparison: Comparison) -> str:
    """The tests in one or two lines, Nemenyi's on its own."""
    return f"{omnibus(comparison)}; α = {comparison.alpha:g}".replace("; Nemenyi", "\nNemenyi")
