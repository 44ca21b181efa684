"""The table of metrics: a pure function and what tables and figures need to know of it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float

from jdmri.runtime.registry import Registry

Series = Complex[np.ndarray, "frame y x"] | Float[np.ndarray, "frame y x"]
Metric = Callable[[Series, Series], float]
HEART = "_heart"  # ends the names of columns over the heart region


class MetricFacts(NamedTuple):
    """What is registered with a metric.

    Attributes:
        heading: of columns and axes, without unit.
        protocol: the sentence that says how it is measured; every table prints it.
        higher_is_better: its direction.
        decimals: in the tables of studies.
        unit: "" for none.
        short_decimals: in the table that an evaluation prints; None: it is not printed there.
    """

    heading: str
    protocol: str
    higher_is_better: bool
    decimals: int
    unit: str = ""
    short_decimals: int | None = None

    @property
    def label(self) -> str:
        """The heading with the unit."""
        return f"{self.heading} ({self.unit})" if self.unit else self.heading


METRICS = Registry("metric", MetricFacts)
_SECONDS = MetricFacts(
    "time", "one series, second call, compilation not counted", False, decimals=2, unit="s"
)


def facts(column: str) -> MetricFacts:
    """Return what is known of a column of scores: ``NAME``, ``NAME_heart`` or ``seconds``.

    Raises:
        InputError: no such metric.
    """
    return _SECONDS if column == "seconds" else METRICS.facts(column.removesuffix(HEART))


def label(column: str) -> str:
    """Name a column of scores in a heading or at an axis, e.g. ``PSNR (dB), heart``."""
    return facts(column).label + (", heart" if column.endswith(HEART) else "")


def short_formats(columns: Iterable[str]) -> dict[str, str]:
    """Return the columns of the table that an evaluation prints, with their number formats."""
    known = {c: METRICS.facts(n) for c in columns if (n := c.removesuffix(HEART)) in METRICS}
    return {
        c: f".{one.short_decimals}f" for c, one in known.items() if one.short_decimals is not None
    }


def guarded(metric: Metric) -> Metric:
    """Answer NaN where a metric has no meaning, without warnings."""

    def answer(estimate, reference):
        if not np.all(np.isfinite(estimate)) or not np.any(reference):
            return float("nan")
        with np.errstate(divide="ignore"):
            return float(metric(estimate, reference))

    return answer


def on_magnitude(metric: Metric) -> Metric:
    """Compare the magnitudes of complex or real series, in float64."""
    to64 = lambda a: np.abs(np.asarray(a, np.complex128))
    return guarded(lambda estimate, reference: metric(to64(estimate), to64(reference)))
