"""The headers of derived DICOM images: what the source says, what the reconstruction adds, and identifiers."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jdmri.data.formats import reading
from jdmri.data.measurements import Measurement, Origin
from jdmri.runtime.log import log

_NOT_FOR_DIAGNOSIS = "not for diagnostic use"
_TEXT = 64  # characters of a long string (LO)
_NAME = 200  # characters of a name in a text of 1024 (ST)
# Attributes that the standard wants even where nothing is known (type 2).
_EMPTY = (
    "PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID "
    "AccessionNumber Manufacturer ContentDate ContentTime PatientOrientation"
).split()
_EMPTY_MR = "PatientPosition PositionReferenceIndicator SliceThickness RepetitionTime EchoTime EchoTrainLength ScanOptions".split()


class Identity(NamedTuple):
    """The identifiers of a slice's study, series and frame of reference."""

    study: str
    series: str
    frame_of_reference: str


def identities(
    scans: Sequence[Measurement],
    found: Sequence[Origin],
    cines: Sequence[np.ndarray],
    series: Sequence[int],
    method: str,
) -> list[Identity]:
    """Give the slices their identifiers: the source's study, or a digest of its k-space; always a new series."""
    studies: dict[tuple, str] = {}
    for scan, origin in zip(scans, found, strict=True):
        given = _valid("StudyInstanceUID", origin)
        key = (scan.subject, *study_key(origin))
        studies.setdefault(key, given or uid("study", *key, _digest(scan.kspace)))
    pixels = {number: hashlib.sha256(method.encode()) for number in series}
    for cine, number in zip(cines, series, strict=True):
        pixels[number].update(np.ascontiguousarray(cine).tobytes())
    out = []
    for scan, origin, number in zip(scans, found, series, strict=True):
        study = studies[scan.subject, *study_key(origin)]
        reference = _valid("FrameOfReferenceUID", origin) or uid("frame of reference", study)
        this = uid("series", study, str(number), pixels[number].hexdigest())
        out.append(Identity(study, this, reference))
    return out


def study_key(origin: Origin) -> tuple[str, ...]:
    """Return what tells one examination from another."""
    return tuple(origin.tags.get(k, "") for k in ("PatientID", "PatientName", "StudyInstanceUID"))


def uid(*words: str) -> str:
    """Derive an identifier from texts, under the root 2.25 of UUIDs (DICOM PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(('jdmri', *words))).int}"


def distance(origin: Origin) -> float | None:
    """Return the place of a slice along its normal in mm, to 0.01 mm."""
    if origin.center is None or origin.directions is None:
        return None
    axes = np.reshape(origin.directions, (2, 3))
    return round(float(np.cross(*axes) @ np.array(origin.center)), 2)


def slice_header(
    scan: Measurement, origin: Origin, identity: Identity, method: str, shape: tuple[int, ...]
) -> Any:
    """Make the data set that all frames of a slice share.

    Args:
        scan: what was measured.
        origin: what the source says of it.
        identity: its identifiers.
        method: names the reconstruction.
        shape: ``[frame, y, x]`` of the images.
    """
    header = _begin(placed := distance(origin) is not None and scan.pixel_spacing is not None)
    for keyword in (*_EMPTY, *(_EMPTY_MR if placed else ())):
        setattr(header, keyword, None)
    for keyword in origin.tags:
        if (value := _valid(keyword, origin)) is not None:
            setattr(header, keyword, value)
    header.SpecificCharacterSet, header.Modality = "ISO_IR 192", "MR"
    header.StudyInstanceUID, header.SeriesInstanceUID = identity.study, identity.series
    header.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    header.SeriesDescription = f"jdmri {method}"[: _TEXT - 24] + f", {_NOT_FOR_DIAGNOSIS}"
    header.DerivationDescription = (
        f"Magnitude reconstructed by jdmri from the k-space {scan.name[:_NAME]} with {method[:_NAME]}; "
        f"{_NOT_FOR_DIAGNOSIS}."
    )
    header.InPlanePhaseEncodingDirection, header.BurnedInAnnotation = "COL", "NO"
    _set_pixels(header, scan, shape)
    if placed:
        _set_plane(header, scan, origin, identity)
    return header


def set_frame(header: Any, scan: Measurement, origin: Origin, frame: int, count: int) -> None:
    """Set the time of one frame, where it is known, and its number."""
    time = frame * scan.frame_time if scan.frame_time else None
    time = origin.times[frame] if len(origin.times) == count else time
    if time is not None and count > 1:
        header.TriggerTime = _number(time)
    header.TemporalPositionIdentifier, header.NumberOfTemporalPositions = frame + 1, count


def _begin(placed: bool) -> Any:
    """Start a file of the class that fits."""
    pydicom = reading.require("pydicom")
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    kinds = pydicom.uid.SecondaryCaptureImageStorage, pydicom.uid.MRImageStorage
    meta.MediaStorageSOPClassUID = kinds[placed]
    header = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID = meta.MediaStorageSOPClassUID
    if placed:
        # Research mode, no variant: the standard wants a value, and few sources say more.
        header.ScanningSequence, header.SequenceVariant = "RM", "NONE"
        header.MRAcquisitionType = "2D"
    else:
        header.ConversionType = "WSD"  # made on a workstation
    return header


def _set_pixels(header: Any, scan: Measurement, shape: tuple[int, ...]) -> None:
    """Describe grey values of 16 bits, and their spacing between rows and columns."""
    _, header.Rows, header.Columns = shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit, header.PixelRepresentation = 15, 0
    if scan.pixel_spacing is not None:
        header.PixelSpacing = [_number(v) for v in scan.pixel_spacing]


def _set_plane(header: Any, scan: Measurement, origin: Origin, identity: Identity) -> None:
    """Set where the slice lies: DICOM wants the centre of the first pixel, the source gives that of pixel N // 2."""
    along_x, along_y = np.reshape(origin.directions, (2, 3))
    spacing_y, spacing_x = scan.pixel_spacing
    first = (
        np.array(origin.center)
        - (header.Columns // 2) * spacing_x * along_x
        - (header.Rows // 2) * spacing_y * along_y
    )
    header.ImagePositionPatient = [_number(v) for v in first]
    header.ImageOrientationPatient = [_number(v) for v in (*along_x, *along_y)]
    header.FrameOfReferenceUID = identity.frame_of_reference


def _number(value: float) -> str:
    """Write a decimal string of at most 16 characters."""
    return f"{float(value) + 0.0:.9g}"


def _valid(keyword: str, origin: Origin) -> str | None:
    """Return a value of the source if DICOM can hold it; the log says so if not, without naming anybody."""
    pydicom = reading.require("pydicom")
    value = origin.tags.get(keyword)
    value = value.upper() if keyword == "BodyPartExamined" and value else value
    try:
        if value:
            kind = pydicom.datadict.dictionary_VR(keyword)
            pydicom.valuerep.validate_value(kind, value, pydicom.config.RAISE)
    except ValueError:
        log.info("the source's %s is no valid DICOM value and is left out.", keyword)
        return None
    return value or None


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
