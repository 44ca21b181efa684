"""Declared sizes of ``.npz`` and ``.npy`` files, checked against the file before any memory is taken."""

import math
import zipfile
from pathlib import Path

import numpy as np

from jdmri.data.formats import reading
from jdmri.errors import InputError

_MAGIC = b"\x93NUMPY"
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def check(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Refuse arrays that declare more values than their file or archive entry holds.

    Returns:
        Shape and type of each array by its key; the single array of an ``.npy`` has the key "".

    Raises:
        InputError: such an array, or an archive that grows 200-fold.
        ValueError, zipfile.BadZipFile, OSError: no NumPy file, or a damaged one.
    """
    with path.open("rb") as stream:
        begin = stream.read(len(_MAGIC))
    if begin == _MAGIC:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)  # maps it, takes no memory
        return {"": (mapped.shape, mapped.dtype)}
    with zipfile.ZipFile(path) as archive:
        items = archive.infolist()
        reading.check_declared(path, [1 + sum(item.file_size for item in items)], 1)
        return {item.filename.removesuffix(".npy"): _entry(archive, item, path) for item in items}


def _entry(
    archive: zipfile.ZipFile, item: zipfile.ZipInfo, path: Path
) -> tuple[tuple[int, ...], np.dtype]:
    with archive.open(item) as stream:
        version = np.lib.format.read_magic(stream)
        shape, _, dtype = _HEADERS.get(version, _HEADERS[2, 0])(stream)
    if math.prod(shape) * dtype.itemsize > item.file_size and not dtype.hasobject:
        raise InputError(
            f"{path}: {item.filename} declares an array {list(shape)}, which it does not hold."
        )
    return shape, dtype
