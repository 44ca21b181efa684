"""Reader of SKM-TEA's raw data (``files_recon_calib-24/MTR_*.h5``): static knees, two echoes, 8 or 16 coils.

``kspace`` is complex64 ``[x, ky, kz, echo, coil]``: the readout is transformed already, so each x is a 2-D slice whose
two axes are both phase encodings; kz takes the place of kx. It is zero-padded, twofold accelerated with elliptical
sampling, and ARC filled the gaps; the publisher calls that fully sampled, and its corners are zero. ``maps [x, y, z, coil,
set]``, ``target [x, y, z, echo, set]`` and the masks ``masks/poisson_*`` are left: maps are estimated and masks drawn
here as for all data. Source: DATASET.md of github.com/StanfordMIMI/skm-tea, section "Raw Data Track", and its
``skm_tea/data/dataset.py``, which takes ``kspace[x, ..., echo, :]``; Desai et al. 2022, arXiv:2203.06823.
"""

import functools
import itertools
from pathlib import Path

import h5py
import numpy as np

from jdmri.data import references
from jdmri.data.formats import reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.measurements import Entry, Measurement
from jdmri.data.records import READERS, Dataset
from jdmri.data.references import sampled
from jdmri.errors import InputError

FORMAT = "SKM-TEA .h5"
NUM_AXES = 5
_ECHOES = 2
_INSIDE = 0.9  # of the radii of the ellipse: its rim is not whole
_NOTES = (
    "both axes are phase encodings: kz takes the place of the readout",
    "ARC filled in half of k-space before it was published: not every value was measured",
)
_WARNINGS = ("the file names the scan, not the subject: each file counts as one subject",)


@READERS.register("skmtea")
def skmtea(*, path: str) -> Dataset:
    """Read SKM-TEA, each x position and echo a series of one frame.

    Args:
        path: an ``.h5``, or a folder of them. A whole file has 1,024 series: convert it, so that it is streamed.

    Raises:
        InputError: a file is damaged, has other axes, or is undersampled.
    """
    return references.measured_dataset(path, entries(Path(path)), False)


def entries(path: Path) -> list[Entry]:
    """List the slices of a file, or of all files in a folder; echoes follow each other."""
    files = reading.find(path, (".h5",), FORMAT)
    return list(itertools.chain.from_iterable(_slices(file, path) for file in files))


def _slices(file: Path, root: Path) -> list[Entry]:
    with reading.reading(file, FORMAT), h5py.File(file) as content:
        num_slices, *_ = _shape(content, file)
    name, listed = reading.label(file, root), []
    for x, echo in itertools.product(range(num_slices), range(_ECHOES)):
        this = f"{name}-x{x:03d}-echo{echo + 1}"
        listed.append(Entry(this, functools.partial(_load, file, x, echo, this)))
    return listed


def _shape(content: h5py.File, file: Path) -> tuple[int, ...]:
    """Return the shape of k-space.

    Raises:
        InputError: other axes, or maps that do not belong to it.
    """
    kspace, maps = content.get("kspace"), content.get("maps")
    shape = getattr(kspace, "shape", ())
    if len(shape) != NUM_AXES or shape[3] != _ECHOES:
        raise InputError(
            f"{file} needs 'kspace' with axes [x, ky, kz, echo, coil] and {_ECHOES} echoes, it has "
            f"{shape or 'no such array'}."
        )
    if maps is not None and maps.shape[:4] != (*shape[:3], shape[4]):
        raise InputError(
            f"{file}: 'maps' {maps.shape} are not [x, y, z, coil, set] of 'kspace' {shape}, "
            f"[x, ky, kz, echo, coil]; its axes are in another order."
        )
    reading.check_declared(file, shape, kspace.dtype.itemsize)
    return shape


def _load(file: Path, x: int, echo: int, name: str) -> Measurement:
    with reading.reading(file, FORMAT), h5py.File(file) as content:
        _shape(content, file)
        one = reading.complex64(content["kspace"][x, :, :, echo, :])
    kspace = np.ascontiguousarray(
        one.transpose(2, 0, 1)[None]
    )  # [ky, kz, coil] → [1, coil, ky, kz]
    return Measurement(
        kspace=kspace,
        mask=_mask(kspace),
        name=name,
        subject=file.stem,
        cyclic=False,
        metadata={"echo": str(echo + 1)},
        notes=_NOTES,
        warnings=_WARNINGS,
    )


def _mask(kspace: np.ndarray) -> np.ndarray:
    """Count the lines of a filled ellipse as whole, as the publisher does; else take the points that are there."""
    points = (kspace != 0).any(axis=1)
    radii = []
    for axis, size in zip((2, 1), kspace.shape[-2:], strict=True):
        used = np.flatnonzero(points.any(axis=(0, axis)))
        first, last = (used[0], used[-1]) if len(used) else (0, 0)
        radii.append((np.arange(size) - (first + last) / 2) / max((last - first) / 2, 1))
    inside = np.add.outer(radii[0] ** 2, radii[1] ** 2) < _INSIDE**2
    return points.any(axis=-1, keepdims=True) if points[:, inside].all() else sampled(kspace)


def _recognise(file: Path, content: h5py.File) -> bool:
    return getattr(content.get("kspace"), "ndim", None) == NUM_AXES


FORMATS.register(
    Format("skmtea", entries, recognise_hdf5=_recognise, priority=3, suffixes=(".h5",))
)
