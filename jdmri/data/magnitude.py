"""What readers of reconstructed images share: from magnitudes to series, with the warning that goes with them."""

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jdmri.data.formats.phase import smooth_phase
from jdmri.data.records import Dataset, Series
from jdmri.errors import InputError

CRIME = (
    "magnitude images made by a scanner, not raw data: conjugate symmetry, zero-padding, filters and coil combination make "
    "the problem easier (Shimron et al., PNAS 2022); results are no evidence about scanners"
)


@dataclasses.dataclass(frozen=True)
class Images:
    """One slice of images over time: magnitudes of a scanner, or complex images of a NumPy file.

    Attributes:
        frames: real or complex ``[frame, y, x]``, phase encoding along ``y``.
        name: identifies it in its source.
        subject: who was scanned.
        metadata: what else is known.
        cyclic: whether the last frame is followed by the first.
        doubts: sentences on what was taken without being said.
    """

    frames: np.ndarray
    name: str
    subject: str
    metadata: Mapping[str, str]
    doubts: tuple[str, ...] = ()
    cyclic: bool = True

    def __post_init__(self):
        """Refuse what cannot be a series.

        Raises:
            InputError: wrong axes, values that are not finite, or only zeros.
        """
        wrong = int(np.sum(~np.isfinite(self.frames)))
        if wrong:
            raise InputError(f"{self.name}: {wrong} values are not finite.")
        if self.frames.ndim != 3 or not self.frames.any():
            raise InputError(
                f"{self.name}: images of shape {self.frames.shape}, zero everywhere or of wrong axes."
            )


def to_series(images: Images, cyclic: bool = True, phase: np.ndarray | None = None) -> Series:
    """Make a series of a single coil; ``phase`` is a unit complex64 ``[y, x]`` to multiply with."""
    cine = images.frames.astype(np.complex64)
    cine = cine if phase is None else cine * phase
    maps = np.ones((1, *cine.shape[1:]), np.complex64)
    both = images.cyclic and cyclic
    return Series(cine, maps, images.name, images.subject, both, images.metadata)


def dataset(path: str, found: Sequence[Images], phase: str, cyclic: bool) -> Dataset:
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
        to_series(images, cyclic, None if p is None else p[i])
        for i, (images, p) in enumerate(zip(found, drawn, strict=True))
    )
    doubts = list(dict.fromkeys(d for images in found for d in images.doubts))
    facts = {
        "source": Path(path).name,
        "complex": False,
        "phase": phase if phase in ("none", "polynomial") else f"measured ({Path(phase).name})",
        "noise_free_reference": False,
        "coils": "single coil",
        "subjects_known": not any("subject" in doubt for doubt in doubts),
        "warnings": [CRIME, *doubts],
    }
    return Dataset(series, Path(path).stem, facts)
