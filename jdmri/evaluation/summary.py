"""The numbers of an evaluation: over subjects, and as a table of text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jdmri import metrics

IDENTITY = ("series", "subject", "method")


def summarise(
    rows: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Average per subject, then give mean, SD, median and quartiles over subjects.

    Values that are not finite (a metric that is not defined for a series) are left out; ``n`` counts
    the subjects that remain.

    Returns:
        ``{method: {metric: {"mean", "std", "median", "q1", "q3", "n"}}}``.
    """
    names = [k for k in rows[0] if k not in IDENTITY]
    methods = dict.fromkeys(row["method"] for row in rows)
    return {
        m: {n: _spread([r for r in rows if r["method"] == m], n) for n in names} for m in methods
    }


def table(result: Mapping[str, Any]) -> str:
    """Format the main metrics of a ``summary.json`` as text, protocol first."""
    about, methods = result["protocol"], result["methods"]
    known = next(iter(methods.values()))
    formats = metrics.short_formats(known)
    if any(values["iterations"]["n"] for values in methods.values()):
        formats |= {"iterations": ".0f", "residual": ".1e"}
    formats["seconds"] = ".2g"
    lines = [
        f"{about['data']} ({about['split']}), {about['num_subjects']} subjects, {about['mask']['name']} mask, "
        f"true R {about['true_acceleration']:.2f}, noise σ {about['noise_sigma']:g}; mean ± SD over subjects"
        + (f"; {about['note']}" if about.get("note") else ""),
        f"{'method':18}" + "".join(f"{n:>19}" for n in formats),
    ]
    for method, values in methods.items():
        lines.append(
            f"{method:18}" + "".join(f"{_cell(values[n], f):>19}" for n, f in formats.items())
        )
    warnings = (_unconverged(method, values["converged"]) for method, values in methods.items())
    return "\n".join([*lines, *filter(None, warnings)])


def _unconverged(method: str, converged: Mapping[str, float | None]) -> str:
    """Warn of a solver that its limit of iterations ended."""
    share = converged["mean"]
    if share is None or share == 1:
        return ""
    return f"{method} did not reach its tolerance for {1 - share:.1%} of the series (mean over subjects)."


def _spread(rows: Sequence[Mapping[str, Any]], metric: str) -> dict[str, float | None]:
    by_subject: dict[str, list[float]] = {}
    for row in rows:
        if np.isfinite(row[metric]):
            by_subject.setdefault(row["subject"], []).append(row[metric])
    values = np.array([np.mean(v) for v in by_subject.values()])
    if not values.size:
        return dict.fromkeys(("mean", "std", "median", "q1", "q3")) | {"n": 0}
    q1, median, q3 = np.percentile(values, [25, 50, 75]).tolist()
    std = float(values.std(ddof=1)) if values.size > 1 else None
    return {
        "mean": float(values.mean()),
        "std": std,
        "median": median,
        "q1": q1,
        "q3": q3,
        "n": values.size,
    }


def _cell(value: Mapping[str, float | None], form: str) -> str:
    if value["mean"] is None:
        return "–"
    return f"{value['mean']:{form}}" + ("" if value["std"] is None else f" ± {value['std']:{form}}")
