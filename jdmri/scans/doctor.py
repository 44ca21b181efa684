"""Description of a file or folder, its doubts, and the commands that use it: ``--mode=doctor --input=FILE``."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jdmri.data import numpy_fourier
from jdmri.data.formats import detect
from jdmri.data.measurements import Images, Measurement
from jdmri.data.references import CRIME, is_full
from jdmri.scans import inspection

_DEMO_FRAMES = 20  # the demo's network has its frames as channels
_SMALL_OFFSET = 2  # samples: echoes are rarely exact
_FAR = 0.35  # of the field of view: an object so far from the middle may be in the corners
_BEYOND = 0.25  # of the object's width beyond the edge: one that only lies off the middle ends at the edge
_REAL = 0.01  # share of the imaginary part below which images have no phase
_OVERSAMPLED = 0.02  # share of the energy in the outer halves along x
_BLOCKY = 1.25  # fine details outside of the blocks' grid against those in it


def examine(path: Path) -> str:
    """Describe a file or folder: format, sizes, sampling, scale, data crimes, and the commands that use it.

    The first slice is read and measured; the others are counted. What cannot be known is listed under
    "Doubts".

    Raises:
        InputError: there is nothing, it is damaged, or of no known format.
    """
    kind = detect.sniff(path)
    entries = detect.entries(path)
    one = entries[0].load()
    kspace = (
        one.kspace
        if isinstance(one, Measurement)
        else numpy_fourier.fftc(one.frames.astype(np.complex64))[:, None]
    )
    lines = [f"{path}: {kind}, {len(entries)} slice(s); examined: {one.name}"]
    lines += [f"  {name:<12}{text}" for name, text in _description(one, kspace)]
    findings, doubts = list(_findings(one, kspace)), list(_doubts(one, kspace))
    for title, sentences in (("Findings", findings), ("Doubts", doubts)):
        lines += [f"{title}:", *(f"  - {s}." for s in sentences or ["none"])]
    return "\n".join([*lines, "To use it:", *(f"  {c}" for c in _commands(path, kind, one))])


def _description(one: Measurement | Images, kspace: np.ndarray) -> Iterator[tuple[str, str]]:
    shape = " x ".join(map(str, kspace.shape))
    yield "subject", one.subject
    if isinstance(one, Measurement):
        yield "k-space", f"[frame, coil, ky, kx] = {shape}, complex"
        yield "sampling", _sampling(one)
        if one.noise is not None:
            yield "noise scan", f"{one.noise.shape[1]} samples of {one.noise.shape[0]} coils"
        if one.pixel_spacing:
            yield "pixel", f"{one.pixel_spacing[0]:.4g} x {one.pixel_spacing[1]:.4g} mm (y, x)"
    else:
        yield (
            "images",
            f"[frame, y, x] = {' x '.join(map(str, one.frames.shape))}, phase encoding along y",
        )
    images = np.abs(numpy_fourier.ifftc(kspace))
    bright = float(np.percentile(images, 99))
    yield (
        "intensity",
        f"k-space up to {np.abs(kspace).max():.4g}, image 99th percentile {bright:.4g}",
    )
    yield "time", "the last frame is followed by the first" if one.cyclic else "not cyclic"
    if one.metadata:
        yield "metadata", ", ".join(f"{k} {v}" for k, v in one.metadata.items())


def _sampling(one: Measurement) -> str:
    """State what is present: the true acceleration and the lines at the centre."""
    if is_full(one):
        return "fully sampled"
    share = float(one.mask.mean())
    same = (
        "the same in every frame" if (one.mask == one.mask[:1]).all() else "new from frame to frame"
    )
    always = one.mask.all(axis=0)
    if one.mask.shape[-1] == 1:
        whole, centre = "lines", f"{_centre_lines(always[:, 0])} centre lines in every frame"
    else:
        whole, side = "points (lines are present in part)", _centre_square(always)
        centre = f"a centre of {side} x {side} points in every frame"
    return f"{share:.1%} of the {whole}, R = {1 / share:.2f}, {centre}, {same}"


def _centre_lines(always: np.ndarray) -> int:
    """Count the lines without a gap about N // 2."""
    middle = len(always) // 2
    above = int(np.argmin([*always[middle:], False]))
    below = int(np.argmin([*always[:middle][::-1], False])) if always[middle] else 0
    return above + below


