"""The slices of ``.npz`` and ``.npy`` files, after what they declare was held against their size."""

import functools
import math
import zipfile
from pathlib import Path

import numpy as np

from jdmri.data import npz, reading
from jdmri.data.magnitude import Images
from jdmri.data.reading import Entry
from jdmri.data.series import Series
from jdmri.errors import InputError

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def entries(path: Path) -> list[Entry]:
    """List the series of a file; they are read at once, as the reader ``npz`` does.

    Raises:
        InputError: the file is damaged, declares far more than it holds, or has other axes.
    """
    if not path.is_file():
        raise InputError(f"{path} is a folder; give one .npz file of it.")
    with reading.reading(path, "a NumPy file"):
        check(path)
        found = npz.npz(path=str(path))
    doubts = tuple(w for w in found.facts["warnings"] if "subject" in w)
    doubts += ("the file does not say which axis is phase encoded: its axis 2 was taken",)
    return [Entry(one.name, functools.partial(_images, one, doubts)) for one in found.series]


def check(path: Path) -> None:
    """Refuse arrays that declare more values than their file or archive entry holds, before memory is taken.

    Raises:
        InputError: such an array, or an archive that grows 200-fold.
        ValueError: Python objects, or no NumPy file.
    """
    if path.suffix == ".npy":
        np.load(path, mmap_mode="r", allow_pickle=False)  # maps what it finds, takes no memory
        return
    with zipfile.ZipFile(path) as archive:
        items = archive.infolist()
        reading.check_declared(path, [1 + sum(item.file_size for item in items)], 1)
        for item in items:
            with archive.open(item) as stream:
                version = np.lib.format.read_magic(stream)
                shape, _, dtype = _HEADERS.get(version, _HEADERS[2, 0])(stream)
            if math.prod(shape) * dtype.itemsize > item.file_size and not dtype.hasobject:
                raise InputError(
                    f"{path}: {item.filename} declares an array {list(shape)}, which it does not hold."
                )


def _images(one: Series, doubts: tuple[str, ...]) -> Images:
    frames = one.cine if one.cine.imag.any() else one.cine.real
    return Images(frames, one.name, one.subject, one.metadata, doubts)
