"""Reader of measured k-space in NumPy files: an ``.npz`` with the key ``kspace``, or an ``.npy`` named so.

``kspace`` is complex ``[coil, ky, kx]``, one frame, or ``[frame, coil, ky, kx]``, zero where not sampled, with DC
at N // 2. The optional ``mask`` is ``[ky]``, ``[ky, kx]`` or ``[frame, ky, kx or 1]``; without it zeros are the mask.
An ``.npz`` with the key ``dataset`` holds images: see the reader ``npz``.
"""

import functools
from pathlib import Path

import numpy as np

from jdmri.data import references
from jdmri.data.formats import npz_headers, reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.measurements import Entry, Measurement
from jdmri.data.records import READERS, Dataset
from jdmri.data.references import sampled
from jdmri.errors import InputError

FORMAT = "k-space in a NumPy file"
KEY, MASK = "kspace", "mask"
_SUFFIXES = (".npz", ".npy")
_WARNINGS = (
    "the file does not say which axis is phase encoded: the second to last was taken for ky",
    "the file does not name the subject: each file counts as one subject",
)


@READERS.register("npz_kspace")
def npz_kspace(*, path: str, cyclic: bool = True) -> Dataset:
    """Read fully sampled k-space of NumPy files, each a series.

    Args:
        path: an ``.npz`` or ``.npy``, or a folder of them.
        cyclic: whether the last frame is followed by the first.

    Raises:
        InputError: a file is damaged, has other axes, or is undersampled.
    """
    return references.measured_dataset(path, entries(Path(path)), cyclic)


def entries(path: Path) -> list[Entry]:
    """List the files."""
    named = [(reading.label(file, path), file) for file in reading.find(path, _SUFFIXES, FORMAT)]
    return [Entry(name, functools.partial(_load, file, name)) for name, file in named]


def is_kspace(file: Path) -> bool:
    """Whether a NumPy file holds k-space rather than images, by its keys and types alone."""
    with reading.reading(file, "a NumPy file"):
        held = npz_headers.check(file)
    if "" in held:
        return KEY in file.stem.lower() and held[""][1].kind == "c"
    return KEY in held and "dataset" not in held


def _load(file: Path, name: str) -> Measurement:
    with reading.reading(file, FORMAT):
        kspace, mask = _arrays(file)
    warnings, notes = list(_WARNINGS), []
    if kspace.ndim == 3:
        kspace = kspace[None]
        warnings.append("three axes were taken for [coil, ky, kx], one frame")
    kspace = kspace.astype(np.complex64)
    if mask is not None:
        points = _points(mask, kspace, file)
        hidden = np.mean(kspace.any(axis=1)[~points]) if not points.all() else 0
        if hidden:
            notes.append(f"the mask hides k-space that is not zero at {hidden:.0%} of its points")
        kspace, mask = np.where(points[:, None], kspace, 0), _lines(points)
    mask = sampled(kspace) if mask is None else mask
    if mask.shape[-1] > 1 and (mask == mask[:1]).all():
        warnings.append(
            "the sampling is of points, the same in all frames: both axes may be phase encoded"
        )
    return Measurement(
        kspace,
        mask,
        name,
        name,
        cyclic=len(kspace) > 1,
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


def _arrays(file: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read k-space and the mask, if there is one."""
    npz_headers.check(file)
    loaded = np.load(file, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return _checked(loaded, file), None
    with loaded:
        if KEY not in loaded.files:
            raise InputError(f"{file} needs the key {KEY!r}, it holds {loaded.files or 'nothing'}.")
        return _checked(loaded[KEY], file), loaded[MASK] if MASK in loaded.files else None


def _checked(kspace: np.ndarray, file: Path) -> np.ndarray:
    if kspace.dtype.kind != "c" or kspace.ndim not in (3, 4):
        raise InputError(
            f"{file} holds {kspace.dtype} k-space of shape {kspace.shape}; wanted complex [coil, ky, kx] or "
            f"[frame, coil, ky, kx]."
        )
    return kspace


def _points(mask: np.ndarray, kspace: np.ndarray, file: Path) -> np.ndarray:
    """Spread a mask to bool ``[frame, ky, kx]``.

    Raises:
        InputError: it is no mask of this k-space.
    """
    frames, _, *matrix = kspace.shape
    mask = mask[:, None] if mask.ndim == 1 else mask
    mask = mask[None] if mask.ndim == 2 else mask
    fits = all(n in (1, m) for n, m in zip(mask.shape, (frames, *matrix), strict=False))
    if mask.ndim != 3 or mask.shape[1] != matrix[0] or not fits or not np.isin(mask, (0, 1)).all():
        raise InputError(
            f"{file}: a mask of shape {mask.shape} with k-space {kspace.shape}; wanted zeros and ones [ky], [ky, kx] "
            f"or [frame, ky, kx or 1]."
        )
    return np.broadcast_to(mask.astype(bool), (frames, *matrix))


def _lines(points: np.ndarray) -> np.ndarray:
    """Shorten a mask whose lines are present as a whole or not at all to ``[frame, ky, 1]``."""
    lines = points.all(axis=-1, keepdims=True)
    return lines if (points == lines).all() else points


def _recognise(file: Path, begin: bytes) -> bool:
    return file.name.lower().endswith(_SUFFIXES) and is_kspace(file)


FORMATS.register(Format("npz_kspace", entries, _recognise))
