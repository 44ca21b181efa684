"""The figures of an evaluation: the worst series and the median one, masks, loss curves; PNG, PDF and films."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jdmri.report.figures import cines, films
from jdmri.report.page import View


def draw(target: Path, views: Sequence[View], records: Sequence[Mapping], note: str = "") -> None:
    """Write the figures into ``target``.

    Args:
        target: folder.
        views: the shown series, the worst one first.
        records: of ``metrics.jsonl``.
        note: written under every figure.
    """

    def save(figure, name: str, *suffixes: str) -> None:
        if note:
            figure.supxlabel(note, fontsize=9)
        for suffix in suffixes:
            cines.save(figure, target / f"{name}.{suffix}")

    for one in views:
        label = one.label.replace(" ", "-")
        save(_comparison(one), f"{label}_comparison", "png", "pdf")
        profile = cines.profile(one.reference, one.estimates, region=one.region)
        save(profile, f"{label}_profile", "png", "pdf")
        frames = films.panels(one.reference, one.estimates, gain=cines.ERROR_GAIN)
        films.save(target / f"{label}.gif", frames)
    save(cines.masks(views[0].mask, title=f"Mask of {views[0].name}"), "masks", "png")
    save(cines.loss_curves(records), "loss_curves", "png")


def _comparison(one: View):
    frame = _smallest_heart(one.reference, one.region)
    return cines.comparison(
        one.reference,
        one.estimates,
        region=one.region,
        frame=frame,
        title=f"{one.label}: {one.name}, frame {frame}",
        captions=one.captions,
    )


def _smallest_heart(cine: np.ndarray, region: tuple[slice, slice]) -> int:
    """Choose the frame with the least signal in the heart region: about end-systole."""
    return int(np.abs(cine[(slice(None), *region)]).sum(axis=(1, 2)).argmin())
