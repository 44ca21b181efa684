"""Image metrics with named protocols, in float64 on the host.

Each name builds a pure function ``(estimate, reference) -> float`` of one series ``[frame, y, x]``, complex
or real, on the magnitude unless the name says complex. What tables and figures need to know of it is
registered with it, as `MetricFacts`. A zero reference or an estimate that is not finite gives NaN.
"""

from collections.abc import Sequence

from jdmri.metrics.heart import Region, heart_region
from jdmri.metrics.registry import (
    HEART,
    METRICS,
    Metric,
    MetricFacts,
    Series,
    facts,
    label,
    short_formats,
)
from jdmri.runtime.registry import import_modules

import_modules(__name__)
globals().update(METRICS.exports())  # metrics.psnr and the others


def evaluate(
    estimate: Series, reference: Series, names: Sequence[str], region: Region
) -> dict[str, float]:
    """Score one series over the whole image and, as ``NAME_heart``, over the heart region.

    The heart metrics are the same functions of the cropped series, so that their data range is the
    crop's own maximum.

    Args:
        estimate: ``[frame, y, x]``.
        reference: the same shape.
        names: of ``METRICS``.
        region: from `heart_region`.

    Raises:
        InputError: an unknown name.
    """
    crop = (slice(None), *region)
    scores = {}
    for name in names:
        metric = METRICS.build({"name": name})
        scores[name] = metric(estimate, reference)
        scores[name + HEART] = metric(estimate[crop], reference[crop])
    return scores


__all__ = [
    "HEART",
    "METRICS",
    "Metric",
    "MetricFacts",
    "Region",
    "Series",
    "evaluate",
    "facts",
    "heart_region",
    "label",
    "short_formats",
    *METRICS.exports(),
]
