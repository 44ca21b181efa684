"""Figures from plain arrays, as matplotlib `Figure` objects: no windows, no global state."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from jdmri.runtime import files

ERROR_GAIN = 5
Region = tuple[slice, slice]


def save(figure: Figure, path: Path) -> None:
    """Write a figure as the file name says, atomically."""
    files.write_atomic(path, lambda temporary: figure.savefig(temporary, dpi=110))


def comparison(
    reference: np.ndarray,
    estimates: Mapping[str, np.ndarray],
    *,
    region: Region,
    frame: int,
    title: str,
    captions: Mapping[str, str],
) -> Figure:
    """Show one frame: reference and estimates, errors ×5, and both again around the heart.

    Args:
        reference: ``[frame, y, x]``.
        estimates: method name → ``[frame, y, x]``, shown in this order.
        region: the box of the zoom.
        frame: which frame.
        title: of the figure.
        captions: method name → a few words under its name.
    """
    truth = np.abs(reference[frame])
    peak = float(np.percentile(np.abs(reference), 99.5)) or 1.0
    images = {"reference": truth} | {n: np.abs(e[frame]) for n, e in estimates.items()}
    figure = Figure(figsize=(2.3 * len(images), 9.4), layout="constrained")
    axes = figure.subplots(4, len(images), squeeze=False)
    for column, (name, image) in enumerate(images.items()):
        error = ERROR_GAIN * np.abs(image - truth)
        caption = captions.get(name, "")
        axes[0, column].set_title(f"{_spoken(name)}\n{caption}", fontsize=10)
        for row, (shown, cut) in enumerate(
            [(image, slice(None)), (error, slice(None)), (image, region), (error, region)]
        ):
            colours = "inferno" if row % 2 else "gray"
            drawn = axes[row, column].imshow(shown[cut], cmap=colours, vmin=0, vmax=peak)
            axes[row, column].set_axis_off()
            if row % 2 and column == len(images) - 1:
                bar = figure.colorbar(drawn, ax=axes[row, :], shrink=0.8, pad=0.01)
                bar.set_label(f"{ERROR_GAIN} × |error|", fontsize=9)
    figure.suptitle(title, fontsize=11)
    return figure


def profile(
    reference: np.ndarray, estimates: Mapping[str, np.ndarray], *, region: Region
) -> Figure:
    """Show x-t profiles along the column through the centre of the heart, and their errors ×5.

    Args:
        reference: ``[frame, y, x]``.
        estimates: method name → ``[frame, y, x]``.
        region: the box around the heart.
    """
    column = (region[1].start + region[1].stop) // 2
    peak = float(np.percentile(np.abs(reference), 99.5)) or 1.0
    lines = {"reference": reference} | dict(estimates)
    lines = {n: np.abs(c[:, region[0], column]).T for n, c in lines.items()}
    figure = Figure(figsize=(2.3 * (len(lines) + 1), 4.6), layout="constrained")
    axes = figure.subplots(2, len(lines) + 1, squeeze=False)
    axes[0, 0].imshow(np.abs(reference[0]), cmap="gray", vmin=0, vmax=peak)
    axes[0, 0].plot([column, column], [region[0].start, region[0].stop - 1], "c--", linewidth=1)
    axes[0, 0].set_title("line", fontsize=10)
    for position, (name, line) in enumerate(lines.items(), 1):
        axes[0, position].imshow(line, cmap="gray", vmin=0, vmax=peak, aspect="auto")
        axes[0, position].set_title(_spoken(name), fontsize=10)
        error = ERROR_GAIN * np.abs(line - lines["reference"])
        axes[1, position].imshow(error, cmap="inferno", vmin=0, vmax=peak, aspect="auto")
        axes[1, position].set_xlabel("frame", fontsize=9)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    axes[1, 0].set_axis_off()
    axes[0, 1].set_ylabel("y", fontsize=9)
    axes[1, 1].set_ylabel(f"{ERROR_GAIN} × |error|", fontsize=9)
    return figure


def masks(mask: np.ndarray, *, title: str) -> Figure:
    """Show the sampling of one frame (ky-kx) and of all frames (ky-t).

    Args:
        mask: bool ``[frame, ky, kx or 1]``.
        title: of the figure.
    """
    num_lines = mask.shape[1]
    first = np.broadcast_to(mask[0], (num_lines, max(num_lines, mask.shape[2])))
    figure = Figure(figsize=(7.5, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    left.imshow(first, cmap="gray", interpolation="nearest")
    left.set(title="frame 0", xlabel="kx (readout)", ylabel="ky (phase encoding)")
    right.imshow(mask.any(axis=-1).T, cmap="gray", aspect="auto", interpolation="nearest")
    right.set(title="all frames", xlabel="frame", ylabel="ky")
    figure.suptitle(title, fontsize=11)
    return figure


def loss_curves(records: Sequence[Mapping]) -> Figure:
    """Plot loss (logarithmic) and PSNR against the step, training and validation.

    Args:
        records: of ``metrics.jsonl``; values may be missing or null.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axis, name, label in zip(
        figure.subplots(1, 2), ("loss", "psnr"), ("loss", "PSNR (dB)"), strict=True
    ):
        for split, style in (("train", "-"), ("validation", "o-")):
            points = [(r["step"], r.get(name)) for r in records if r.get("split") == split]
            points = [(s, v) for s, v in points if v is not None and np.isfinite(v)]
            if points:
                axis.plot(*zip(*points, strict=True), style, label=split, markersize=3)
        axis.set(xlabel="step", ylabel=label)
        if axis.lines:
            axis.legend()
            axis.set_yscale("log" if name == "loss" else "linear")
        axis.grid(alpha=0.3)
    return figure


def rate_range(rates: np.ndarray, losses: np.ndarray, smooth: np.ndarray, best: float) -> Figure:
    """Plot the loss of a learning-rate range test; mark the rate of its lowest smoothed value."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axis = figure.subplots()
    axis.loglog(rates, losses, color="0.7", label="loss")
    axis.loglog(rates, smooth, label="smoothed")
    axis.axvline(best, color="tab:red", linestyle=":", label=f"lowest: {best:.1e}")
    axis.set(xlabel="learning rate", ylabel="loss on fixed training series")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def search(
    trials: Sequence[int], scores: Sequence[float], values: Mapping[str, Sequence]
) -> Figure:
    """Plot the validation PSNR of a search's trials in their order, and against each field.

    Args:
        trials: their numbers.
        scores: validation PSNR in dB.
        values: field → the trials' values.
    """
    figure = Figure(figsize=(3.2 * (1 + len(values)), 3.4), layout="constrained")
    axes = figure.subplots(1, 1 + len(values), squeeze=False, sharey=True)[0]
    order = np.argsort(trials)
    axes[0].plot(np.array(trials)[order], np.array(scores)[order], "o", color="0.6", label="trial")
    best = np.maximum.accumulate(np.array(scores)[order])
    axes[0].step(np.array(trials)[order], best, where="post", label="best so far")
    axes[0].set(xlabel="trial", ylabel="validation PSNR (dB)")
    axes[0].legend(fontsize=8)
    for axis, (field, ones) in zip(axes[1:], values.items(), strict=True):
        numeric = all(isinstance(v, int | float) for v in ones)
        axis.plot(ones if numeric else list(map(str, ones)), scores, "o")
        axis.set_xlabel(field)
        if numeric and min(ones) > 0 and max(ones) >= 10 * min(ones):
            axis.set_xscale("log")
    for axis in axes:
        axis.grid(alpha=0.3)
    return figure


def _spoken(name: str) -> str:
    return name.replace("_", " ")
