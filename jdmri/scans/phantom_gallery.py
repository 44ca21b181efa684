"""Pictures of phantoms: a page and a film for each subject, and one page of all."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from jdmri.phantom import Scan
from jdmri.report.figures import cines
from jdmri.runtime import files

_COLUMNS = 6
_CYCLE = 1.0  # seconds of film a series
_CONTOURS = (("LV cavity", "tab:red"), ("LV wall", "tab:green"), ("RV", "tab:blue"))


def draw(target: Path, scans: Iterator[Scan], num_series: int) -> None:
    """Write ``subject-0000.png``, ``subject-0000.gif``, … and ``overview.png`` into ``target``."""
    shown = []
    for i, scan in enumerate(scans):
        name = f"subject-{i:04d}"
        cines.save(page(scan, name), target / f"{name}.png")
        files.write_atomic(target / f"{name}.gif", lambda path, scan=scan: film(scan, path))
        shown.append((np.abs(scan.cine[0]), np.abs(scan.cine[_systole(scan)]), _facts(scan)))
    cines.save(overview(shown), target / "overview.png")


def page(scan: Scan, title: str) -> Figure:
    """Show end-diastole, end-systole with contours, x-t, phase, volume, and coil maps."""
    cine, systole = np.abs(scan.cine), _systole(scan)
    peak = np.percentile(cine, 99.7)
    columns = np.nonzero(scan.labels[0, 0])[1]
    column = int(columns.mean()) if len(columns) else cine.shape[2] // 2
    coils = scan.maps[:_COLUMNS]
    height = 1 if len(scan.maps) == 1 else 2
    figure = Figure(figsize=(2.6 * _COLUMNS, 2.9 * height + 0.3), layout="constrained")
    axes = figure.subplots(height, _COLUMNS, squeeze=False)
    gray = {"cmap": "gray", "vmin": 0, "vmax": peak}
    axes[0, 0].imshow(cine[0], **gray)
    axes[0, 1].imshow(cine[systole], **gray)
    axes[0, 2].imshow(cine[systole], **gray)
    for mask, (_, colour) in zip(scan.labels[systole], _CONTOURS, strict=True):
        axes[0, 2].contour(mask, levels=[0.5], colors=colour, linewidths=0.8)
    axes[0, 0].axvline(column, color="c", linewidth=0.6, linestyle=":")
    axes[0, 3].imshow(cine[:, :, column].T, aspect="auto", **gray)
    axes[0, 4].imshow(np.angle(scan.cine[0]), cmap="twilight", vmin=-np.pi, vmax=np.pi)
    axes[0, 5].plot(scan.volume)
    names = ("end-diastole", f"end-systole (frame {systole})", "labels", "x-t along the line", "phase", "LV volume (ml)")  # fmt: skip
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(name, fontsize=9)
    for axis, sensitivity in zip(axes[-1], coils if height > 1 else (), strict=False):
        axis.imshow(np.abs(sensitivity), cmap="viridis", vmin=0, vmax=1)
        axis.set_title("coil map", fontsize=9)
    for axis in axes.flat:
        if axis is not axes[0, 5]:
            axis.set_axis_off()
    figure.suptitle(f"{title}: {_facts(scan)}", fontsize=10)
    return figure


def overview(shown: list[tuple[np.ndarray, np.ndarray, str]]) -> Figure:
    """Show end-diastole over end-systole of every subject."""
    columns = min(len(shown), _COLUMNS)
    rows = 2 * -(-len(shown) // columns)
    figure = Figure(figsize=(2.6 * columns, 2.75 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for i, (diastole, systole, facts) in enumerate(shown):
        row, column = 2 * (i // columns), i % columns
        for axis, image in zip((axes[row, column], axes[row + 1, column]), (diastole, systole), strict=True):  # fmt: skip
            axis.imshow(image, cmap="gray", vmin=0, vmax=np.percentile(diastole, 99.7))
        axes[row, column].set_title(facts, fontsize=7)
    return figure


def film(scan: Scan, path: Path) -> None:
    """Write the magnitude as an endless GIF of ``_CYCLE`` seconds."""
    cine = np.abs(scan.cine)
    scaled = np.clip(cine / np.percentile(cine, 99.7), 0, 1) * 255
    frames = [Image.fromarray(frame.astype(np.uint8)) for frame in scaled]
    duration = int(1000 * _CYCLE / len(frames))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=duration, loop=0)


def _systole(scan: Scan) -> int:
    return int(np.argmin(scan.volume))


def _facts(scan: Scan) -> str:
    field = float(scan.subject.sequence.field)
    ejection = 1 - scan.volume.min() / scan.volume.max()
    return f"{field:g} T, EF {100 * ejection:.0f} %, {float(scan.pixel):.2f} mm"
