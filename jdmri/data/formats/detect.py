"""Detection of the format of a file or folder by its content."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py

from jdmri.data.formats import reading
from jdmri.data.formats.format import FORMATS
from jdmri.data.measurements import Entry, Measurement, Origin
from jdmri.errors import InputError

_LOOKED_AT = (
    200  # files of a folder; a data set that changes its format later is told by its reader
)
_HDF5 = b"\x89HDF\r\n\x1a\n"
_USERBLOCK = 512  # MATLAB puts a text of this length before HDF5


def sniff(path: Path) -> str:
    """Return the reader's name for a file or folder, by its content.

    Raises:
        InputError: nothing there, nothing known, or several formats in one folder.
    """
    if path.is_file():
        name = _file(path)
        if name is None:
            raise InputError(f"{path} is none of the formats {_names()}.")
        return name
    for one in FORMATS:
        if one.optional_suffix and path.with_name(path.name + one.optional_suffix).is_file():
            return one.name
    if not path.is_dir():
        raise InputError(f"no file or folder {str(path)!r}.")
    found = sorted({name for name in map(_file, _some(path)) if name})
    if len(found) != 1:
        held = " and ".join(found) or f"none of the formats {_names()}"
        raise InputError(f"{path} holds {held}; give a file or folder of one format.")
    return found[0]


def entries(path: Path) -> list[Entry]:
    """List the slices of a source of any format, without loading them.

    Raises:
        InputError: no such source, or it is damaged.
    """
    return FORMATS[sniff(path)].entries(path)


def measurements(path: Path) -> Iterator[Measurement]:
    """Read measured k-space of any format, slice by slice.

    Raises:
        InputError: no such source, it is damaged, or it holds images.
    """
    found = FORMATS[sniff(path)]
    if not found.measured:
        wanted = ", ".join(sorted(one.name for one in FORMATS if one.measured))
        raise InputError(f"{path} is {found.name}: images, no measured k-space; wanted {wanted}.")
    return _measured(found.entries(path), path)


def origins(path: Path) -> dict[str, Origin]:
    """Return patient, geometry and timing of the slices by their names; nothing for formats that do not say it.

    Raises:
        InputError: no such source, or it is damaged.
    """
    return FORMATS[sniff(path)].origins(path)


def _measured(listed: Sequence[Entry], path: Path) -> Iterator[Measurement]:
    for entry in listed:
        one = entry.load()
        if not isinstance(one, Measurement):  # a store holds either
            raise InputError(f"{path} holds magnitude images, no measured k-space.")
        yield one


def _names() -> str:
    return ", ".join(sorted(one.name for one in FORMATS))


def _some(folder: Path) -> Iterator[Path]:
    """Go through the first files of a folder, in order, hidden ones left out."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith("."))
    for _, file in zip(range(_LOOKED_AT), files, strict=False):
        yield file


def _file(file: Path) -> str | None:
    with reading.reading(file, "a file"), file.open("rb") as stream:
        begin = stream.read(_USERBLOCK + len(_HDF5))
    for one in FORMATS:
        if one.recognise(file, begin):
            return one.name
    if _HDF5 in (begin[: len(_HDF5)], begin[_USERBLOCK:]):
        return _hdf5(file)
    if file.name.lower().endswith(tuple(s for one in FORMATS for s in one.suffixes)):
        raise InputError(
            f"{file} is not what its name says: it does not begin as HDF5 or DICOM does."
        )
    return None


def _hdf5(file: Path) -> str:
    with reading.reading(file, "HDF5"), h5py.File(file) as content:
        for one in FORMATS:
            if one.recognise_hdf5(file, content):
                return one.name
        held = ", ".join(sorted(content)) or "nothing"
    raise InputError(f"{file} is HDF5 of no known kind; it holds {held}.")
