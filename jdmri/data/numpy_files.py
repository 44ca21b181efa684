"""The slices of ``.npz`` and ``.npy`` files of images."""

import functools
from pathlib import Path

from jdmri.data.formats import npz_images, reading
from jdmri.data.formats.reading import Entry
from jdmri.data.magnitude import Images
from jdmri.data.records import Series
from jdmri.errors import InputError


def entries(path: Path) -> list[Entry]:
    """List the series of a file; they are read at once, as the reader ``npz`` does.

    Raises:
        InputError: the file is damaged, declares far more than it holds, or has other axes.
    """
    if not path.is_file():
        raise InputError(f"{path} is a folder; give one .npz file of it.")
    with reading.reading(path, "a NumPy file"):
        found = npz_images.npz(path=str(path))
    doubts = tuple(w for w in found.facts["warnings"] if "subject" in w)
    doubts += ("the file does not say which axis is phase encoded: its axis 2 was taken",)
    return [Entry(one.name, functools.partial(_images, one, doubts)) for one in found.series]


def _images(one: Series, doubts: tuple[str, ...]) -> Images:
    frames = one.cine if one.cine.imag.any() else one.cine.real
    return Images(frames, one.name, one.subject, one.metadata, doubts)
