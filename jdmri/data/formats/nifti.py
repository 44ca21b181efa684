"""Reader of NIfTI cine images, e.g. ACDC: ``patient001/patient001_4d.nii.gz`` with axes ``[x, y, slice, frame]``.

Each slice is a series; all slices of a file are of one subject, which is the folder's name. ``Info.cfg`` beside
the file (ACDC) gives group, height and weight. Source: www.creatis.insa-lyon.fr/Challenge/acdc and the NIfTI-1
standard.
"""

import functools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jdmri.data import references
from jdmri.data.formats import reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.measurements import Entry, Images
from jdmri.data.records import READERS, Dataset
from jdmri.errors import InputError

FORMAT = "NIfTI"
_SUFFIXES = (".nii", ".nii.gz")
_LABELS = re.compile(r"_(gt|seg|label|mask)\b")
_INFO = {"Group": "group", "Height": "height_cm", "Weight": "weight_kg"}


@READERS.register("nifti")
def nifti(
    *, path: str, phase_encoding_axis: int = 2, phase: str = "none", cyclic: bool = True
) -> Dataset:
    """Read cine images, which are magnitude images as scanners write them.

    Args:
        path: a ``.nii`` or ``.nii.gz`` with axes ``[x, y, slice, frame]``, or a folder; labels and files of
            fewer axes in a folder are left out.
        phase_encoding_axis: 2 if the file's x is phase encoded (ky), 3 if its y is, as in the reader ``npz``. A
            file that says which (``dim_info``) is believed.
        phase: ``none``, ``polynomial`` or a file of complex images, as in the reader ``npz``.
        cyclic: whether the last frame is followed by the first.

    Raises:
        InputError: a file is damaged or has other axes.
    """
    if phase_encoding_axis not in (2, 3):
        raise InputError(f"data.phase_encoding_axis must be 2 or 3, got {phase_encoding_axis}.")
    found = [load(phase_encoding_axis) for _, load in _index(Path(path))]
    return references.image_dataset(path, found, phase, cyclic)


def entries(path: Path) -> list[Entry]:
    """List the slices of a file, or of all files in a folder; x is taken for ky."""
    return [Entry(name, functools.partial(load, 2)) for name, load in _index(path)]


def _index(path: Path) -> list[tuple[str, Callable[[int], Images]]]:
    nibabel = reading.require("nibabel")
    listed = []
    for file in reading.find(path, _SUFFIXES, FORMAT):
        if file != path and _LABELS.search(file.name):
            continue
        with reading.reading(file, FORMAT):
            shape = nibabel.load(file).shape
        if len(shape) != 4 or shape[3] < 2:
            if file == path:
                raise InputError(f"{file} has axes {shape}; wanted [x, y, slice, frame].")
            continue
        reading.check_declared(file, shape)
        name = reading.label(file, path)
        names = [f"{name}-slice{i:02d}" for i in range(shape[2])]
        listed += [(n, functools.partial(_load, file, i, n)) for i, n in enumerate(names)]
    if not listed:
        raise InputError(f"no {FORMAT} with axes [x, y, slice, frame] in {path}.")
    return listed


def _load(file: Path, index: int, name: str, phase_encoding_axis: int) -> Images:
    """Read one slice; only its part of the file is decoded."""
    nibabel = reading.require("nibabel")
    with reading.reading(file, FORMAT):
        image = nibabel.load(file)
        frames = np.moveaxis(np.asarray(image.dataobj[:, :, index, :]), -1, 0)
        phase_axis = image.header.get_dim_info()[1]
        zooms = [float(z) for z in image.header.get_zooms()]
    if frames.dtype.kind not in "fiu":
        raise InputError(f"{file} holds values of type {frames.dtype}; wanted magnitude images.")
    warnings = ()
    if phase_axis in (0, 1):
        phase_encoding_axis = 2 + phase_axis
    else:
        warnings = (
            f"the file does not say which axis is phase encoded: {'xy'[phase_encoding_axis - 2]} was taken",
        )
    spacing = zooms[:2]
    if phase_encoding_axis == 3:
        frames, spacing = frames.swapaxes(1, 2), spacing[::-1]
    metadata = {"pixel_mm": f"{spacing[0]:.4g} x {spacing[1]:.4g}"} | _info(file)
    return Images(frames, name, _subject(file), metadata, subject_known=True, warnings=warnings)


def _subject(file: Path) -> str:
    """Return the folder if the file's name begins with it (ACDC), else the file's name."""
    folder = file.absolute().parent.name
    return folder if file.name.startswith(folder) else file.name.partition(".")[0]


def _info(file: Path) -> dict[str, str]:
    """Read ACDC's ``Info.cfg``, if it is there."""
    path = file.with_name("Info.cfg")
    if not path.is_file():
        return {}
    with reading.reading(path, "Info.cfg"):
        pairs = [line.partition(":") for line in path.read_text().splitlines()]
    return {_INFO[k.strip()]: v.strip() for k, _, v in pairs if k.strip() in _INFO}


def _recognise(file: Path, begin: bytes) -> bool:
    return file.name.lower().endswith(_SUFFIXES)


FORMATS.register(Format("nifti", entries, _recognise, measured=False))
