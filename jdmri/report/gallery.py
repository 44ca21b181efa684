"""The figures of an evaluation: the worst series and the median one, masks, loss curves."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from jdmri import metrics
from jdmri.data.series import Series
from jdmri.report import figures

NUM_WORST = 3


def draw(
    target: Path,
    series: Sequence[Series],
    acquired: Mapping[str, tuple],
    methods: Mapping[str, Callable],
    rows: Sequence[Mapping],
    records: Sequence[Mapping],
    note: str = "",
) -> None:
    """Write PNG files into ``target``.

    Args:
        target: folder.
        series: the evaluated ones.
        acquired: name → (kspace, maps, mask).
        methods: name → ``(kspace, maps, mask) -> cine``; the last one is ranked.
        rows: of ``series.csv``.
        records: of ``metrics.jsonl``.
        note: written under every figure.
    """

    def save(figure, name: str) -> None:
        if note:
            figure.supxlabel(note, fontsize=9)
        figures.save(figure, target / name)

    ranked = _rank(series, rows, list(methods)[-1])
    chosen = {f"worst-{i + 1}": one for i, one in enumerate(ranked[:NUM_WORST])}
    chosen["median"] = ranked[len(ranked) // 2]
    for label, one in chosen.items():
        estimates = {
            name: np.asarray(method(*acquired[one.name])) for name, method in methods.items()
        }
        region = metrics.heart_region(one.cine)
        frame = _smallest_heart(one.cine, region)
        title = f"{label.replace('-', ' ')}: {one.name}, frame {frame}"
        captions = {
            r["method"]: f"{r['psnr']:.1f} dB"
            for r in rows
            if r["series"] == one.name and "psnr" in r
        }
        comparison = figures.comparison(
            one.cine, estimates, region=region, frame=frame, title=title, captions=captions
        )
        save(comparison, f"{label}_comparison.png")
        save(figures.profile(one.cine, estimates, region=region), f"{label}_profile.png")
    mask = np.asarray(acquired[ranked[0].name][-1])
    save(figures.masks(mask, title=f"Mask of {ranked[0].name}"), "masks.png")
    save(figures.loss_curves(records), "loss_curves.png")


def _rank(series: Sequence[Series], rows: Sequence[Mapping], method: str) -> list[Series]:
    """Sort by the method's PSNR, lowest first; NaN counts as lowest."""
    psnr = {r["series"]: r.get("psnr", 0.0) for r in rows if r["method"] == method}
    return sorted(series, key=lambda s: -np.inf if np.isnan(psnr[s.name]) else psnr[s.name])


def _smallest_heart(cine: np.ndarray, region: tuple[slice, slice]) -> int:
    """Choose the frame with the least signal in the heart region: about end-systole."""
    return int(np.abs(cine[(slice(None), *region)]).sum(axis=(1, 2)).argmin())
