"""One slice as its file holds it: the records that readers produce before there is a reference image."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from jdmri.errors import InputError


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What a scanner measured of one slice, complete or undersampled.

    Attributes:
        kspace: complex64 ``[frame, coil, ky, kx]``, centred (DC at N // 2), zero where not sampled.
        mask: bool ``[frame, ky, 1]``, the lines that are present; ``[frame, ky, kx]`` where lines are
            present in part (pseudo-radial sampling).
        name: identifies the slice among those of its source.
        subject: who was scanned, or what stands for it.
        subject_known: whether the source says who was scanned; a reader that does not say so claims nothing.
        noise: complex64 ``[coil, sample]`` of a noise scan; None where there is none.
        cyclic: whether the last frame is followed by the first.
        pixel_spacing: (y, x) in mm; None if not known.
        frame_time: ms from frame to frame; None if not known.
        metadata: what else the file says.
        notes: sentences on what the reader did.
        warnings: sentences on what the file does not say, and what was taken instead.
    """

    kspace: np.ndarray
    mask: np.ndarray
    name: str
    subject: str
    subject_known: bool = False
    noise: np.ndarray | None = None
    cyclic: bool = True
    pixel_spacing: tuple[float, float] | None = None
    frame_time: float | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self):
        """Refuse what no method can use.

        Raises:
            InputError: wrong axes, values that are not finite, or nothing but zeros.
        """
        shape = self.kspace.shape
        if len(shape) != 4 or not self.kspace.size or self.mask.shape[:2] != (shape[0], shape[2]):
            raise InputError(
                f"{self.name}: k-space of shape {shape} with a mask of shape {self.mask.shape}; wanted "
                f"[frame, coil, ky, kx] and [frame, ky, 1]."
            )
        wrong = int(np.sum(~np.isfinite(self.kspace)))
        if wrong:
            raise InputError(f"{self.name}: {wrong} values of k-space are not finite.")
        if not self.mask.any() or not self.kspace.any():
            raise InputError(f"{self.name}: k-space is zero everywhere.")


@dataclasses.dataclass(frozen=True)
class Images:
    """One slice of images over time: magnitudes of a scanner, or complex images of a NumPy file.

    Attributes:
        frames: real or complex ``[frame, y, x]``, phase encoding along ``y``.
        name: identifies it in its source.
        subject: who was scanned, or what stands for it.
        metadata: what else is known.
        subject_known: whether the source says who was scanned; a reader that does not say so claims nothing.
        cyclic: whether the last frame is followed by the first.
        notes: sentences on what the reader did.
        warnings: sentences on what the file does not say, and what was taken instead.
    """

    frames: np.ndarray
    name: str
    subject: str
    metadata: Mapping[str, str]
    subject_known: bool = False
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
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


@dataclasses.dataclass(frozen=True)
class Entry:
    """One slice of a source that can be loaded: listing is cheap, loading is not.

    Attributes:
        name: identifies it among those of its source.
        load: reads it.
    """

    name: str
    load: Callable[[], Measurement | Images]


@dataclasses.dataclass(frozen=True)
class Origin:
    """Patient, geometry and timing metadata of a slice, used only when writing DICOM.

    It stays apart from `Measurement`, whose fields go into stores, cards and reports: those name nobody.
    What the file does not say is missing here.

    Attributes:
        tags: patient, study, device and sequence, as DICOM keyword → text.
        center: (x, y, z) in mm of the pixel (N_y // 2, N_x // 2), in DICOM's patient coordinates (LPS).
        directions: unit vectors along which x and y of the image grow, six numbers.
        times: ms from the trigger to each frame.
    """

    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    center: tuple[float, ...] | None = None
    directions: tuple[float, ...] | None = None
    times: tuple[float, ...] = ()
