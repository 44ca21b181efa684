"""How well readers agree with each other, and with themselves."""

from typing import Any

import numpy as np
from scipy import stats

from jdmri.studies.reading.judgements import Judgements


def kendall_w(ranks: np.ndarray) -> float | None:
    """Kendall's coefficient of concordance with the correction for ties (Siegel and Castellan 1988).

    W = 12 S / (m² (k³ − k) − m Σ (t³ − t)): 1 if all readers rank alike, near 0 if each ranks for himself.

    Args:
        ranks: ``[reader, method]``; ties are given their mean rank.

    Returns:
        W; None for fewer than two readers or if everybody ties everything.
    """
    ranks = stats.rankdata(ranks, axis=-1)
    num_readers, num_methods = ranks.shape
    ties = sum(float(t**3 - t) for row in ranks for t in np.unique(row, return_counts=True)[1])
    most = num_readers**2 * (num_methods**3 - num_methods) - num_readers * ties
    if num_readers < 2 or most <= 0:
        return None
    sums = ranks.sum(axis=0)
    return float(12 * np.sum((sums - sums.mean()) ** 2) / most)


def weighted_kappa(first: np.ndarray, second: np.ndarray) -> float | None:
    """Cohen's kappa with quadratic weights (Cohen 1968) of two sets of scores.

    Args:
        first: scores ``[item]``.
        second: of the same items.

    Returns:
        1 minus the mean squared difference over the one that chance gives; None if nothing varies.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    chance = np.mean((first[:, None] - second) ** 2)
    return float(1 - np.mean((first - second) ** 2) / chance) if chance else None


def spearman(first: np.ndarray, second: np.ndarray) -> float | None:
    """Correlate two rankings ``[method]``; None if one of them ties everything."""
    first, second = stats.rankdata(first), stats.rankdata(second)
    if not (np.ptp(first) and np.ptp(second)):
        return None
    return float(np.corrcoef(first, second)[0, 1])


def describe(judgements: Judgements) -> dict[str, Any]:
    """Compute agreement between readers over the first presentations, and within readers over the repeats.

    Returns:
        ``between``: the mean of Kendall's W over cases; ``within``: for each reader the mean of
        Spearman's ρ of both rankings over repeated cases, and the weighted κ of all their scores.
    """
    concordance = [kendall_w(judgements.ranks[:, i]) for i in judgements.first]
    pairs = judgements.repeated
    return {
        "between": {"kendall_w": _mean(concordance), "num_cases": len(judgements.first)},
        "within": {name: _within(judgements, r) for r, name in enumerate(judgements.readers)},
        "num_repeated": len(pairs),
    }


def _within(judgements: Judgements, reader: int) -> dict[str, float | None]:
    given, scores, pairs = judgements.given[reader], judgements.scores[reader], judgements.repeated
    if not pairs:
        return {"spearman": None, "weighted_kappa": None}
    first, second = map(list, zip(*pairs, strict=True))
    return {
        "spearman": _mean([spearman(given[i], given[j]) for i, j in pairs]),
        "weighted_kappa": weighted_kappa(scores[first].ravel(), scores[second].ravel()),
    }


def _mean(values: list[float | None]) -> float | None:
    defined = [v for v in values if v is not None]
    return float(np.mean(defined)) if defined else None
