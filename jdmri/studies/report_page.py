"""The page of a study."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from jdmri.report import page
from jdmri.report.tables import pairs, results
from jdmri.report.tables.results import ResultTable
from jdmri.statistics.many_methods import Comparison
from jdmri.studies import sentences
from jdmri.studies.collect import Scores
from jdmri.studies.runs import Study
from jdmri.studies.showcase import showcase


def build(
    study: Study,
    folder: Path,
    scores: Scores,
    table: ResultTable,
    comparisons: Mapping[str, Comparison],
    drawn: Mapping[str, Figure],
) -> page.Page:
    """Gather the page: sentences, players, tables, figures, protocols.

    Args:
        study: with all of its runs.
        folder: of the study.
        scores: of its finished runs.
        table: of the results.
        comparisons: metric → comparison of the variants.
        drawn: the study's figures by name.
    """
    main = comparisons.get(study.metric)
    head, *body = _csv_rows(results.to_csv(table))
    shown = [page.Table("All numbers", head, body, table.legend)]
    rows = [
        [name, *(results.cell(table, name, m) for m in table.metrics), *table.texts(name)]
        for name in table.rows
    ]
    shown.insert(0, page.Table("Results", ["method", *table.metrics, *table.headings], rows, table.legend))  # fmt: skip
    for metric, comparison in comparisons.items():
        head, *body = _csv_rows(pairs.pairs_csv(comparison, scores.trained))
        said = comparison.refused or pairs.omnibus(comparison)
        shown.append(page.Table(f"Pairs: {metric}", head, body, said))
    if comparisons:
        shown.append(_normality(comparisons, scores.trained))
    captions = {"box": "All subjects", "paired": "The same subjects across variants", "critical_difference": "Mean ranks and Nemenyi's critical difference", "pairs": "Significant pairs"}  # fmt: skip
    notes = {p["note"] for p in scores.protocols.values() if p["note"]}
    return page.Page(
        title=study.question,
        sentences=[
            sentences.finding(main, scores.trained, study.metric),
            sentences.protocol_sentence(scores, len(study.seeds)),
            *scores.remarks,
        ],
        views=showcase(study.runs, folder, scores, study.metric),
        tables=shown,
        figures={captions[name]: figure for name, figure in drawn.items()},
        card={"protocols": scores.protocols, "study": study.settings},
        note=" ".join(sorted(notes)),
    )


def _normality(comparisons: Mapping[str, Comparison], names: Sequence[str]) -> page.Table:
    """Whether the scores could be normal, as S3 reports it; the tests here do not assume it."""
    said = lambda n: n.reason or f"W = {n.statistic:.3f}, p = {n.p:.2g}"
    rows = [
        [name, *(said(comparison.normality[i]) for comparison in comparisons.values())]
        for i, name in enumerate(names)
    ]
    note = "Of the subjects' scores; those of the paired differences are in the tables of pairs."
    return page.Table("Shapiro–Wilk", ["variant", *comparisons], rows, note)


def _csv_rows(text: str) -> list[list[str]]:
    shorten = lambda cell: f"{float(cell):.4g}" if _is_long(cell) else cell
    return [[shorten(cell) for cell in row] for row in csv.reader(text.splitlines())]


def _is_long(cell: str) -> bool:
    try:
        return len(cell) > 6 and math.isfinite(float(cell))
    except ValueError:
        return False
