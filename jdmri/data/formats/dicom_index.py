"""Slices of DICOM images, grouped and sorted from their headers alone."""

import collections
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jdmri.data.formats import reading
from jdmri.errors import InputError
from jdmri.runtime.log import log

FORMAT = "DICOM"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_HEADER_SIZE = 132  # 128 bytes of anything, then "DICM"


class Frame(NamedTuple):
    """Where one image of a slice is stored, and when it was taken."""

    file: Path
    index: int
    time: float | None
    number: int


def is_dicom(file: Path) -> bool:
    """Whether a file begins as DICOM files do."""
    with file.open("rb") as stream:
        return stream.read(_HEADER_SIZE)[-4:] == b"DICM"


def index(path: Path) -> list[tuple[str, list[Frame]]]:
    """Group all images into slices, from their headers alone.

    Files that are no grey-scale images, and slices of a single image, are left out, and the log says how many.

    Raises:
        InputError: a header is damaged, or no slice has two frames or more.
    """
    slices: dict[tuple, list[Frame]] = collections.defaultdict(list)
    files = [f for f in reading.find(path, ("",), FORMAT) if f == path or is_dicom(f)]
    for file in files:
        with reading.reading(file, FORMAT):
            header = header_of(file)
            if header.get("PhotometricInterpretation") == "MONOCHROME2":
                for key, frame in _frames(file, header):
                    slices[key].append(frame)
    moving = sorted((key, frames) for key, frames in slices.items() if len(frames) > 1)
    if not moving:
        raise InputError(
            f"{path} holds no DICOM slice with two grey-scale frames (MONOCHROME2) or more."
        )
    used = {frame.file for _, frames in moving for frame in frames}
    if len(used) < len(files):
        log.info("%s: %d of %d files are no cine images.", path, len(files) - len(used), len(files))
    order = {uid: i for i, uid in enumerate(dict.fromkeys(key[0] for key, _ in moving))}
    counts, named = collections.Counter(), []
    for (uid, _), frames in moving:
        named.append((f"series{order[uid]:03d}-slice{counts[uid]:02d}", _sorted(frames)))
        counts[uid] += 1
    return named


def header_of(file: Path) -> Any:
    """Read a header without pixels; what would inflate beyond bounds is refused first."""
    pydicom = reading.require("pydicom")
    meta = pydicom.filereader.read_file_meta_info(file)
    if meta.get("TransferSyntaxUID") == _DEFLATED:
        raise InputError(f"{file} is deflated DICOM, which is not read; inflate it with dcmconv.")
    header = pydicom.dcmread(file, stop_before_pixels=True)
    if "Rows" not in header:
        return header
    frames, bits = int(header.get("NumberOfFrames") or 1), int(header.BitsAllocated)
    reading.check_declared(file, (frames, int(header.Rows), int(header.Columns)), max(bits // 8, 1))
    return header


def _frames(file: Path, header: Any) -> Iterator[tuple[tuple[str, float], Frame]]:
    """Give each image of a file with its series and position."""
    uid, number = str(header.SeriesInstanceUID), int(header.get("InstanceNumber") or 0)
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if groups is None:
        time = header.get("TriggerTime")
        position = _position(
            header.get("ImagePositionPatient"), header.get("ImageOrientationPatient")
        )
        for i in range(int(header.get("NumberOfFrames") or 1)):
            yield (uid, position), Frame(file, i, None if time is None else float(time), number + i)
        return
    shared = (header.get("SharedFunctionalGroupsSequence") or [{}])[0]
    for i, group in enumerate(groups):
        place = macro(group, shared, "PlanePositionSequence", "ImagePositionPatient")
        plane = macro(group, shared, "PlaneOrientationSequence", "ImageOrientationPatient")
        time = macro(
            group, shared, "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"
        )
        yield (
            (uid, _position(place, plane)),
            Frame(file, i, None if time is None else float(time), i),
        )


def macro(group: Any, shared: Any, sequence: str, name: str) -> Any:
    """Look up a functional group of a frame, or the one shared by all."""
    for holder in (group, shared):
        found = holder.get(sequence)
        if found and name in found[0]:
            return found[0].get(name)
    return None


def _position(place: Any, orientation: Any) -> float:
    """Return the distance along the slice normal in mm, to 0.01 mm; 0 where it is not given."""
    if place is None or orientation is None:
        return 0.0
    axes = np.array([float(v) for v in orientation]).reshape(2, 3)
    return round(float(np.cross(*axes) @ np.array([float(v) for v in place])), 2)


def _sorted(frames: list[Frame]) -> list[Frame]:
    """Sort by trigger time; by number if times are missing or all the same."""
    times = {frame.time for frame in frames}
    if None in times or len(times) == 1:
        return sorted(frames, key=lambda frame: frame.number)
    return sorted(frames, key=lambda frame: (frame.time, frame.number))
