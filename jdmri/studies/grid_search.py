"""Maximise over logarithmic grids."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

_EXTENSIONS = 2  # how often a grid grows when its best point is its first or last


def maximise(
    ranges: Mapping[str, Sequence[float]], num_points: int, score: Callable[[dict[str, float]], Any]
) -> list[tuple]:
    """Maximise ``score`` over logarithmic grids, one parameter after the other, in the order of ``ranges``, and refine each once.

    A grid whose best point is at its end grows there. Refining halves the distance on both sides of the best.

    Args:
        ranges: parameter → (lowest, highest), > 0. Until their turn, parameters are in the middle.
        num_points: of each grid.
        score: of all parameters; anything that can be compared.

    Returns:
        (score, parameters) of every try, the best one last.
    """
    tried: dict[tuple, Any] = {}
    middle = lambda low, high: float(f"{math.sqrt(low * high):.4g}")
    current = {name: middle(*ends) for name, ends in ranges.items()}

    def value(name, point):
        candidate = current | {name: float(f"{point:.4g}")}
        key = tuple(candidate.items())
        if key not in tried:
            tried[key] = score(candidate)
        return tried[key]

    for name, (low, high) in ranges.items():
        current[name] = float(f"{_best_point(name, low, high, num_points, value):.4g}")
    ranked = sorted(tried.items(), key=lambda item: item[1])
    return [(scored, dict(key)) for key, scored in ranked]


def _best_point(name: str, low: float, high: float, num_points: int, value: Callable) -> float:
    points = list(np.geomspace(low, high, num_points))
    ratio = points[1] / points[0]
    best = max(points, key=lambda p: value(name, p))
    for _ in range(_EXTENSIONS):
        if best == points[0]:
            points.insert(0, best / ratio)
        elif best == points[-1]:
            points.append(best * ratio)
        best = max(points, key=lambda p: value(name, p))
    around = [best / math.sqrt(ratio), best, best * math.sqrt(ratio)]
    return max(around, key=lambda p: value(name, p))
