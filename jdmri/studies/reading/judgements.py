"""Answers unblinded: arrays over readers, presentations and methods."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from jdmri.studies.reading.answers import Answer
from jdmri.studies.reading.blinding import Presentation
from jdmri.studies.reading.criteria import CRITERIA
from jdmri.studies.reading.key import Key


class Judgements(NamedTuple):
    """All answers of a study.

    Attributes:
        readers: names.
        methods: names.
        shown: what was presented; repeats among them.
        given: ranks as given, int ``[reader, presentation, method]``.
        scores: int ``[reader, presentation, method, criterion]``.
    """

    readers: list[str]
    methods: list[str]
    shown: list[Presentation]
    given: np.ndarray
    scores: np.ndarray

    @property
    def ranks(self) -> np.ndarray:
        """Ranks that add up to the same in every case: candidates that share one get the mean of theirs."""
        return stats.rankdata(self.given, axis=-1)

    @property
    def first(self) -> list[int]:
        """Presentations that count: those of the first time."""
        return [i for i, one in enumerate(self.shown) if not one.repeat]

    @property
    def repeated(self) -> list[tuple[int, int]]:
        """Presentations of one case, first and second time."""
        index = {(one.case, one.repeat): i for i, one in enumerate(self.shown)}
        return [(index[case, 0], i) for (case, repeat), i in index.items() if repeat]

    @property
    def subjects(self) -> list[str]:
        """Names, sorted."""
        return sorted({one.subject for one in self.shown})

    def by_subject(self, values: np.ndarray) -> np.ndarray:
        """Average over readers, then over the cases of a subject; repeats do not count.

        Args:
            values: ``[reader, presentation, …]``.

        Returns:
            ``[subject, …]``, in the order of `subjects`.
        """
        mean = values.mean(axis=0)
        cases = {s: [i for i in self.first if self.shown[i].subject == s] for s in self.subjects}
        return np.stack([mean[indices].mean(axis=0) for indices in cases.values()])


def unblind(key: Key, answers: Sequence[Answer]) -> Judgements:
    """Sort complete answers by reader, presentation and method."""
    readers, methods = sorted({a.reader for a in answers}), key.methods
    index = {(p.case, p.repeat): i for i, p in enumerate(key.presentations)}
    given = np.zeros((len(readers), len(index), len(methods)), int)
    scores = np.zeros((*given.shape, len(CRITERIA)), int)
    for answer in answers:
        i = index[answer.case, answer.repeat]
        method = key.presentations[i].letters[answer.letter]
        place = readers.index(answer.reader), i, methods.index(method)
        given[place], scores[place] = answer.rank, answer.scores
    return Judgements(readers, methods, key.presentations, given, scores)
