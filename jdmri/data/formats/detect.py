"""Which format a file or a folder is, by its content."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import h5py

from jdmri.data.formats import (
    bart,
    cmrxrecon,
    dicom,
    fastmri,
    ismrmrd,
    m4raw,
    nifti,
    npz_images,
    npz_kspace,
    reading,
    skmtea,
    store,
)
from jdmri.data.measurements import Entry, Measurement, Origin
from jdmri.errors import InputError

KSPACE: dict[str, ModuleType] = {
    "bart": bart,
    "cmrxrecon": cmrxrecon,
    "fastmri": fastmri,
    "ismrmrd": ismrmrd,
    "m4raw": m4raw,
    "npz_kspace": npz_kspace,
    "skmtea": skmtea,
    "store": store,
}
_ORIGINS = {"fastmri": fastmri.origins, "ismrmrd": ismrmrd.origins}
IMAGES: dict[str, ModuleType] = {"dicom": dicom, "nifti": nifti}
NAMES = (*KSPACE, *IMAGES, "npz")
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
            raise InputError(f"{path} is none of the formats {', '.join(sorted(NAMES))}.")
        return name
    if path.with_name(path.name + ".cfl").is_file():
        return "bart"
    if not path.is_dir():
        raise InputError(f"no file or folder {str(path)!r}.")
    found = sorted({name for name in map(_file, _some(path)) if name})
    if len(found) != 1:
        held = " and ".join(found) or "none of the formats " + ", ".join(sorted(NAMES))
        raise InputError(f"{path} holds {held}; give a file or folder of one format.")
    return found[0]


def entries(path: Path) -> list[Entry]:
    """List the slices of a source of any format, without loading them.

    Raises:
        InputError: no such source, or it is damaged.
    """
    name = sniff(path)
    if name == "npz":
        return npz_images.entries(path)
    return (KSPACE | IMAGES)[name].entries(path)


def measurements(path: Path) -> Iterator[Measurement]:
    """Read measured k-space of any format, slice by slice.

    Raises:
        InputError: no such source, it is damaged, or it holds images.
    """
    name = sniff(path)
    if name not in KSPACE:
        raise InputError(
            f"{path} is {name}: images, no measured k-space; wanted {', '.join(KSPACE)}."
        )
    return KSPACE[name].measurements(path)


def origins(path: Path) -> dict[str, Origin]:
    """Tell whom, where and when the slices show, by their names; nothing of formats that do not say it.

    Raises:
        InputError: no such source, or it is damaged.
    """
    find = _ORIGINS.get(sniff(path))
    return find(path) if find else {}


def _some(folder: Path) -> Iterator[Path]:
    """Go through the first files of a folder, in order, hidden ones left out."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith("."))
    for _, file in zip(range(_LOOKED_AT), files, strict=False):
        yield file


def _file(file: Path) -> str | None:
    with reading.reading(file, "a file"), file.open("rb") as stream:
        begin = stream.read(_USERBLOCK + len(_HDF5))
    name = file.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return "nifti"
    if name.endswith(".cfl") or (name.endswith(".hdr") and file.with_suffix(".cfl").is_file()):
        return "bart"
    if name.endswith((".npz", ".npy")):
        return "npz_kspace" if npz_kspace.is_kspace(file) else "npz"
    if begin[128:132] == b"DICM":
        return "dicom"
    if _HDF5 in (begin[: len(_HDF5)], begin[_USERBLOCK:]):
        return _hdf5(file)
    if name.endswith((".h5", ".mrd", ".mat", ".dcm")):
        raise InputError(
            f"{file} is not what its name says: it does not begin as HDF5 or DICOM does."
        )
    return None


def _hdf5(file: Path) -> str | None:
    with reading.reading(file, "HDF5"), h5py.File(file) as content:
        if content.attrs.get("format") == store.FORMAT:
            return "store"
        if ismrmrd.find_group(content):
            return "ismrmrd"
        if file.suffix == ".mat":
            return "cmrxrecon"
        if getattr(content.get("kspace"), "ndim", None) == skmtea.NUM_AXES:
            return "skmtea"
        if "kspace" in content:
            return "m4raw" if m4raw.NAME.fullmatch(file.stem) else "fastmri"
        held = ", ".join(sorted(content)) or "nothing"
    raise InputError(f"{file} is HDF5 of no known kind; it holds {held}.")
