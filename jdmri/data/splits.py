"""Splits by subject: no subject is ever on two sides."""

from collections.abc import Sequence

import numpy as np

from jdmri.data.series import Dataset, Series
from jdmri.errors import InputError

PARTS = ("train", "validation", "test")


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


def _largest_remainder(total: int, ratios: Sequence[float]) -> list[int]:
    exact = [total * r / sum(ratios) for r in ratios]
    counts = [int(e) for e in exact]
    by_remainder = sorted(range(len(ratios)), key=lambda i: counts[i] - exact[i])
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return counts
