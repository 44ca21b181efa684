"""From the finished runs of a study to scores that may be compared."""

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jdmri.evaluation.methods import MODEL
from jdmri.runtime import files
from jdmri.studies.runs import Run

_IDENTITY = ("series", "subject", "method")
_CONDUCT = {"seconds", "iterations", "residual", "converged"}  # columns that are no scores
Values = dict[int, dict[str, dict[str, float]]]  # seed → subject → series → score


@dataclasses.dataclass
class Scores:
    """The scores of all rows of a table.

    Attributes:
        rows: row → metric → seed → subject → series → score.
        trained: the rows that are variants, in the study's order; the others need no training.
        subjects: those that every row was tested on.
        remarks: what was left out, and why; one sentence each.
        protocols: variant → the protocol of its first run.
    """

    rows: dict[str, dict[str, Values]]
    trained: list[str]
    subjects: list[str]
    remarks: list[str]
    protocols: dict[str, dict]

    def by_subject(self, row: str, metric: str) -> list[np.ndarray]:
        """Return one array a subject: its series' scores, averaged over seeds."""
        seeds = self.rows[row][metric]
        scores = lambda subject: [list(seeds[s][subject].values()) for s in seeds]
        return [np.mean(scores(subject), axis=0) for subject in self.subjects]

    def array(self, row: str, metric: str) -> np.ndarray:
        """Return ``[seed, subject]``, averaged over a subject's series."""
        seeds = self.rows[row][metric]
        mean = lambda scores: np.mean(list(scores.values()))
        return np.array([[mean(seeds[s][one]) for one in self.subjects] for s in seeds])

    def matrix(self, rows: Sequence[str], metric: str) -> np.ndarray:
        """Return ``[subject, row]``, averaged over series and seeds."""
        return np.stack([self.array(row, metric).mean(axis=0) for row in rows], axis=1)


def collect(
    runs: Sequence[Run], folder: Path, failed: Mapping[str, str] | None = None
) -> Scores | None:
    """Read the scores of every variant whose runs are all finished, on equal test sets.

    Args:
        runs: of the whole study.
        folder: of the study.
        failed: runs that failed here, and why.

    Returns:
        The scores; None where no variant is complete.
    """
    scores = Scores({}, [], [], [], {})
    without: dict[str, dict[str, dict[str, Values]]] = {}  # method → variant → metric
    wanted: list | None = None
    for variant in dict.fromkeys(run.variant for run in runs):
        own = [run for run in runs if run.variant == variant]
        missing = [run.name for run in own if not run.is_finished(folder)]
        if missing:
            scores.remarks.append(_why_missing(variant, missing, failed or {}))
            continue
        methods, tested = _read(own, folder)
        wanted = tested if wanted is None else wanted
        if tested != wanted:
            scores.remarks.append(
                f"{variant} is left out: it was tested on other series than {scores.trained[0]}."
            )
            continue
        scores.rows[variant] = methods.pop(MODEL)
        scores.trained.append(variant)
        scores.protocols[variant] = _protocol(own[0], folder)
        if note := scores.protocols[variant]["note"]:
            scores.remarks.append(f"{variant}: {note}.")
        for method, values in methods.items():
            without.setdefault(method, {})[variant] = values
    if not scores.trained:
        return None
    scores.rows = _without_training(without) | scores.rows
    first = next(iter(scores.rows[scores.trained[0]].values()))
    scores.subjects = sorted(next(iter(first.values())))
    return scores


def _why_missing(variant: str, missing: Sequence[str], failed: Mapping[str, str]) -> str:
    reasons = {failed[name] for name in missing if name in failed}
    told = (
        f"failed: {' '.join(sorted(reasons))}" if reasons else f"not finished: {', '.join(missing)}"
    )
    return f"{variant} is left out: {told}"


def _read(runs: Sequence[Run], folder: Path) -> tuple[dict[str, dict[str, Values]], list]:
    """Read ``series.csv`` of a variant's runs: method → metric → seed → subject → scores, and the test sets."""
    methods: dict[str, dict[str, Values]] = {}
    tested = []
    for run in runs:
        with (run.workdir(folder) / "evaluation" / "test" / "series.csv").open(newline="") as file:
            records = list(csv.DictReader(file))
        tested.append((run.seed, run.fold, sorted({(r["subject"], r["series"]) for r in records})))
        for record in records:
            for metric in [k for k in record if k not in _IDENTITY]:
                seeds = methods.setdefault(record["method"], {}).setdefault(metric, {})
                subjects = seeds.setdefault(run.seed, {})
                one = subjects.setdefault(record["subject"], {})
                one[record["series"]] = float(record[metric])
    return methods, tested


def _protocol(run: Run, folder: Path) -> dict:
    return files.read_json(run.workdir(folder) / "evaluation" / "test" / "summary.json")["protocol"]


def _without_training(methods: Mapping[str, Mapping[str, dict[str, Values]]]) -> dict:
    """One row a method where all variants see the same data, else one for each that differs."""
    rows = {}
    for method, variants in methods.items():
        groups: list[tuple[list[str], dict[str, Values]]] = []
        for variant, values in variants.items():
            same = [g for g in groups if _equal(g[1], values)]
            if same:
                same[0][0].append(variant)
            else:
                groups.append(([variant], values))
        for names, values in groups:
            rows[method if len(groups) == 1 else f"{method} ({', '.join(names)})"] = values
    return rows


def _equal(a: dict[str, Values], b: dict[str, Values]) -> bool:
    """Whether two sets of scores agree to rounding; times never do, nor need the ends of solvers."""
    scores = lambda v: sorted(set(v) - _CONDUCT)
    flat = lambda v: np.array(
        [
            x
            for m in scores(v)
            for seed in v[m].values()
            for s in sorted(seed)
            for x in seed[s].values()
        ]
    )
    return scores(a) == scores(b) and np.allclose(flat(a), flat(b), rtol=1e-4, equal_nan=True)
