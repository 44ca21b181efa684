"""Statistics of one method, with the subject as the unit.

Scores are plain arrays, one number a subject: its mean over series and, where there are any, over
training seeds. A subject with a score that is not finite is left out for every method, and the results
say how many were.
"""

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np
from scipy import stats

from jdmri.errors import InputError

_LEVEL = 0.95
_ROUNDING = 1e-12  # relative; values that differ by less are equal


@dataclasses.dataclass(frozen=True)
class Description:
    """One method on one metric, over ``n`` subjects; None where ``n`` is too small for a number.

    Attributes:
        mean: of the subjects' means.
        std: standard deviation over subjects, n - 1 in the denominator.
        median: over subjects; with ``q1`` and ``q3`` the three quartiles.
        q1: lower quartile.
        q3: upper quartile.
        n: subjects with a score.
        interval: 95 % bootstrap interval of the mean, whole subjects resampled.
        interval_method: ``BCa`` or ``percentile``.
        num_removed: scores of series that were not finite and are left out.
    """

    mean: float | None
    std: float | None
    median: float | None
    q1: float | None
    q3: float | None
    n: int
    interval: tuple[float, float] | None
    interval_method: str | None
    num_removed: int


@dataclasses.dataclass(frozen=True)
class Normality:
    """Shapiro-Wilk W and p, or None and the reason why there are none."""

    statistic: float | None
    p: float | None
    reason: str | None


@dataclasses.dataclass(frozen=True)
class SeedSpread:
    """How far training seeds and subjects spread the scores, per method.

    Attributes:
        over_seeds: SD over seeds of the mean over subjects ``[method]``; None for one seed.
        over_subjects: SD over subjects of the mean over seeds ``[method]``; None for one subject.
        num_seeds: training seeds.
        n: subjects.
        num_removed: subjects with a score that is not finite.
    """

    over_seeds: np.ndarray | None
    over_subjects: np.ndarray | None
    num_seeds: int
    n: int
    num_removed: int


def describe(
    values_by_subject: Sequence[np.ndarray], *, num_resamples: int = 10_000, seed: int = 0
) -> Description:
    """Average per subject, then describe the spread over subjects.

    The interval is BCa (Efron 1987) where it is defined, else percentile. Below about ten subjects
    bootstrap intervals of a mean are too short.

    Args:
        values_by_subject: for each subject the scores of its series ``[series]``.
        num_resamples: of the subjects.
        seed: of the resampling.
    """
    scores = [np.ravel(np.asarray(v, np.float64)) for v in values_by_subject]
    finite = [s[np.isfinite(s)] for s in scores]
    means = np.array([s.mean() for s in finite if s.size])
    removed = sum(s.size for s in scores) - sum(s.size for s in finite)
    if not means.size:
        return Description(None, None, None, None, None, 0, None, None, removed)
    q1, median, q3 = np.percentile(means, [25, 50, 75]).tolist()
    std, interval, method = None, None, None
    if means.size > 1:
        std = float(means.std(ddof=1))
        interval, method = _bootstrap(means, num_resamples, seed)
    return Description(
        float(means.mean()), std, median, q1, q3, means.size, interval, method, removed
    )


def normality(values: np.ndarray) -> Normality:
    """Test whether scores could be normal (Shapiro and Wilk 1965).

    Args:
        values: ``[subject]``, finite.
    """
    if len(values) < 3:
        return Normality(None, None, f"needs 3 values, has {len(values)}")
    if _is_constant(values):
        return Normality(None, None, "all values are equal")
    statistic, p = stats.shapiro(values)
    return Normality(float(statistic), float(p), None)


def seed_spread(values: np.ndarray) -> SeedSpread:
    """Tell the spread of training seeds from that of subjects.

    Args:
        values: ``[seed, subject, method]``.

    Raises:
        InputError: an array of other dimensions or without seeds.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 3 or not len(values):
        raise InputError(
            f"The spread of seeds needs an array [seed, subject, method], got shape {values.shape}; "
            f"give one seed as values[None]."
        )
    kept, removed = finite_subjects(values.swapaxes(0, 1))
    n, num_seeds = kept.shape[:2]
    over_seeds = kept.mean(axis=0).std(axis=0, ddof=1) if num_seeds > 1 and n else None
    over_subjects = kept.mean(axis=1).std(axis=0, ddof=1) if n > 1 else None
    return SeedSpread(over_seeds, over_subjects, num_seeds, n, removed)


def finite_subjects(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Leave out subjects with a score that is not finite; ``[subject, ...]`` → the rest, how many went."""
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    return values[finite], int(np.sum(~finite))


def _bootstrap(means: np.ndarray, num_resamples: int, seed: int) -> tuple[tuple[float, float], str]:
    for method in ("percentile",) if _is_constant(means) else ("BCa", "percentile"):
        with warnings.catch_warnings():
            # Where BCa is not a number, the percentiles follow.
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            result = stats.bootstrap(
                (means,), np.mean, n_resamples=num_resamples, confidence_level=_LEVEL, method=method,
                random_state=np.random.default_rng(seed),  # `rng` needs scipy 1.15
            ).confidence_interval  # fmt: skip
        if np.all(np.isfinite(result)):
            break
    return (float(result.low), float(result.high)), method


def _is_constant(values: np.ndarray) -> bool:
    return np.ptp(values) <= _ROUNDING * np.abs(values).max()
