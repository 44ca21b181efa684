"""Patient, geometry and timing metadata of an ISMRMRD slice: from its XML header and the headers of its readouts.

The readouts' ``position`` is the centre of the field of view in the patient's coordinates, where the Fourier transform
puts pixel N // 2; ``read_dir`` and ``phase_dir`` are the directions of x and y. Source: the documentation of
ismrmrd.readthedocs.io, where coordinates are those of DICOM. The unit of physiological time stamps is the vendor's:
Siemens counts 2.5 ms (github.com/ismrmrd/siemens_to_ismrmrd); others are not known, and left out.
"""

from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from jdmri.data.formats import reading
from jdmri.data.formats.ismrmrd_readouts import Scan, frames
from jdmri.data.measurements import Origin

_TICK = 2.5  # ms
_EXACT = 0.01  # by which directions may miss unit length and right angles
_PATIENT, _STUDY = "subjectInformation.", "studyInformation."
_SYSTEM, _MEASUREMENT = "acquisitionSystemInformation.", "measurementInformation."
_PLACES = {
    "PatientName": _PATIENT + "patientName",
    "PatientID": _PATIENT + "patientID",
    "PatientBirthDate": _PATIENT + "patientBirthdate",
    "PatientSex": _PATIENT + "patientGender",
    "PatientWeight": _PATIENT + "patientWeight_kg",
    "PatientSize": _PATIENT + "patientHeight_m",
    "StudyInstanceUID": _STUDY + "studyInstanceUID",
    "StudyDate": _STUDY + "studyDate",
    "StudyTime": _STUDY + "studyTime",
    "StudyID": _STUDY + "studyID",
    "AccessionNumber": _STUDY + "accessionNumber",
    "ReferringPhysicianName": _STUDY + "referringPhysicianName",
    "StudyDescription": _STUDY + "studyDescription",
    "BodyPartExamined": _STUDY + "bodyPartExamined",
    "PatientPosition": _MEASUREMENT + "patientPosition",
    "ProtocolName": _MEASUREMENT + "protocolName",
    "SequenceName": _MEASUREMENT + "sequenceName",
    "FrameOfReferenceUID": _MEASUREMENT + "frameOfReferenceUID",
    "Manufacturer": _SYSTEM + "systemVendor",
    "ManufacturerModelName": _SYSTEM + "systemModel",
    "MagneticFieldStrength": _SYSTEM + "systemFieldStrength_T",
    "InstitutionName": _SYSTEM + "institutionName",
    "StationName": _SYSTEM + "stationName",
    "DeviceSerialNumber": _SYSTEM + "deviceSerialNumber",
}
_LISTS = {"RepetitionTime": "TR", "EchoTime": "TE", "InversionTime": "TI", "FlipAngle": "flipAngle_deg"}  # fmt: skip


def tags(xml: bytes | str, file: Path, contrast: int = 0) -> dict[str, str]:
    """Translate a header into DICOM keywords and texts; what it does not say is left out.

    Args:
        xml: the text of the header.
        file: where it is from, for messages.
        contrast: which of several echo, inversion or repetition times belongs to the slice.

    Raises:
        InputError: it is no such header.
    """
    package = reading.require("ismrmrd.xsd")
    with reading.reading(file, "an ISMRMRD header"):
        header = package.CreateFromDocument(xml)
        found = {keyword: _get(header, place) for keyword, place in _PLACES.items()}
        for keyword, name in _LISTS.items():
            given = _get(header, "sequenceParameters." + name) or []
            # One value holds for all contrasts, several are theirs.
            found[keyword] = given[0] if len(given) == 1 else next(iter(given[contrast:]), None)
        found["SliceThickness"] = header.encoding[0].reconSpace.fieldOfView_mm.z
        return {k: _text(v) for k, v in found.items() if v not in (None, "")}


def slice_origin(scan: Scan, which: tuple[int, ...], tags: Mapping[str, str]) -> Origin:
    """Describe one slice of a file.

    Args:
        scan: the file.
        which: values of `readouts.GROUPING`.
        tags: what its header says.
    """
    heads = scan.heads[scan.readouts_of(which)]
    first = heads[0]
    directions = _directions(first)
    center = tuple(float(v) for v in first["position"]) if directions else None
    vendor = tags.get("Manufacturer", "").lower()
    times = _times(scan, heads) if vendor.startswith("siemens") else ()
    return Origin(tags, center, directions, times)


def _get(header: Any, place: str) -> Any:
    try:
        return attrgetter(place)(header)
    except AttributeError:  # a part of the header that is not given
        return None


def _text(value: Any) -> str:
    """Write a value as DICOM does: dates 20260131, times 123456."""
    if hasattr(value, "year"):
        return f"{value.year:04d}{value.month:02d}{value.day:02d}"
    if hasattr(value, "hour"):
        return f"{value.hour:02d}{value.minute:02d}{value.second:02d}"
    return f"{value:.10g}" if isinstance(value, float) else str(getattr(value, "value", value))


def _directions(head: np.ndarray) -> tuple[float, ...] | None:
    """Return x and y of the image in the patient; None where they are no unit vectors at right angles."""
    axes = np.array([head["read_dir"], head["phase_dir"]], float)
    right = np.isfinite(head["position"]).all() and np.allclose(
        axes @ axes.T, np.eye(2), atol=_EXACT
    )
    return tuple(axes.ravel().tolist()) if right else None


def _times(scan: Scan, heads: np.ndarray) -> tuple[float, ...]:
    """Return the mean time stamp of each frame; none where a frame has none or they do not grow."""
    frame, count = frames(scan, heads)
    stamps = heads["physiology_time_stamp"][:, 0] * _TICK
    lines = np.bincount(frame, minlength=count)
    means = np.bincount(frame, stamps, count) / np.maximum(lines, 1)
    known = lines.all() and means.any() and (np.diff(means) > 0).all()
    return tuple(means.tolist()) if known else ()
