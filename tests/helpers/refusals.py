"""How a reader has to refuse a file."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from jdmri.data.formats import detect
from jdmri.errors import InputError
from jdmri.scans.convert import convert
from jdmri.scans.doctor import examine

MEMORY = 80 * 2**20  # bytes of arrays, for files of a few kB


def refused(path, folder, message=None):
    """Every way into the system refuses ``path`` with one line, and leaves nothing behind."""
    output = folder / "out" / "store.h5"
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=message) as caught:
            convert(path, output)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value) and 20 < len(str(caught.value)) < 600
    assert peak < MEMORY
    assert not output.parent.exists() or not list(output.parent.iterdir())
    try:
        examine(path)  # it looks at the first slice only, which may be whole
    except InputError as error:
        assert "\n" not in str(error)
    with pytest.raises(InputError):
        for entry in detect.entries(path):
            entry.load()


def save_npz(path, compressed=False, **arrays):
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def huge_npz(folder):
    return save_npz(
        folder / "a.npz", compressed=True, dataset=np.zeros((2, 16, 1024, 1024), np.float32)
    )


def lying_zip(folder):
    """An entry whose array header declares a terabyte."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10, 200, 200)}
    )
    with zipfile.ZipFile(folder / "a.npz", "w") as archive:
        archive.writestr("dataset.npy", stream.getvalue() + b"\0" * 99)
    return folder / "a.npz"
