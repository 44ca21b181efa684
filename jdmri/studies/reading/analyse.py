"""From the readers' answers to what they say about the methods."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jdmri.report.figures import cines, significance
from jdmri.report.tables.results import csv_text
from jdmri.runtime import files
from jdmri.statistics.many_methods import Comparison, compare_many
from jdmri.studies.reading import (
    agreement,
    answers,
    findings,
    histogram,
    judgements,
    key,
)
from jdmri.studies.reading.answers import Answer
from jdmri.studies.reading.criteria import CRITERIA
from jdmri.studies.reading.judgements import Judgements
from jdmri.studies.reading.key import Key

FOLDER = "analysis"


@dataclasses.dataclass(frozen=True)
class Result:
    """What a reader study found.

    Attributes:
        folder: where the tables and figures are.
        judgements: the unblinded answers.
        comparison: of the methods' mean ranks, over subjects.
        agreement: between and within readers.
        table: for the terminal.
    """

    folder: Path
    judgements: Judgements
    comparison: Comparison
    agreement: dict[str, Any]
    table: str


def analyse(folder: Path, paths: Sequence[Path]) -> Result:
    """Unblind, compare, and write ``analysis/``.

    Ranks are averaged over readers, then over the cases of a subject, which is the unit of the tests;
    cases shown a second time only tell how well readers agree with themselves.

    Args:
        folder: of the study.
        paths: the readers' CSV files.

    Raises:
        InputError: there is no study, or a file cannot be used.
    """
    secret = key.read(folder)
    rows = answers.read_all(paths, secret)
    found = judgements.unblind(secret, rows)
    comparison = compare_many(found.by_subject(found.ranks), higher_is_better=False)
    agreed = agreement.describe(found)
    result = Result(
        folder / FOLDER, found, comparison, agreed, findings.table(secret.study, found, comparison, agreed)
    )  # fmt: skip
    _write(result, secret, rows)
    return result


def evaluate_answers(folder: Path, paths: Sequence[Path]) -> str:
    """Analyse, and return the text for the terminal.

    Raises:
        InputError: see `analyse`.
    """
    result = analyse(folder, paths)
    return f"{result.table}\n\nEverything is in {result.folder}."


def _write(result: Result, secret: Key, rows: Sequence[Answer]) -> None:
    found, folder = result.judgements, result.folder
    cines.save(histogram.rank_histogram(found), folder / "rank_histogram.png")
    graph = significance.pair_graph(result.comparison, found.methods)
    cines.save(graph, folder / "pair_graph.png")
    _write_csv(folder / "ranks.csv", _rank_rows(found))
    _write_csv(folder / "scores.csv", _score_rows(secret, rows))
    summary = findings.numbers(secret.study, found, result.comparison, result.agreement)
    files.write_json(folder / "statistics.json", summary)


def _rank_rows(found: Judgements) -> list[Sequence]:
    """Mean rank over readers of each case and method, in the order of names."""
    mean = found.ranks.mean(axis=0)
    rows = [
        (found.shown[i].name, found.shown[i].subject, method, f"{mean[i, m]:.4f}")
        for i in found.first
        for m, method in enumerate(found.methods)
    ]
    return [("case", "subject", "method", "mean_rank"), *sorted(rows)]


def _score_rows(secret: Key, rows: Sequence[Answer]) -> list[Sequence]:
    """Every answer with its names."""
    shown = {(p.case, p.repeat): p for p in secret.presentations}
    head = ("reader", "case", "subject", "repeat", "method", "rank")
    lines = [(*head, *(c.name for c in CRITERIA), "comment", "seconds")]
    for row in rows:
        one = shown[row.case, row.repeat]
        names = (row.reader, one.name, one.subject, row.repeat, one.letters[row.letter])
        lines.append((*names, row.rank, *row.scores, row.comment, row.seconds))
    return lines


def _write_csv(path: Path, lines: Sequence[Sequence]) -> None:
    text = csv_text(lines)
    files.write_atomic(path, lambda temporary: temporary.write_text(text, "utf-8"))
