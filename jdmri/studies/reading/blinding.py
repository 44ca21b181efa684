"""Who is A, B, C… where: the order of cases, of candidates, and what comes twice."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jdmri.studies.reading.case import Case

REPEATED = 0.1  # of the cases, to measure how well a reader agrees with himself
MIN_CASES = 5  # below it none is repeated
LETTERS = "ABCDEFGHI"


class Presentation(NamedTuple):
    """One screen of the study.

    Attributes:
        case: its number in the page, from 1 in the order of showing.
        repeat: 0 the first time, 1 the second.
        name: of the series.
        subject: whose it is.
        letters: letter → method, in the order of showing.
    """

    case: int
    repeat: int
    name: str
    subject: str
    letters: dict[str, str]


def plan(cases: Sequence[Case], rng: np.random.Generator) -> list[Presentation]:
    """Draw the order of cases and candidates.

    A repeated case is one of the first half; it comes back in the last third with its letters dealt
    anew, so that it is not remembered.
    """
    shown = []
    for number, i in enumerate(rng.permutation(len(cases)), 1):
        letters = _deal(sorted(cases[i].candidates), rng)
        shown.append(Presentation(number, 0, cases[i].name, cases[i].subject, letters))
    for i in rng.choice(max(len(cases) // 2, 1), num_repeats(len(cases)), replace=False):
        again = shown[i]._replace(repeat=1, letters=_deal_anew(shown[i].letters, rng))
        earliest = len(shown) - len(cases) // 3
        shown.insert(int(rng.integers(earliest, len(shown) + 1)), again)
    return shown


def num_repeats(num_cases: int) -> int:
    """Count the cases that come twice."""
    return max(1, round(REPEATED * num_cases)) if num_cases >= MIN_CASES else 0


def _deal(methods: Sequence[str], rng: np.random.Generator) -> dict[str, str]:
    order = rng.permutation(len(methods))
    return {letter: methods[i] for letter, i in zip(LETTERS, order, strict=False)}


def _deal_anew(letters: dict[str, str], rng: np.random.Generator) -> dict[str, str]:
    """Deal until the order differs."""
    methods = sorted(letters.values())
    while (again := _deal(methods, rng)) == letters:
        pass
    return again