def _centre_square(always: np.ndarray) -> int:
    """Return the side of the largest square without a gap about the point (N // 2, N // 2)."""
    for side in range(1, min(always.shape) + 1):
        first = [n // 2 - side // 2 for n in always.shape]
        if not always[first[0] : first[0] + side, first[1] : first[1] + side].all():
            return side - 1
    return min(always.shape)


def _findings(one: Measurement | Images, kspace: np.ndarray) -> Iterator[str]:
    """State what was measured on the data or done by the reader."""
    yield from one.notes
    for name, axis in (("ky", -2), ("kx", -1)):
        yield from _centring(kspace, name, axis)
        first, last = inspection.padded(kspace, axis)
        if first and last:
            kept = kspace.shape[axis] - first - last
            yield (
                f"energy along {name} stops at once {first} and {last} points from the ends: zero-padded from "
                f"{kept} to {kspace.shape[axis]}, a mask then spends samples on nothing (data crime)"
            )


def _centring(kspace: np.ndarray, name: str, axis: int) -> Iterator[str]:
    """Say where the energy of k-space lies."""
    size = kspace.shape[axis]
    offset = inspection.peak_offset(kspace, axis)
    if offset in (-(size // 2), (size - 1) // 2):
        yield f"the energy along {name} is at the corner, not in the middle: an fftshift is missing"
    elif abs(offset) > _SMALL_OFFSET:
        yield f"the energy along {name} peaks {offset:+d} samples from the middle, N // 2"
    else:
        yield f"the energy along {name} is centred"


def _doubts(one: Measurement | Images, kspace: np.ndarray) -> Iterator[str]:
    """State what the file does not say, and what only looks so."""
    yield from one.warnings
    for name, axis in (("ky", -2), ("kx", -1)):
        shift, width = inspection.object_extent(kspace, axis) or (0, 0)
        size = kspace.shape[axis]
        if abs(shift) > _FAR * size and abs(shift) + (0.5 - _BEYOND) * width > size / 2:
            yield (
                f"neighbours along {name} alternate in sign (checkerboard), the object lies {shift:+.0f} pixels "
                f"from the middle and across the edge: a shift in image space may be missing"
            )
    if inspection.imaginary_share(kspace) < _REAL:
        yield f"images have no phase: {CRIME}"
    if inspection.outer_share(kspace) < _OVERSAMPLED:
        yield "the outer halves along x are empty: readout oversampling may still be in"
    images = np.sqrt((np.abs(numpy_fourier.ifftc(kspace)) ** 2).sum(axis=1))
    if _complete(one) and inspection.blockiness(images) > _BLOCKY:
        yield "details are missing in blocks of 8 x 8 pixels: the images may come from JPEG (data crime)"


def _complete(one: Measurement | Images) -> bool:
    return isinstance(one, Images) or is_full(one)


def _commands(path: Path, kind: str, one: Measurement | Images) -> Iterator[str]:
    main, given = "python -m jdmri.main", shlex.quote(str(path))
    if _complete(one):
        num_frames = one.frames.shape[0] if isinstance(one, Images) else one.kspace.shape[0]
        config = "demo" if num_frames == _DEMO_FRAMES else "cascade"
        gated = "" if one.cyclic else " --config.data.cyclic=False"
        yield f"{main} --config=configs/{config}.py --config.data.name={kind} --config.data.path={given}{gated}"
    if isinstance(one, Measurement):
        yield f"{main} --mode=reconstruct --input={given} --output=cine.nii.gz"
    yield f"{main} --mode=convert --input={given} --output=store.h5"
