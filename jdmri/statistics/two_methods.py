"""Two methods on the same subjects: Wilcoxon's signed-rank test and what goes with it."""

import dataclasses
import itertools

import numpy as np
from scipy import stats

from jdmri.errors import InputError
from jdmri.statistics.describe import Normality, finite_subjects, normality

_DIGITS = 12  # of a score; beyond them two differences count as tied
_MAX_EXACT = 50  # pairs, as in scipy for those without ties


@dataclasses.dataclass(frozen=True)
class TwoSample:
    """Paired comparison of method a with method b; positive numbers say that a scores higher.

    Attributes:
        n: pairs, those of equal scores (zeros) included.
        statistic: Wilcoxon's W, the smaller of the two rank sums, zeros ranked as Pratt does.
        p: two-sided; None where refused.
        method: how p was computed.
        difference: Hodges-Lehmann estimate, the median of the Walsh averages of a - b.
        interval: its 1 - alpha interval from the signed-rank distribution; None where refused.
        rank_biserial: (R⁺ - R⁻) / (n (n + 1) / 2), in [-1, 1]; zeros favour neither side.
        normality: of the differences.
        num_zeros: pairs of equal scores.
        num_ties: other differences whose size occurs more than once.
        num_removed: pairs with a score that is not finite.
        refused: why there is no p, in one sentence.
    """

    n: int
    statistic: float | None
    p: float | None
    method: str | None
    difference: float | None
    interval: tuple[float, float] | None
    rank_biserial: float | None
    normality: Normality
    num_zeros: int
    num_ties: int
    num_removed: int
    refused: str | None


def compare_two(a: np.ndarray, b: np.ndarray, *, alpha: float = 0.05) -> TwoSample:
    """Compare two methods on the same subjects with Wilcoxon's signed-rank test.

    Zeros are ranked, then dropped (Pratt 1959). p is exact for up to 50 pairs, zeros and ties included
    (where scipy approximates or visits every sign change, which takes a second a pair), then the normal
    approximation of scipy.

    Args:
        a: scores of one method ``[subject]``.
        b: of the other, the same subjects in the same order.
        alpha: level of the test; the interval is that of 1 - alpha.

    Raises:
        InputError: arrays that are not vectors of one length, or an ``alpha`` outside (0, 1).
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise InputError(
            f"A paired comparison needs two arrays [subject] of one length, got shapes {a.shape} and {b.shape}; "
            f"give both methods' scores of the same subjects in the same order."
        )
    pairs, removed = finite_subjects(np.stack([a, b], axis=1))
    d = _differences(pairs)
    refused = refusal(len(d), 1, alpha)
    statistic, p, method = _wilcoxon(d)
    counts = np.unique(np.abs(d[d != 0]), return_counts=True)[1]
    return TwoSample(
        n=len(d),
        statistic=statistic,
        p=None if refused else p,
        method=None if refused else method,
        difference=float(np.median(_walsh_averages(d))) if d.size else None,
        interval=None if refused else _hodges_lehmann_interval(d, alpha),
        rank_biserial=_rank_biserial(d) if d.size else None,
        normality=normality(d),
        num_zeros=int(np.sum(d == 0)),
        num_ties=int(counts[counts > 1].sum()),
        num_removed=removed,
        refused=refused,
    )


def smallest_p(n: int) -> float:
    """Return the smallest two-sided p that the exact Wilcoxon test of ``n`` pairs can give, 2 / 2ⁿ."""
    return min(1.0, 2.0 ** (1 - n))


def needed_subjects(num_pairs: int, alpha: float = 0.05) -> int:
    """Return the fewest subjects with which Holm's strictest step, alpha / num_pairs, can be reached.

    Args:
        num_pairs: comparisons that share alpha.
        alpha: family-wise level.

    Raises:
        InputError: fewer than one pair, or an ``alpha`` outside (0, 1).
    """
    if num_pairs < 1 or not 0 < alpha < 1:
        raise InputError(
            f"The number of subjects needs num_pairs >= 1 and 0 < alpha < 1, got {num_pairs} and {alpha}; "
            f"give e.g. 10 and 0.05."
        )
    return next(n for n in itertools.count(1) if smallest_p(n) * num_pairs <= alpha)


def refusal(n: int, num_pairs: int, alpha: float) -> str | None:
    """Say why ``n`` subjects cannot decide ``num_pairs`` comparisons; None if they can."""
    needed = needed_subjects(num_pairs, alpha)
    if n >= needed:
        return None
    return (
        f"Not compared: {num_pairs} paired comparison(s) at level {alpha:g} need at least {needed} subjects, "
        f"there are {n} (smallest attainable p {min(1.0, num_pairs * smallest_p(n)):.2g} after Holm)."
    )


def _differences(pairs: np.ndarray) -> np.ndarray:
    """Subtract; 0.768 - 0.763 and 0.936 - 0.931 are to tie although float64 tells them apart."""
    scale = np.abs(pairs).max(initial=0.0) or 1.0
    return np.round((pairs[:, 0] - pairs[:, 1]) / scale, _DIGITS) * scale


def _wilcoxon(d: np.ndarray) -> tuple[float | None, float | None, str | None]:
    """W, p and the method by which p was computed."""
    if not d.size:
        return None, None, None
    ranks, positive = stats.rankdata(np.abs(d)), d > 0
    statistic = float(min(ranks[positive].sum(), ranks[d < 0].sum()))
    if len(d) > _MAX_EXACT and d.any():
        result = stats.wilcoxon(d, zero_method="pratt", method="asymptotic")
        return statistic, float(result.pvalue), "normal approximation"
    # Ranks of ties are halves, so twice the ranks are whole.
    doubled = np.rint(2 * ranks).astype(int)
    probabilities = _rank_sum_probabilities(doubled[d != 0])
    seen = doubled[positive].sum()
    tails = probabilities[: seen + 1].sum(), probabilities[seen:].sum()
    return statistic, min(1.0, 2 * float(min(tails))), "exact"


def _rank_biserial(d: np.ndarray) -> float:
    """Kerby 2014: share of the ranks in favour minus share against."""
    ranks = stats.rankdata(np.abs(d))
    return float(np.sum(np.sign(d) * ranks) / ranks.sum())


def _walsh_averages(d: np.ndarray) -> np.ndarray:
    """All (d_i + d_j) / 2 with i <= j."""
    i, j = np.triu_indices(len(d))
    return (d[i] + d[j]) / 2


def _hodges_lehmann_interval(d: np.ndarray, alpha: float) -> tuple[float, float]:
    """Hollander and Wolfe 1999, §3.3: the C-th smallest and the C-th largest Walsh average.

    C = 1 + the largest t with P(T⁺ <= t) <= alpha / 2; with zeros or ties the interval is wider than
    need be.
    """
    averages = np.sort(_walsh_averages(d))
    below = int(np.sum(np.cumsum(_rank_sum_probabilities(np.arange(1, len(d) + 1))) <= alpha / 2))
    rank = max(below, 1)
    return float(averages[rank - 1]), float(averages[-rank])


def _rank_sum_probabilities(ranks: np.ndarray) -> np.ndarray:
    """P(T = t) of a sum in which each rank counts or does not, as a coin falls (Streitberg and Röhmel 1986)."""
    probabilities = np.ones(1)
    for rank in ranks:
        skipped, counted = np.pad(probabilities, (0, rank)), np.pad(probabilities, (rank, 0))
        probabilities = (skipped + counted) / 2
    return probabilities
