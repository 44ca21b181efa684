"""The content of the player: one JSON object a series, its cines as indices into the sheets."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jdmri.report.page import sheets
from jdmri.report.page.content import View


def describe(view: View, cines: list[sheets.Cine]) -> dict[str, Any]:
    """Describe a series for the browser, and append its cines to ``cines``.

    A panel's ``image`` and ``error`` are indices into ``cines``; masks and residuals, which are small,
    are lossless data URIs.
    """
    frames, height, width = view.reference.shape
    peak = sheets.peak(view.reference)
    panels = [
        {"name": "reference", "caption": "", "error": None}
        | {"image": _add(cines, sheets.magnitudes(view.reference, peak))}
    ]
    for name, estimate in view.estimates.items():
        image = _add(cines, sheets.magnitudes(estimate, peak))
        error = _add(cines, sheets.errors(estimate, view.reference, peak), is_error=True)
        caption = _caption(view.captions.get(name, ""), estimate)
        panels.append({"name": _spoken(name), "caption": caption, "image": image, "error": error})
    top, bottom, _ = view.region[0].indices(height)
    left, right, _ = view.region[1].indices(width)
    return {
        "name": view.name,
        "label": view.label,
        "frames": frames,
        "height": height,
        "width": width,
        "columns": sheets.columns(view.reference.shape),
        "peak": f"{peak:.4g}",
        "region": [left, top, right, bottom],
        "panels": panels,
        "mask": _mask(view.mask),
        "residual": _residual(view.residual),
    }


def _add(cines: list[sheets.Cine], levels: np.ndarray, *, is_error: bool = False) -> int:
    cines.append(sheets.Cine(levels, is_error))
    return len(cines) - 1


def _caption(words: str, estimate: np.ndarray) -> str:
    broken = int(np.count_nonzero(~np.isfinite(estimate)))
    lost = f"{broken} values are not finite" if broken else ""
    return ", ".join(filter(None, (words, lost)))


def _mask(mask: np.ndarray) -> dict[str, Any]:
    mask = mask.astype(bool)
    return {
        "height": mask.shape[1],
        "width": mask.shape[2],
        "columns": sheets.columns(mask.shape),
        "image": sheets.encode(sheets.tile(255 * mask.astype(np.uint8)), None),
        "sampled": f"{100 * mask.mean():.1f} % sampled",
    }


def _residual(residual: Mapping[str, np.ndarray]) -> list[dict[str, str]]:
    """Encode ``[frame, ky]`` arrays as pictures ky-t, all on the scale of the largest value."""
    finite = [r[np.isfinite(r)] for r in residual.values()]
    largest = max((float(r.max()) for r in finite if r.size), default=0.0) or 1.0
    return [
        {"name": _spoken(n), "image": sheets.encode(sheets.decibels(r, largest).T.copy(), None)}
        for n, r in residual.items()
    ]


def _spoken(name: str) -> str:
    return name.replace("_", " ")
