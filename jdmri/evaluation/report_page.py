"""The page of an evaluation: players, table with its statistics, curves, and the card."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jdmri import metrics
from jdmri.report import page
from jdmri.report.figures import cines, distributions
from jdmri.report.page import Page, Table, View
from jdmri.report.tables import pairs
from jdmri.report.tables.results import number
from jdmri.statistics.describe import describe
from jdmri.statistics.many_methods import compare_many

METRIC = "psnr"  # of figures and tests, or the first metric that was measured


def write(
    path: Path,
    title: str,
    result: Mapping[str, Any],
    rows: Sequence[Mapping],
    views: Sequence[View],
    records: Sequence[Mapping],
    card: Mapping[str, Any],
) -> None:
    """Write ``report.html``.

    Args:
        path: of the page.
        title: of the page.
        result: the content of ``summary.json``.
        rows: of ``series.csv``.
        views: the shown series.
        records: of ``metrics.jsonl``.
        card: the content of ``card.json``.
    """
    about, names = result["protocol"], list(result["methods"])
    measured = [m for m in result["methods"][names[0]] if m != "seconds"]
    metric = METRIC if METRIC in measured else measured[0]
    values = _by_subject(rows, names, metric)
    comparison = compare_many(values, higher_is_better=metrics.facts(metric).higher_is_better) if len(names) > 1 else None  # fmt: skip
    label = metrics.label(metric)
    drawn = {
        "All subjects": distributions.box(values, names, label),
        "The same subjects across methods": distributions.paired(values, names, label),
        "Training": cines.loss_curves(records),
    }
    tables = [_scores(rows, names, measured)]
    if comparison is not None:
        tables.append(_pairs(comparison, names, metric))
    content = Page(
        title, _sentences(about), views, tables, drawn, card, note=about.get("note") or ""
    )
    page.write(path, content)


def _by_subject(rows: Sequence[Mapping], names: Sequence[str], metric: str) -> np.ndarray:
    """``[subject, method]``, averaged over the subject's series."""
    subjects = list(dict.fromkeys(r["subject"] for r in rows))
    scores: dict[tuple, list[float]] = {(s, m): [] for s in subjects for m in names}
    for row in rows:
        if row["method"] in names:
            scores[row["subject"], row["method"]].append(row[metric])
    return np.array([[np.mean(scores[s, m]) for m in names] for s in subjects])


def _scores(rows: Sequence[Mapping], names: Sequence[str], measured: Sequence[str]) -> Table:
    body = []
    for name in names:
        described = [describe(_by_subject(rows, [name], metric)) for metric in measured]
        cells = [
            f"{number(m, d.mean)} ± {number(m, d.std)}" for m, d in zip(measured, described, strict=True)
        ]  # fmt: skip
        low, high = described[0].interval or (None, None)
        interval = f"[{number(measured[0], low)}, {number(measured[0], high)}]"
        seconds = float(np.median([r["seconds"] for r in rows if r["method"] == name]))
        body.append([name, *cells, interval, number("seconds", seconds)])
    header = ["method", *measured, f"{measured[0]}, 95 % interval of the mean", "s/series"]
    note = "Mean ± SD over subjects; the interval by bootstrap over subjects."
    return Table("Results", header, body, note)


def _pairs(comparison, names: Sequence[str], metric: str) -> Table:
    header = ["a", "b", "p (Holm)", "a − b (Hodges–Lehmann)", "interval", "rank-biserial r"]
    body = [
        [
            names[pair.first],
            names[pair.second],
            f"{pair.p_holm:.2g}",
            f"{pair.test.difference:.4g}",
            "[{:.4g}, {:.4g}]".format(*pair.test.interval),
            f"{pair.test.rank_biserial:.2f}",
        ]
        for pair in comparison.pairs
    ]
    said = comparison.refused or pairs.omnibus(comparison)
    note = f"{said}. Wilcoxon signed-rank test, Holm over all pairs; one training seed."
    return Table(f"Pairs: {metric}", header, body, note)


def _sentences(about: Mapping[str, Any]) -> list[str]:
    return [
        f"{about['num_series']} series of {about['num_subjects']} subjects ({about['data']}, {about['split']}), "
        f"{about['mask']['name']} mask, true R {about['true_acceleration']:.2f} with "
        f"{about['true_num_center_lines']:g} centre lines, noise σ {about['noise_sigma']:g} of bright tissue.",
        "Shown are the three series with the lowest PSNR of the model, and the median one.",
    ]
