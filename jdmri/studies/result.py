"""The outcome of a study: table, pairs, statistics, figures, LaTeX and page, from its finished runs."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jdmri import metrics
from jdmri.errors import InputError
from jdmri.report import page
from jdmri.report.figures import cines, distributions, significance
from jdmri.report.tables import latex, pairs, results
from jdmri.report.tables.results import ResultTable
from jdmri.runtime import files
from jdmri.statistics.describe import describe, seed_spread
from jdmri.statistics.many_methods import Comparison, compare_many, significantly_best
from jdmri.studies import report_page, sentences
from jdmri.studies.collect import Scores, collect
from jdmri.studies.runs import Study


def report(study: Study, folder: Path, failed: Mapping[str, str]) -> str:
    """Write everything that a study ends with into ``folder``.

    Args:
        study: with all of its runs.
        folder: of the study.
        failed: runs that failed in this call, and why.

    Returns:
        Table, pairs and remarks as text.

    Raises:
        InputError: no variant is complete, or a wanted metric was not measured.
    """
    scores = collect(study.runs, folder, failed)
    if scores is None:
        raise InputError(
            f"no variant of the study in {folder} has all its runs; see the lines above."
        )
    _check_metrics(study, scores)
    comparisons = _compare(scores, study.metrics)
    note = " ".join(
        [study.question, sentences.protocol_sentence(scores, len(study.seeds)), *scores.remarks]
    )
    table = _table(study, scores, note)
    main = comparisons.get(study.metric)
    drawn = _figures(scores, study.metric, main)
    text = _text(study, scores, table, main)
    _write_tables(folder, table, scores, comparisons)
    for name, figure in drawn.items():
        for suffix in ("png", "pdf"):
            cines.save(figure, folder / "figures" / f"{name}.{suffix}")
    files.write_json(folder / "statistics.json", _plain({"note": note, "metrics": comparisons}))
    content = report_page.build(study, folder, scores, table, comparisons, drawn)
    page.write(folder / "report.html", content)
    return text


def _check_metrics(study: Study, scores: Scores) -> None:
    known = scores.rows[scores.trained[0]]
    missing = [m for m in (study.metric, *study.metrics) if m not in known]
    if missing:
        raise InputError(
            f"the study wants {', '.join(missing)}, but its runs measured {', '.join(known)}; "
            f"change --study.metrics, or base.metrics in a new study."
        )


def _compare(scores: Scores, names: Sequence[str]) -> dict[str, Comparison]:
    """Compare the variants; methods without training are rows of the table, not of the tests."""
    if len(scores.trained) < 2:
        return {}
    return {
        m: compare_many(
            scores.matrix(scores.trained, m), higher_is_better=metrics.facts(m).higher_is_better
        )
        for m in names
    }


def _table(study: Study, scores: Scores, note: str) -> ResultTable:
    rows, seeds, extra = {}, {}, {}
    for row in scores.rows:
        rows[row] = {m: describe(scores.by_subject(row, m)) for m in study.metrics}
        interval = rows[row][study.metric].interval
        if interval:
            low, high = (results.number(study.metric, x) for x in interval)
            extra[row] = {f"{study.metric} 95 % interval": f"[{low}, {high}]"}
        if row in scores.trained:
            spread = {m: seed_spread(scores.array(row, m)[..., None]) for m in study.metrics}
            seeds[row] = {m: None if s.over_seeds is None else float(s.over_seeds[0]) for m, s in spread.items()}  # fmt: skip
        times = np.median(scores.array(row, "seconds"))
        extra.setdefault(row, {})["s/series"] = results.number("seconds", float(times))
    return ResultTable(study.metrics, rows, seeds, extra, note)


def _figures(scores: Scores, metric: str, comparison: Comparison | None) -> dict[str, Any]:
    label = metrics.label(metric)
    everything = list(scores.rows)
    drawn = {
        "box": distributions.box(scores.matrix(everything, metric), everything, label),
        "paired": distributions.paired(
            scores.matrix(scores.trained, metric), scores.trained, label
        ),
    }
    if comparison is not None:
        drawn["critical_difference"] = significance.critical_difference(comparison, scores.trained)
        drawn["pairs"] = significance.pair_graph(comparison, scores.trained)
    return drawn


def _text(study: Study, scores: Scores, table: ResultTable, comparison: Comparison | None) -> str:
    parts = [results.to_text(table)]
    if comparison is not None:
        parts.append(pairs.pairs_text(comparison, scores.trained))
    return "\n".join([*parts, sentences.finding(comparison, scores.trained, study.metric)])


def _write_tables(folder, table, scores: Scores, comparisons: Mapping[str, Comparison]) -> None:
    best = {}
    for metric, comparison in comparisons.items():
        column = significantly_best(comparison)
        best[metric] = None if column is None else scores.trained[column]
        _write(folder / f"pairs_{metric}.csv", pairs.pairs_csv(comparison, scores.trained))
    _write(folder / "table.csv", results.to_csv(table))
    _write(folder / "table.tex", latex.to_latex(table, best=best))


def _write(path: Path, text: str) -> None:
    files.write_atomic(path, lambda temporary: temporary.write_text(text))


def _plain(value: Any) -> Any:
    """Turn dataclasses and arrays into what JSON can hold."""
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(v) for v in value]
    if isinstance(value, (np.floating, float)):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
