"""How often each method got each rank."""

import numpy as np
from matplotlib.figure import Figure

from jdmri.report.figures.distributions import BLUE, spoken
from jdmri.studies.reading.judgements import Judgements

_COLUMNS = 5


def rank_histogram(judgements: Judgements) -> Figure:
    """Draw the share of each rank, a panel a method, best mean rank first (S3, Fig. 5A).

    Ranks are counted as readers gave them, over readers and cases; repeats do not count.
    """
    given = judgements.given[:, judgements.first]
    means = judgements.ranks[:, judgements.first].mean(axis=(0, 1))
    num_methods = len(means)
    columns = min(num_methods, _COLUMNS)
    rows = -(-num_methods // columns)
    figure = Figure(figsize=(2.1 * columns + 0.6, 2.5 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    places = np.arange(1, num_methods + 1)
    for axis, method in zip(axes.flat, np.argsort(means, kind="stable"), strict=False):
        share = 100 * np.mean(given[..., method].ravel() == places[:, None], axis=1)
        bars = axis.bar(places, share, color=BLUE, width=0.8)
        axis.bar_label(bars, [f"{s:.0f}" if s else "" for s in share], fontsize=8, padding=1)
        axis.set_title(f"{spoken(judgements.methods[method])}\nmean {means[method]:.2f}", fontsize=10)  # fmt: skip
        axis.set_xticks(places)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[num_methods:]:
        axis.set_axis_off()
    axes[0, 0].set_ylim(0, 108)
    figure.supxlabel("rank, 1 is best", fontsize=10)
    figure.supylabel("share of rankings (%)", fontsize=10)
    title = f"{len(judgements.readers)} reader(s), {len(judgements.first)} cases"
    figure.suptitle(title, fontsize=10)
    return figure
