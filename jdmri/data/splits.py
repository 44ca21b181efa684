"""Splits by subject: no subject is ever on two sides."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import skimage.transform

from jdmri.data.records import Dataset, SeriesLike
from jdmri.errors import InputError
from jdmri.runtime.registry import Registry

SPLITS = Registry("split")
PARTS = ("train", "validation", "test")
Split = Callable[[Dataset], dict[str, tuple[SeriesLike, ...]]]
_LOOK = 16  # pixels a side, to compare series


@SPLITS.register("holdout")
def holdout(*, ratios: Sequence[float] = (4, 1, 2), seed: int = 0, stratify: str = "") -> Split:
    """Divide the subjects once.

    Shares are rounded by largest remainder: 4:1:2 of 200 subjects gives 114/29/57.

    Args:
        ratios: shares of training, validation and test; 0 leaves a part empty on purpose.
        seed: of the permutation of subjects.
        stratify: a field of `Series.metadata` whose values every part holds in like shares; "": none.

    Raises:
        InputError: wrong ratios; later, for a data set, if a part with a share would be empty.
    """
    if len(ratios) != len(PARTS) or min(ratios) < 0 or sum(ratios) <= 0:
        raise InputError(
            f"ratios needs three numbers >= 0 (train, validation, test), got {ratios}."
        )

    def split(dataset: Dataset) -> dict[str, tuple[SeriesLike, ...]]:
        order = _shuffled_subjects(dataset, seed, stratify)
        counts = _largest_remainder(len(order), ratios)
        for part, ratio, count in zip(PARTS, ratios, counts, strict=True):
            if ratio > 0 and count == 0:
                raise InputError(
                    f"{len(order)} subject(s) split {':'.join(f'{r:g}' for r in ratios)} leave the {part} "
                    f"split empty; add subjects, change ratios, or set its share to 0."
                )
        bounds = np.cumsum(counts)[:-1]
        return _parts(dataset, *(part.tolist() for part in np.split(np.array(order), bounds)))

    return split


@SPLITS.register("kfold")
def kfold(
    *, num_folds: int, fold: int, seed: int = 0, stratify: str = "", validation: float = 0.2
) -> Split:
    """Test each subject in exactly one of ``num_folds`` folds.

    Args:
        num_folds: 2 or more; 0 leaves one subject out in each fold.
        fold: which one is the test split, from 0.
        seed: of the permutation of subjects.
        stratify: a field of `Series.metadata` whose values every fold holds in like shares; "": none.
        validation: share of the other subjects on which the checkpoint is chosen, at least one; 0: none.

    Raises:
        InputError: impossible numbers; later, for a data set, if it has too few subjects.
    """
    if num_folds < 0 or num_folds == 1 or fold < 0 or not 0 <= validation < 1:
        raise InputError(
            f"a k-fold split needs num_folds >= 2 (or 0), fold >= 0 and 0 <= validation < 1; "
            f"got {num_folds}, {fold}, {validation:g}."
        )

    def split(dataset: Dataset) -> dict[str, tuple[SeriesLike, ...]]:
        order = _shuffled_subjects(dataset, seed, stratify)
        folds = num_folds or len(order)
        if fold >= folds or len(order) < max(folds, 3):
            raise InputError(
                f"fold {fold} of {folds} of {len(order)} subjects does not exist, or leaves a part empty."
            )
        blocks = [block.tolist() for block in np.array_split(np.array(order), folds)]
        rest = list(itertools.chain(*blocks[fold + 1 :], *blocks[:fold]))
        held_out = min(max(round(validation * len(rest)), 1), len(rest) - 1) if validation else 0
        return _parts(dataset, rest[held_out:], rest[:held_out], blocks[fold])

    return split


def _parts(dataset: Dataset, *subjects: Sequence[str]) -> dict[str, tuple[SeriesLike, ...]]:
    return {
        part: tuple(s for s in dataset.series if s.subject in set(chosen))
        for part, chosen in zip(PARTS, subjects, strict=True)
    }


def _shuffled_subjects(dataset: Dataset, seed: int, stratify: str) -> list[str]:
    """Shuffle such that every run of consecutive subjects holds each stratum's share."""
    subjects = sorted({s.subject for s in dataset.series})
    shuffled = [subjects[i] for i in np.random.default_rng(seed).permutation(len(subjects))]
    strata = _strata(dataset, stratify)
    members: dict[str, list[str]] = {}
    for subject in shuffled:
        members.setdefault(strata[subject], []).append(subject)
    place = {
        subject: (i + 0.5) / len(group)
        for group in members.values()
        for i, subject in enumerate(group)
    }
    return sorted(shuffled, key=place.__getitem__)


def _strata(dataset: Dataset, field: str) -> dict[str, str]:
    """Map each subject to its value of ``field``.

    Raises:
        InputError: a series lacks the field, or the series of a subject differ in it.
    """
    strata: dict[str, str] = {}
    for one in dataset.series:
        if field and field not in one.metadata:
            known = ", ".join(sorted(one.metadata)) or "nothing"
            raise InputError(
                f"stratify={field!r}: series {one.name} does not say; known of it: {known}."
            )
        value = one.metadata[field] if field else ""
        if strata.setdefault(one.subject, value) != value:
            raise InputError(
                f"stratify={field!r}: subject {one.subject} has two values, {strata[one.subject]} and {value}."
            )
    return strata


def most_diverse(series: Sequence[SeriesLike], count: int) -> tuple[SeriesLike, ...]:
    """Choose series that look least alike: the first, then always the one farthest from those chosen.

    The distance is Euclidean between temporal means of the magnitude, reduced to 16×16 and scaled to
    unit norm. S3 chose its 2,000 diverse training images without saying how.

    Args:
        series: at least one, of any shapes.
        count: how many; 0, or more than there are, gives all.
    """
    if not 0 < count < len(series):
        return tuple(series)
    looks = np.stack([_look(s.load().cine) for s in series])
    chosen, distance = [0], np.linalg.norm(looks - looks[0], axis=1)
    while len(chosen) < count:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(looks - looks[chosen[-1]], axis=1))
    return tuple(series[i] for i in sorted(chosen))


def _look(cine: np.ndarray) -> np.ndarray:
    """Mean magnitude over frames, reduced, of unit norm."""
    mean = np.abs(cine).mean(axis=0)
    small = skimage.transform.resize(mean, (_LOOK, _LOOK), anti_aliasing=True).ravel()
    return small / (np.linalg.norm(small) + 1e-30)


def _largest_remainder(total: int, ratios: Sequence[float]) -> list[int]:
    exact = [total * r / sum(ratios) for r in ratios]
    counts = [int(e) for e in exact]
    by_remainder = sorted(range(len(ratios)), key=lambda i: counts[i] - exact[i])
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return counts
