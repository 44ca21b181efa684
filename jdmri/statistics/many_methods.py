"""Several methods on the same subjects: ranks, omnibus tests, and all pairs."""

import dataclasses
import itertools

import numpy as np
from scipy import special, stats

from jdmri.errors import InputError
from jdmri.statistics.describe import Normality, finite_subjects, normality
from jdmri.statistics.two_methods import TwoSample, compare_two, refusal


@dataclasses.dataclass(frozen=True)
class Friedman:
    """Friedman's test, corrected for ties, and Iman and Davenport's F, which is less conservative.

    Attributes:
        chi2: Friedman's χ²_F.
        df: its degrees of freedom, k - 1.
        p: of χ².
        f: F_F = (n - 1) χ²_F / (n (k - 1) - χ²_F).
        f_df: its degrees of freedom, k - 1 and (k - 1) (n - 1).
        f_p: of F.
    """

    chi2: float
    df: int
    p: float
    f: float
    f_df: tuple[int, int]
    f_p: float


@dataclasses.dataclass(frozen=True)
class Nemenyi:
    """Nemenyi's post-hoc test: mean ranks that lie a critical difference apart differ.

    Attributes:
        critical_difference: in ranks, q_alpha √(k (k + 1) / 6n).
        p: symmetric ``[method, method]``, 1 on the diagonal.
    """

    critical_difference: float
    p: np.ndarray


@dataclasses.dataclass(frozen=True)
class Pair:
    """Methods ``first`` and ``second`` (columns), their test, and p after Holm over all pairs."""

    first: int
    second: int
    test: TwoSample
    p_holm: float


@dataclasses.dataclass(frozen=True)
class Comparison:
    """All that is said about k methods on one metric; tests are empty where refused.

    Attributes:
        values: the scores it rests on ``[subject, method]``.
        higher_is_better: direction of the metric.
        alpha: family-wise level.
        mean_ranks: ``[method]``, 1 is best; NaN without subjects.
        normality: of each method's scores.
        friedman: None for two methods.
        nemenyi: None for two methods.
        pairs: every two methods once.
        significant: (better, worse) columns whose p after Holm is at most alpha.
        num_removed: subjects with a score that is not finite.
        refused: why nothing is tested, in one sentence.
    """

    values: np.ndarray
    higher_is_better: bool
    alpha: float
    mean_ranks: np.ndarray
    normality: tuple[Normality, ...]
    friedman: Friedman | None
    nemenyi: Nemenyi | None
    pairs: tuple[Pair, ...]
    significant: tuple[tuple[int, int], ...]
    num_removed: int
    refused: str | None

    @property
    def n(self) -> int:
        """Subjects compared."""
        return len(self.values)


def compare_many(
    values: np.ndarray, *, higher_is_better: bool = True, alpha: float = 0.05
) -> Comparison:
    """Compare k methods on the same subjects.

    Friedman, Iman-Davenport and Nemenyi as Demšar (JMLR 2006) recommends, and Wilcoxon for every pair with
    Holm's correction, which holds the family-wise level by itself, whatever the omnibus test says.

    Args:
        values: ``[subject, method]``.
        higher_is_better: whether rank 1 goes to the largest score.
        alpha: family-wise level.

    Raises:
        InputError: no such matrix, fewer than two methods, or an ``alpha`` outside (0, 1).
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise InputError(
            f"A comparison needs an array [subject, method] of at least two methods, got shape {values.shape}; "
            f"stack one column a method."
        )
    kept, removed = finite_subjects(values)
    n, k = kept.shape
    ranks = stats.rankdata(-kept if higher_is_better else kept, axis=1)
    mean_ranks = ranks.mean(axis=0) if n else np.full(k, np.nan)
    refused = refusal(n, k * (k - 1) // 2, alpha)
    tested, ranked = not refused, not refused and k > 2
    pairs = _all_pairs(kept, alpha) if tested else ()
    return Comparison(
        values=kept,
        higher_is_better=higher_is_better,
        alpha=alpha,
        mean_ranks=mean_ranks,
        normality=tuple(normality(column) for column in kept.T),
        friedman=_friedman(kept) if ranked else None,
        nemenyi=_nemenyi(mean_ranks, n, alpha) if ranked else None,
        pairs=pairs,
        significant=tuple(_ordered(p, higher_is_better) for p in pairs if p.p_holm <= alpha),
        num_removed=removed,
        refused=refused,
    )


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values for their number (Holm 1979): running maximum of (m - i) p_(i), at most 1.

    Args:
        p: ``[test]``.
    """
    order = np.argsort(p)
    steps = np.sort(p) * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def significantly_best(comparison: Comparison) -> int | None:
    """Return the column that is better than every other after Holm; None if there is no such."""
    beaten = [winner for winner, _ in comparison.significant]
    others = comparison.values.shape[1] - 1
    return next((w for w in beaten if beaten.count(w) == others), None)


def _all_pairs(values: np.ndarray, alpha: float) -> tuple[Pair, ...]:
    columns = list(itertools.combinations(range(values.shape[1]), 2))
    tests = [compare_two(values[:, i], values[:, j], alpha=alpha) for i, j in columns]
    adjusted = holm(np.array([test.p for test in tests]))
    return tuple(
        Pair(i, j, test, float(p)) for (i, j), test, p in zip(columns, tests, adjusted, strict=True)
    )


def _ordered(pair: Pair, higher_is_better: bool) -> tuple[int, int]:
    first_wins = (pair.test.rank_biserial > 0) == higher_is_better
    return (pair.first, pair.second) if first_wins else (pair.second, pair.first)


def _friedman(values: np.ndarray) -> Friedman:
    n, k = values.shape
    if np.all(np.ptp(values, axis=1) == 0):  # nothing but ties, which scipy answers with NaN
        chi2, p = 0.0, 1.0
    else:
        chi2, p = map(float, stats.friedmanchisquare(*values.T))
    return Friedman(chi2, k - 1, p, *_iman_davenport(chi2, n, k))


def _iman_davenport(chi2: float, n: int, k: int) -> tuple[float, tuple[int, int], float]:
    """F, its degrees of freedom, p; all subjects agreeing has p = (1 / k!)^(n-1) (Conover 1999, §5.8)."""
    df = (k - 1, (k - 1) * (n - 1))
    left = n * (k - 1) - chi2
    if left <= 1e-9 * n * k:
        return np.inf, df, float(np.exp((1 - n) * special.gammaln(k + 1)))
    f = (n - 1) * chi2 / left
    return f, df, float(stats.f.sf(f, *df))


def _nemenyi(mean_ranks: np.ndarray, n: int, alpha: float) -> Nemenyi:
    """Demšar 2006, §3.2.2: q is the studentized range at infinite degrees of freedom over √2."""
    k = len(mean_ranks)
    unit = np.sqrt(k * (k + 1) / (6 * n)) / np.sqrt(2)
    distance = np.abs(mean_ranks[:, None] - mean_ranks) / unit
    p = np.clip(stats.studentized_range.sf(distance, k, np.inf), 0, 1)
    return Nemenyi(float(unit * stats.studentized_range.ppf(1 - alpha, k, np.inf)), p)
