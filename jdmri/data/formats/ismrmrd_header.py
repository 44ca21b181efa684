"""Geometry from the XML header of ISMRMRD; fastMRI's files carry the same header."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jdmri.data.formats import reading
from jdmri.errors import InputError

_ROUNDING = 0.02  # a field of view that exceeds the wanted one by less is not oversampled


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Encoded and wanted geometry of a 2-D scan.

    Attributes:
        matrix: (ky, kx) as encoded, kx with readout oversampling.
        field_of_view: (y, x) as encoded, in mm.
        wanted_field_of_view: (y, x) of the image, in mm.
        line_offset: what to add to ``kspace_encode_step_1`` so that the centre is at N // 2.
        num_phases: cardiac phases that the limits promise, 1 if they do not say.
        subject: identifier of the person, "" if not given.
        pilot_tone: whether a pilot tone was on, as OCMR's files say.
        metadata: field strength, vendor, TR and TE where given.
        warnings: sentences on what the header does not say.
    """

    matrix: tuple[int, int]
    field_of_view: tuple[float, float]
    wanted_field_of_view: tuple[float, float]
    line_offset: int
    num_phases: int
    subject: str
    pilot_tone: bool
    metadata: Mapping[str, str]
    warnings: tuple[str, ...]

    def without_oversampling(self, width: int) -> int:
        """Return how many of ``width`` samples along x the wanted field of view needs."""
        ratio = self.wanted_field_of_view[1] / self.field_of_view[1]
        return round(width * ratio) if ratio < 1 - _ROUNDING else width

    def pixel_spacing(self, width: int) -> tuple[float, float]:
        """Return (y, x) in mm for an image of ``width`` pixels along x after the crop."""
        height = self.field_of_view[0] / self.matrix[0]
        cropped = width < self.matrix[1]
        field = self.wanted_field_of_view[1] if cropped else self.field_of_view[1]
        return height, field / width


def geometry(xml: bytes | str, file: Path) -> Geometry:
    """Read the header.

    Args:
        xml: the text of the header.
        file: where it is from, for messages.

    Raises:
        InputError: it is no such header, or the scan is not Cartesian.
    """
    package = reading.require("ismrmrd.xsd")
    with reading.reading(file, "an ISMRMRD header"):
        header = package.CreateFromDocument(xml)
        encoding = header.encoding[0]
        encoded, wanted = encoding.encodedSpace, encoding.reconSpace
        matrix = (int(encoded.matrixSize.y), int(encoded.matrixSize.x))
        fields = [(s.fieldOfView_mm.y, s.fieldOfView_mm.x) for s in (encoded, wanted)]
    trajectory = getattr(encoding.trajectory, "value", encoding.trajectory)
    if trajectory != "cartesian":
        raise InputError(f"{file} has a {trajectory} trajectory; wanted cartesian.")
    if min(*matrix, *fields[0], *fields[1]) <= 0:
        raise InputError(f"{file}: the header gives matrix {matrix}, fields of view {fields}.")
    limits = encoding.encodingLimits
    step = getattr(limits, "kspace_encoding_step_1", None)
    warnings = [] if step else ["no encoding limits: the middle line is taken for the centre of ky"]
    subject = _subject(header)
    warnings += [] if subject else ["no subject in the header: each file counts as one subject"]
    return Geometry(
        matrix=matrix,
        field_of_view=fields[0],
        wanted_field_of_view=fields[1],
        line_offset=matrix[0] // 2 - int(step.center) if step else 0,
        num_phases=int(limits.phase.maximum) + 1 if limits and limits.phase else 1,
        subject=subject,
        pilot_tone=_pilot_tone(header),
        metadata=_metadata(header),
        warnings=tuple(warnings),
    )


def _subject(header: Any) -> str:
    """Return the identifier that the header gives, if any."""
    person = header.subjectInformation
    return str(person.patientID) if person and person.patientID else ""


def _pilot_tone(header: Any) -> bool:
    """Look for the user parameter by which OCMR marks it."""
    given = header.userParameters.userParameterLong if header.userParameters else []
    return any("PilotTone" in one.name and one.value == 1 for one in given)


def _metadata(header: Any) -> dict[str, str]:
    system, sequence = header.acquisitionSystemInformation, header.sequenceParameters
    known = {
        "field": system and system.systemFieldStrength_T,
        "vendor": system and system.systemVendor,
        "tr_ms": sequence and next(iter(sequence.TR), None),
        "te_ms": sequence and next(iter(sequence.TE), None),
    }
    return {k: f"{v:g}" if isinstance(v, float) else str(v) for k, v in known.items() if v}
