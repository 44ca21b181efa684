"""Reference images: from measured k-space or magnitude images to `Series`."""

import collections
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jdmri.data import numpy_fourier
from jdmri.data.measurements import Entry, Images, Measurement
from jdmri.data.phase import smooth_phase
from jdmri.data.records import Dataset, Facts, Series
from jdmri.errors import InputError
from jdmri.ops import coil_maps

CRIME = (
    "magnitude images made by a scanner, not raw data: conjugate symmetry, zero-padding, filters and coil combination make "
    "the problem easier (Shimron et al., PNAS 2022); results are no evidence about scanners"
)
_PADDING_TOLERANCE = 2  # lines by which zero-padding may differ between the two sides
_LINE_SHARE = 0.9  # of the columns in use: a line of which so much was measured counts as whole


def sampled(kspace: np.ndarray) -> np.ndarray:
    """Read the mask off k-space: a point is sampled where any coil is not zero.

    Args:
        kspace: ``[frame, coil, ky, kx]``.

    Returns:
        bool ``[frame, ky, 1]`` if lines are present as a whole or not at all, else ``[frame, ky, kx]``.
        Columns that no line holds (asymmetric echo, zero-padding) do not make a line partial.
    """
    points = (kspace != 0).any(axis=1)
    share = points.sum(axis=-1) / max(int(points.any(axis=(0, 1)).sum()), 1)
    if np.all((share == 0) | (share >= _LINE_SHARE)):
        return (share > 0)[..., None]
    return points


def padding(mask: np.ndarray) -> tuple[int, int]:
    """Count the lines at both ends of ky that no frame holds."""
    used = np.flatnonzero(mask.any(axis=(0, 2)))
    if not len(used):
        return 0, 0
    return int(used[0]), int(mask.shape[1] - 1 - used[-1])


def is_full(measurement: Measurement) -> bool:
    """Whether every frame holds every line, but for zero-padding alike at both ends of ky."""
    return _is_full(measurement.mask)


def require_full(mask: np.ndarray, name: str) -> None:
    """Refuse undersampled data as a reference.

    Raises:
        InputError: lines are missing.
    """
    if not _is_full(mask):
        raise InputError(
            f"{name} holds {mask.mean():.0%} of k-space, a reference needs all of it; reconstruct it "
            f"with --mode=reconstruct --input=FILE."
        )


def _is_full(mask: np.ndarray) -> bool:
    first, last = padding(mask)
    block = mask[:, first : mask.shape[1] - last]
    return bool(block.all()) and abs(first - last) <= _PADDING_TOLERANCE


def to_series(measurement: Measurement, maps: np.ndarray | None = None) -> Series:
    """Make the reference image of fully sampled data: ``Σ_coil conj(map) · F⁻¹ k``.

    Args:
        measurement: fully sampled; lines that are zero at both ends of ky alike count as zero-padding.
        maps: complex64 ``[coil, y, x]`` with Σ_coil |map|² = 1; None: ones for a single coil, estimated
            from the temporal mean for several.

    Raises:
        InputError: lines are missing, or the maps do not fit.
    """
    require_full(measurement.mask, measurement.name)
    if maps is None:
        maps = estimate_maps(measurement)
    if maps.shape != (measurement.kspace.shape[1], *measurement.kspace.shape[2:]):
        raise InputError(
            f"{measurement.name}: maps of shape {maps.shape} do not fit k-space {measurement.kspace.shape}."
        )
    images = numpy_fourier.ifftc(measurement.kspace)
    cine = np.einsum("fcyx,cyx->fyx", images, maps.conj()).astype(np.complex64)
    about = {k: v for k, v in measurement.metadata.items() if v}
    return Series(
        cine,
        maps,
        measurement.name,
        measurement.subject,
        measurement.cyclic,
        metadata=about,
        kspace=measurement.kspace,
    )


def estimate_maps(measurement: Measurement) -> np.ndarray:
    """Estimate coil maps complex64 ``[coil, y, x]`` by ESPIRiT from the centre of k-space; ones for a single coil."""
    return np.asarray(coil_maps.espirit()(measurement.kspace, measurement.mask, None))


def measured_dataset(
    path: str, entries: Sequence[Entry], cyclic: bool, coil_compression: str = ""
) -> Dataset:
    """Make a data set of measured, fully sampled slices.

    Args:
        path: the source, for its name.
        entries: its slices.
        cyclic: what ``config.data.cyclic`` says; False makes every series not cyclic.
        coil_compression: what was done before publication, for the card.

    Raises:
        InputError: a slice is damaged or undersampled.
    """
    series, warnings, coils, subjects_known = [], {}, set(), True
    for entry in tqdm(entries, desc="data", unit="slice", disable=None):
        one = entry.load()
        warnings |= dict.fromkeys([*one.warnings, *_padding_warning(one)])
        coils.add(one.kspace.shape[1])
        subjects_known &= one.subject_known
        series.append(to_series(dataclasses.replace(one, cyclic=one.cyclic and cyclic)))
    facts = Facts(
        source=Path(path).name,
        complex=True,
        subjects_known=subjects_known,
        coils=tuple(sorted(coils)),
        maps="none" if coils == {1} else "estimated",
        coil_compression=coil_compression,
        warnings=tuple(warnings),
    )
    return Dataset(tuple(series), Path(path).stem, facts)


def _padding_warning(one: Measurement) -> list[str]:
    padded = sum(padding(one.mask)) > 0
    return ["lines at both ends of ky are zero: zero-padded k-space (data crime)"] * padded


def image_series(images: Images, cyclic: bool = True, phase: np.ndarray | None = None) -> Series:
    """Make a series of a single coil; ``phase`` is a unit complex64 ``[y, x]`` to multiply with."""
    cine = images.frames.astype(np.complex64)
    cine = cine if phase is None else cine * phase
    maps = np.ones((1, *cine.shape[1:]), np.complex64)
    both = images.cyclic and cyclic
    return Series(cine, maps, images.name, images.subject, both, images.metadata)


def image_dataset(path: str, found: Sequence[Images], phase: str, cyclic: bool) -> Dataset:
    """Make a data set of magnitude images.

    Args:
        path: the source, for its name.
        found: its slices.
        phase: ``none``, ``polynomial`` or a file, as for the reader ``npz``.
        cyclic: whether the last frame is followed by the first.
    """
    sizes = collections.Counter(images.frames.shape[1:] for images in found)
    phases = {size: smooth_phase(phase, len(found), size) for size in sizes}
    drawn = [phases[images.frames.shape[1:]] for images in found]
    series = tuple(
        image_series(images, cyclic, None if p is None else p[i])
        for i, (images, p) in enumerate(zip(found, drawn, strict=True))
    )
    warnings = dict.fromkeys(d for images in found for d in images.warnings)
    facts = Facts(
        source=Path(path).name,
        complex=False,
        subjects_known=all(images.subject_known for images in found),
        phase=phase if phase in ("none", "polynomial") else f"measured ({Path(phase).name})",
        warnings=(CRIME, *warnings),
    )
    return Dataset(series, Path(path).stem, facts)
