"""Reader of the CMRxRecon challenges 2023, 2024 and 2025: MATLAB files, version 7.3.

MATLAB's axes are ``[nx, ny, nc, nz, nt]`` (readout, phase encoding, coil, slice, frame), so that HDF5 shows
``[nt, nz, nc, ny, nx]``; single-coil files have no ``nc``, and MATLAB drops a last axis of length 1. Values are
compounds of ``real`` and ``imag``. Full data are called ``kspace_full``, ``kspace_single_full`` or (2025)
``kspace``; undersampled ones ``kspace_sub04`` (2023) or ``kus`` (2024, 2025). Masks lie in files of their own; here
the mask is read off the zeros. Source: ChallengeDataFormat of the repositories CmrxRecon/CMRxRecon and
CmrxRecon/CMRxRecon2024, and the mask generator of 2025.
"""

import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import h5py

from jdmri.data import references
from jdmri.data.formats import reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.measurements import Entry, Measurement
from jdmri.data.records import READERS, Dataset
from jdmri.data.references import padding, sampled
from jdmri.errors import InputError

FORMAT = "CMRxRecon .mat"
KEY = re.compile(r"kspace(_single)?(_full|_sub\d+)?|kus(_single)?")
_SUBJECT = re.compile(r"P\d+", re.IGNORECASE)
_CENTRE = re.compile(r"Center\d+", re.IGNORECASE)
_FIELD = re.compile(r"_(\d)(\d)T_")


@READERS.register("cmrxrecon")
def cmrxrecon(*, path: str, cyclic: bool = True) -> Dataset:
    """Read fully sampled series of a CMRxRecon challenge.

    People are told apart by the folder ``P001`` (from 2025 on with centre and scanner). Folders of different
    years or sets that share a number count as one person, which cannot leak between splits.

    Args:
        path: a ``.mat``, or a folder such as ``MultiCoil/Cine/TrainingSet/FullSample``; files of masks are
            left out.
        cyclic: whether the last frame is followed by the first.

    Raises:
        InputError: a file is damaged, has other axes, or is undersampled.
    """
    compression = "to 10 virtual coils by the challenge (multi-coil files)"
    return references.measured_dataset(path, entries(Path(path)), cyclic, compression)


def entries(path: Path) -> list[Entry]:
    """List the slices of a file, or of all files in a folder but those of masks."""
    files = [f for f in reading.find(path, (".mat",), FORMAT) if f == path or "mask" not in f.stem]
    if not files:
        raise InputError(f"{path} holds masks only; wanted {FORMAT} with k-space.")
    return list(itertools.chain.from_iterable(_slices(file, path) for file in files))


def _slices(file: Path, root: Path) -> list[Entry]:
    with reading.reading(file, FORMAT), h5py.File(file) as content:
        key = find_key(content, file)
        axes = _axes(key, content[key].shape, file)
        count = content[key].shape[axes.index("slice")] if "slice" in axes else 1
        reading.check_declared(file, content[key].shape)
    name = reading.label(file, root)
    names = [f"{name}-slice{i:02d}" for i in range(count)]
    return [Entry(n, functools.partial(_load, file, key, axes, i, n)) for i, n in enumerate(names)]


def find_key(content: h5py.File, file: Path) -> str:
    """Return the name of the k-space array.

    Raises:
        InputError: there is none, or there are several.
    """
    known = [k for k, v in content.items() if KEY.fullmatch(k) and isinstance(v, h5py.Dataset)]
    if len(known) != 1:
        held = ", ".join(sorted(content)) or "nothing"
        raise InputError(
            f"{file} must hold one of kspace_full, kspace_subNN, kspace, kus; it holds {held}."
        )
    return known[0]


def _axes(key: str, shape: tuple[int, ...], file: Path) -> tuple[str, ...]:
    """Name the axes as HDF5 shows them; the frame is missing where MATLAB dropped it."""
    full = (
        ("frame", "slice", "ky", "kx")
        if "single" in key
        else ("frame", "slice", "coil", "ky", "kx")
    )
    if len(shape) not in (len(full), len(full) - 1):
        raise InputError(
            f"{file}: {key} has shape {shape}; wanted [{', '.join(full)}] (MATLAB: [kx, ky, ...] reversed)."
        )
    return full[len(full) - len(shape) :]


def _load(file: Path, key: str, axes: tuple[str, ...], index: int, name: str) -> Measurement:
    with reading.reading(file, FORMAT), h5py.File(file) as content:
        one = tuple(index if axis == "slice" else slice(None) for axis in axes)
        kspace = reading.complex64(content[key][one])
        if "frame" not in axes:
            kspace = kspace[None]
        if "coil" not in axes:
            kspace = kspace[:, None]
    mask = sampled(kspace)
    view = file.stem.partition("_kus")[0]
    metadata = {"view": view} | _scanner(file)
    return Measurement(
        kspace,
        mask,
        name,
        _subject(file),
        subject_known=_person(file) is not None,
        metadata=metadata,
        warnings=tuple(_warnings(file, axes, mask)),
    )


def _subject(file: Path) -> str:
    """Return ``P001``, with centre and scanner where the path names them; else the file's name."""
    folders, person = file.absolute().parts[:-1], _person(file)
    if person is None:
        return file.stem
    centre = next((i for i in range(person) if _CENTRE.fullmatch(folders[i])), person)
    return "-".join(folders[centre : person + 1])


def _person(file: Path) -> int | None:
    """Return the place in the path of the folder that names the person, if there is one."""
    folders = file.absolute().parts[:-1]
    return next((i for i in reversed(range(len(folders))) if _SUBJECT.fullmatch(folders[i])), None)


def _scanner(file: Path) -> dict[str, str]:
    """Read the field strength off folders such as ``Siemens_30T_Vida``."""
    found = _FIELD.search("/".join(file.absolute().parts[:-1]))
    return {"field": f"{float(f'{found[1]}.{found[2]}'):g}"} if found else {}


def _warnings(file: Path, axes: tuple[str, ...], mask) -> Iterator[str]:
    if _person(file) is None:
        yield "no folder P001 names the subject: each file counts as one subject"
    if "frame" not in axes:
        yield "an axis is missing: taken as one frame"
    first, last = padding(mask)
    if first + last:
        yield f"{first} and {last} lines at the ends of ky are zero in every frame: zero-padded, or not measured"


def _recognise(file: Path, content: h5py.File) -> bool:
    return file.suffix == ".mat"


FORMATS.register(
    Format("cmrxrecon", entries, recognise_hdf5=_recognise, priority=2, suffixes=(".mat",))
)
