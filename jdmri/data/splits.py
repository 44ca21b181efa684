"""Splits by subject: no subject is ever on two sides."""

from collections.abc import Sequence

import numpy as np
import skimage.transform

from jdmri.data.series import Dataset, Series
from jdmri.errors import InputError

PARTS = ("train", "validation", "test")
_LOOK = 16  # pixels a side, to compare series


def split(
    dataset: Dataset, *, ratios: Sequence[float] = (4, 1, 2), seed: int = 0
) -> dict[str, tuple[Series, ...]]:
    """Divide a data set into training, validation and test subjects.

    Shares are rounded by largest remainder: 4:1:2 of 200 subjects gives 114/29/57.

    Args:
        dataset: with named subjects.
        ratios: shares of training, validation and test; 0 leaves a part empty on purpose.
        seed: of the permutation of subjects.

    Raises:
        InputError: wrong ratios, or a part with a share would be empty.
    """
    if len(ratios) != len(PARTS) or min(ratios) < 0 or sum(ratios) <= 0:
        raise InputError(
            f"data.ratios needs three numbers >= 0 (train, validation, test), got {ratios}."
        )
    subjects = sorted({s.subject for s in dataset.series})
    counts = _largest_remainder(len(subjects), ratios)
    for part, ratio, count in zip(PARTS, ratios, counts, strict=True):
        if ratio > 0 and count == 0:
            raise InputError(
                f"{len(subjects)} subject(s) split {':'.join(f'{r:g}' for r in ratios)} leave the {part} "
                f"split empty; add subjects, change --config.data.ratios, or set its share to 0."
            )
    order = np.random.default_rng(seed).permutation(len(subjects))
    parts, start = {}, 0
    for part, count in zip(PARTS, counts, strict=True):
        chosen = {subjects[i] for i in order[start : start + count]}
        parts[part] = tuple(s for s in dataset.series if s.subject in chosen)
        start += count
    return parts


def most_diverse(series: Sequence[Series], count: int) -> tuple[Series, ...]:
    """Choose series that look least alike: the first, then always the one farthest from those chosen.

    The distance is Euclidean between temporal means of the magnitude, reduced to 16×16 and scaled to
    unit norm. S3 chose its 2,000 diverse training images without saying how.

    Args:
        series: at least one, of any shapes.
        count: how many; 0, or more than there are, gives all.
    """
    if not 0 < count < len(series):
        return tuple(series)
    looks = np.stack([_look(s.cine) for s in series])
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
