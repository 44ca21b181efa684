"""The findings of a reader study as text and as numbers."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from jdmri.report.tables.pairs import pairs_text
from jdmri.report.tables.results import aligned
from jdmri.statistics.describe import Description, describe
from jdmri.statistics.many_methods import Comparison
from jdmri.studies.reading.criteria import CRITERIA
from jdmri.studies.reading.judgements import Judgements

UNIT = "subject: ranks and scores are averaged over readers, then over the cases of a subject; repeats do not count"  # fmt: skip


def table(study: str, found: Judgements, comparison: Comparison, agreed: Mapping[str, Any]) -> str:
    """Say who ranked what how, which methods differ, and how far readers agree.

    Args:
        study: its id.
        found: the unblinded answers.
        comparison: of the mean ranks.
        agreed: of `jdmri.studies.reading.agreement.describe`.
    """
    head = (
        f"Reader study {study}: {_count(len(found.readers), 'reader')}, {_count(len(found.first), 'case')} of "
        f"{_count(len(found.subjects), 'subject')}, {len(found.repeated)} shown twice; "
        f""
        f"ranks as given (1 is best) and scores (1 to 5), mean ± SD over subjects; the tests rank subjects anew."
    )
    columns = ["method", "rank", "first", *(c.title.lower() for c in CRITERIA)]
    described = _describe(found)
    rows = [
        [method, _cell(d["rank"]), f"{100 * _first(found, method):.0f} %", *(_cell(d[c.name]) for c in CRITERIA)]
        for method, d in sorted(described.items(), key=lambda item: item[1]["rank"].mean)
    ]  # fmt: skip
    tests = pairs_text(comparison, found.methods).rstrip()
    return "\n".join([head, *aligned([columns, *rows]), "", tests, "", _agreement(agreed)])


def numbers(
    study: str, found: Judgements, comparison: Comparison, agreed: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the content of ``statistics.json``; arguments as in `table`."""
    described = {
        method: {name: dataclasses.asdict(d) for name, d in cells.items()}
        | {"share_of_rank_1": _first(found, method)}
        for method, cells in _describe(found).items()
    }
    friedman = comparison.friedman and dataclasses.asdict(comparison.friedman)
    return _plain(
        {
            "study": study,
            "unit": UNIT,
            "readers": found.readers,
            "num_cases": len(found.first),
            "num_subjects": len(found.subjects),
            "criteria": {c.name: c.meaning for c in CRITERIA},
            "methods": described,
            "friedman": friedman,
            "pairs": [
                {"a": found.methods[p.first], "b": found.methods[p.second], "p_holm": p.p_holm}
                | dataclasses.asdict(p.test)
                for p in comparison.pairs
            ],
            "significant": [[found.methods[i] for i in pair] for pair in comparison.significant],
            "alpha": comparison.alpha,
            "refused": comparison.refused,
            "agreement": agreed,
        }
    )


def _describe(found: Judgements) -> dict[str, dict[str, Description]]:
    """Method → ``rank`` or criterion → its spread over subjects."""
    ranks, scores = found.by_subject(found.ranks), found.by_subject(found.scores)
    return {
        method: {"rank": describe(ranks[:, m, None])}
        | {c.name: describe(scores[:, m, i, None]) for i, c in enumerate(CRITERIA)}
        for m, method in enumerate(found.methods)
    }


def _first(found: Judgements, method: str) -> float:
    return float(np.mean(found.given[:, found.first, found.methods.index(method)] == 1))


def _agreement(agreed: Mapping[str, Any]) -> str:
    between = agreed["between"]["kendall_w"]
    alone = len(agreed["within"]) == 1
    said = "there is one" if alone else f"Kendall's W {_number(between)}, mean over cases"
    words = [f"Agreement between readers: {said}."]
    if agreed["num_repeated"]:
        each = [
            f"{reader} Spearman's ρ {_number(d['spearman'])}, weighted κ {_number(d['weighted_kappa'])}"
            for reader, d in agreed["within"].items()
        ]
        words.append(
            f"Within readers, over {_count(agreed['num_repeated'], 'repeated case')}: {'; '.join(each)}."
        )
    return "\n".join(words)


def _cell(value: Description) -> str:
    return f"{value.mean:.2f}" + ("" if value.std is None else f" ± {value.std:.2f}")


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _plain(value: Any) -> Any:
    """Turn what is not finite, an F without limit, into null for JSON."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
