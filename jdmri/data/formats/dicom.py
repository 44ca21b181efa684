"""Reader of DICOM cine: folders of single images, and enhanced multi-frame files.

Images are grouped by series and slice position along the slice normal, and sorted by trigger time, or by instance
number where there is none. Source: DICOM PS3.3, modules MR Image, Image Plane, Cardiac Synchronization, and the
functional groups of Enhanced MR.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from jdmri.data import references
from jdmri.data.formats import reading
from jdmri.data.formats.dicom_index import (
    FORMAT,
    Frame,
    header_of,
    index,
    macro,
)
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.measurements import Entry, Images
from jdmri.data.records import READERS, Dataset
from jdmri.errors import InputError


@READERS.register("dicom")
def dicom(*, path: str, phase: str = "none", cyclic: bool = True) -> Dataset:
    """Read cine images from a folder of DICOM files (or one enhanced file).

    People are named by a digest of the PatientID, so that no report carries it.

    Args:
        path: a folder, searched with all below it, or a file.
        phase: ``none``, ``polynomial`` or a file of complex images, as in the reader ``npz``.
        cyclic: whether the last frame is followed by the first.

    Raises:
        InputError: a file is damaged, is no grey-scale image, or a slice has fewer than two frames.
    """
    found = [_load(frames, name) for name, frames in index(Path(path))]
    return references.image_dataset(path, found, phase, cyclic)


def entries(path: Path) -> list[Entry]:
    """List the slices of a folder or file."""
    return [Entry(name, functools.partial(_load, frames, name)) for name, frames in index(path)]


def _load(frames: list[Frame], name: str) -> Images:
    pydicom = reading.require("pydicom")
    # The frames of a multi-frame file follow each other: one file is kept.
    read = functools.lru_cache(1)(lambda file: _pixels(pydicom, file))
    shapes, images, header = set(), [], None
    for frame in frames:
        with reading.reading(frame.file, FORMAT):
            header, pixels = read(frame.file)
            images.append(_rescaled(header, pixels[frame.index], frame.index))
            shapes.add(images[-1].shape)
    if len(shapes) > 1:
        raise InputError(
            f"{frames[0].file.parent}: the images of {name} differ in size, {sorted(shapes)}."
        )
    with reading.reading(frames[0].file, FORMAT):
        return _turned(np.stack(images), header, name, frames)


def _pixels(pydicom: Any, file: Path) -> tuple[Any, np.ndarray]:
    header_of(file)
    header = pydicom.dcmread(file)
    pixels = header.pixel_array
    return header, pixels if pixels.ndim == 3 else pixels[None]


def _rescaled(header: Any, pixels: np.ndarray, index: int) -> np.ndarray:
    """Apply the rescale slope and intercept of the image, or of its frame."""
    slope, intercept = header.get("RescaleSlope"), header.get("RescaleIntercept")
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if groups is not None:
        shared = (header.get("SharedFunctionalGroupsSequence") or [{}])[0]
        look = lambda k: macro(groups[index], shared, "PixelValueTransformationSequence", k)
        slope, intercept = look("RescaleSlope"), look("RescaleIntercept")
    slope = 1.0 if slope is None else float(slope)
    return pixels.astype(np.float32) * np.float32(slope) + np.float32(intercept or 0)


def _turned(images: np.ndarray, header: Any, name: str, frames: list[Frame]) -> Images:
    """Turn images so that phase encoding runs along y, and say what is known of them."""
    shared = (header.get("SharedFunctionalGroupsSequence") or [{}])[0]
    group = (header.get("PerFrameFunctionalGroupsSequence") or [{}])[0]
    spacing = header.get("PixelSpacing") or macro(
        group, shared, "PixelMeasuresSequence", "PixelSpacing"
    )
    direction = header.get("InPlanePhaseEncodingDirection") or macro(
        group, shared, "MRFOVGeometrySequence", "InPlanePhaseEncodingDirection"
    )
    warnings = []
    if direction not in ("ROW", "COL", "COLUMN"):
        warnings.append("the phase encoding direction is not given: columns (y) were taken")
    if None in {frame.time for frame in frames}:
        warnings.append("no trigger times: frames are in the order of their instance numbers")
    if (header.get("ImageType") or [""])[0] == "DERIVED":
        warnings.append(
            "the header calls the images derived: somebody processed or reconstructed them"
        )
    if not header.get("PatientID"):
        warnings.append("no PatientID names the subject: all such files count as one subject")
    spacing = [float(v) for v in spacing] if spacing else None
    if direction == "ROW":  # phase encoding along a row, that is along x
        images, spacing = images.swapaxes(1, 2), spacing and spacing[::-1]
    subject = reading.pseudonym(str(header.get("PatientID", "")))
    field = header.get("MagneticFieldStrength")
    metadata = {"field": f"{float(field):g}"} if field else {}
    metadata |= {"pixel_mm": f"{spacing[0]:.4g} x {spacing[1]:.4g}"} if spacing else {}
    return Images(
        images,
        name,
        subject,
        metadata,
        subject_known=bool(header.get("PatientID")),
        warnings=tuple(warnings),
    )


def _recognise(file: Path, begin: bytes) -> bool:
    return begin[128:132] == b"DICM"


# Asked after the formats that are known by their names, since its first 128 bytes may be anything.
FORMATS.register(
    Format("dicom", entries, _recognise, priority=2, measured=False, suffixes=(".dcm",))
)
