"""Writer of reconstructions as a derived DICOM series: a folder ``NAME.dicom`` with one file an image.

Patient, study, device, place and time are those of the source as far as it says them (`Origin`); nothing is
made up. An image whose place is known is an MR Image, whose standard demands place and pixel spacing (DICOM PS3.3
A.4.3); any other is a Secondary Capture (A.8.1). The identifiers are digests of the data, so that the same
reconstruction has the same ones.
"""

import collections
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jdmri.data.formats import reading
from jdmri.data.measurements import Measurement, Origin
from jdmri.runtime import files
from jdmri.scans import dicom_header

_TOP = 65535  # largest value of 16 bits


def write(
    path: Path,
    cines: Sequence[np.ndarray],
    scans: Sequence[Measurement],
    origins: Mapping[str, Origin],
    method: str,
) -> None:
    """Write magnitudes as 16 bits with the slope that gives the values back.

    Args:
        path: a folder, made here, whole or not at all.
        cines: ``[frame, y, x]`` of each slice.
        scans: what they were reconstructed from.
        origins: what the source says of each slice, by its name.
        method: names the reconstruction in the descriptions.

    Raises:
        InputError: pydicom is missing.
    """
    reading.require("pydicom")
    slope = _slope(max(float(np.abs(cine).max()) for cine in cines))
    found = [origins.get(scan.name, Origin()) for scan in scans]
    series = _series(scans, found)
    identity = dicom_header.identities(scans, found, cines, series, method)

    def fill(folder: Path) -> None:
        counts = collections.Counter()
        for i, (cine, scan, origin) in enumerate(zip(cines, scans, found, strict=True)):
            header = dicom_header.slice_header(scan, origin, identity[i], method, cine.shape)
            header.SeriesNumber = series[i] + 1
            header.RescaleSlope, header.RescaleIntercept, header.RescaleType = slope, 0, "US"
            for f, image in enumerate(np.abs(cine)):
                counts[series[i]] += 1
                header.InstanceNumber = counts[series[i]]
                dicom_header.set_frame(header, scan, origin, f, len(cine))
                _save(folder / f"slice{i:03d}-frame{f:03d}.dcm", header, image, float(slope))

    files.write_folder_atomic(path, fill)


def _slope(peak: float) -> Any:
    """Return the value of one step; DICOM writes it in 16 characters, and that number counts."""
    from pydicom.valuerep import DSfloat

    # Rounded up in its tenth digit, so that the peak does not exceed 16 bits.
    return DSfloat(f"{peak / _TOP * (1 + 1e-9):.9e}" if peak > 0 else "1")


def _save(path: Path, header: Any, image: np.ndarray, slope: float) -> None:
    pixels = np.rint(image / slope).clip(0, _TOP).astype("<u2")
    header.PixelData = pixels.tobytes()
    header.SOPInstanceUID = dicom_header.uid("image", header.SeriesInstanceUID, path.name)
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.save_as(path, enforce_file_format=True)


def _series(scans: Sequence[Measurement], found: Sequence[Origin]) -> list[int]:
    """Number the series of the slices: one for each person and direction, and slices in it at places of their own.

    Slices of unknown place, and echoes or sets of one place, go into series of their own: readers tell them apart
    by their place alone.
    """
    numbers: dict[tuple, int] = {}
    taken = collections.Counter()
    out = []
    for scan, origin in zip(scans, found, strict=True):
        group = (scan.subject, *dicom_header.study_key(origin), _rounded(origin.directions, 4))
        place = (*group, dicom_header.distance(origin))
        key = (*group, taken[place])
        taken[place] += 1
        out.append(numbers.setdefault(key, len(numbers)))
    return out


def _rounded(values: tuple[float, ...] | None, digits: int) -> tuple[float, ...]:
    return tuple(round(v, digits) for v in values or ())
