"""One measured slice: the record that every reader of k-space produces."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from jdmri.data import numpy_fourier
from jdmri.data.records import Series
from jdmri.errors import InputError
from jdmri.ops import coil_maps

_PADDING_TOLERANCE = 2  # lines by which zero-padding may differ between the two sides
_LINE_SHARE = 0.9  # of the columns in use: a line of which so much was measured counts as whole


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What a scanner measured of one slice, complete or undersampled.

    Attributes:
        kspace: complex64 ``[frame, coil, ky, kx]``, centred (DC at N // 2), zero where not sampled.
        mask: bool ``[frame, ky, 1]``, the lines that are present; ``[frame, ky, kx]`` where lines are
            present in part (pseudo-radial sampling).
        name: identifies the slice among those of its source.
        subject: who was scanned.
        noise: complex64 ``[coil, sample]`` of a noise scan; None where there is none.
        cyclic: whether the last frame is followed by the first.
        pixel_spacing: (y, x) in mm; None if not known.
        frame_time: ms from frame to frame; None if not known.
        metadata: what else the file says.
        facts: sentences on what the reader did.
        doubts: sentences on what the file does not say, and what was taken instead.
    """

    kspace: np.ndarray
    mask: np.ndarray
    name: str
    subject: str
    noise: np.ndarray | None = None
    cyclic: bool = True
    pixel_spacing: tuple[float, float] | None = None
    frame_time: float | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    facts: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

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
