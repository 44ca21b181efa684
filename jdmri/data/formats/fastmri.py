"""Reader of fastMRI (``.h5``): static multi-coil or single-coil k-space.

``kspace`` is complex64 ``[slice, coil, height, width]`` or ``[slice, height, width]``: the readout, with
oversampling, runs along height, phase encoding along width (its masks do). It is turned to ``[1, coil, ky, kx]``:
one frame. Attributes name the person and the acquisition; ``ismrmrd_header`` gives the geometry. Source: the
README of github.com/facebookresearch/fastMRI and its ``mri_data.py``.
"""

import functools
import itertools
from pathlib import Path

import h5py
import numpy as np

from jdmri.data import references
from jdmri.data.formats import ismrmrd_origin, reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.formats.ismrmrd_header import geometry
from jdmri.data.formats.ismrmrd_readouts import crop_readout
from jdmri.data.measurements import Entry, Measurement, Origin
from jdmri.data.records import READERS, Dataset
from jdmri.data.references import sampled
from jdmri.errors import InputError

FORMAT = "fastMRI .h5"


@READERS.register("fastmri")
def fastmri(*, path: str) -> Dataset:
    """Read fully sampled slices of fastMRI, each a series of one frame.

    Args:
        path: an ``.h5``, or a folder of them.

    Raises:
        InputError: a file is damaged, has other axes, or is undersampled.
    """
    return references.measured_dataset(path, entries(Path(path)), False)


def entries(path: Path) -> list[Entry]:
    """List the slices of a file, or of all files in a folder."""
    files = reading.find(path, (".h5",), FORMAT)
    return list(itertools.chain.from_iterable(_slices(file, path) for file in files))


def origins(path: Path) -> dict[str, Origin]:
    """Return the patient of the slices by their names; these files do not say where slices lie."""
    found = {}
    for file in reading.find(path, (".h5",), FORMAT):
        found |= dict.fromkeys((one.name for one in _slices(file, path)), Origin(_tags(file)))
    return found


def _tags(file: Path) -> dict[str, str]:
    with reading.reading(file, FORMAT), h5py.File(file) as content:
        person, header = content.attrs.get("patient_id"), content.get("ismrmrd_header")
        known = ismrmrd_origin.tags(header[()], file) if header is not None else {}
    return ({"PatientID": str(person)} if person else {}) | known


def _slices(file: Path, root: Path) -> list[Entry]:
    count = num_slices(file)
    names = [f"{reading.label(file, root)}-slice{i:02d}" for i in range(count)]
    return [Entry(n, functools.partial(_load, file, i, n)) for i, n in enumerate(names)]


def num_slices(file: Path) -> int:
    """Count the slices of a file.

    Raises:
        InputError: it has no ``kspace``, or one of other axes.
    """
    with reading.reading(file, FORMAT), h5py.File(file) as content:
        kspace = content.get("kspace")
        if not isinstance(kspace, h5py.Dataset) or kspace.ndim not in (3, 4):
            shape = getattr(kspace, "shape", "no such array")
            raise InputError(
                f"{file} needs 'kspace' with axes [slice, coil, height, width], it has {shape}."
            )
        reading.check_declared(file, kspace.shape)
        return kspace.shape[0]


def read_slice(content: h5py.File, index: int) -> np.ndarray:
    """Read complex64 ``[1, coil, ky, kx]``: phase encoding is the file's last axis."""
    one = reading.complex64(content["kspace"][index])
    one = one[None] if one.ndim == 2 else one
    return np.ascontiguousarray(one.swapaxes(-1, -2)[None])


def _load(file: Path, index: int, name: str) -> Measurement:
    with reading.reading(file, FORMAT), h5py.File(file) as content:
        kspace = read_slice(content, index)
        header = content["ismrmrd_header"][()] if "ismrmrd_header" in content else None
        known = {k: content.attrs.get(k) for k in ("patient_id", "acquisition")}
    notes, warnings, spacing, person = [], [], None, known["patient_id"]
    mask = sampled(kspace)
    if header is None:
        warnings.append("no header: readout oversampling, if any, is still in")
    else:
        about = geometry(header, file)
        width = about.without_oversampling(kspace.shape[-1])
        spacing = about.pixel_spacing(width)
        if width < kspace.shape[-1]:
            notes.append(f"readout oversampling removed: {kspace.shape[-1]} samples to {width}")
            kspace = crop_readout(kspace, width)
    if not person:
        warnings.append("no patient_id names the subject: each file counts as one subject")
    metadata = {"acquisition": str(known["acquisition"])} if known["acquisition"] else {}
    return Measurement(
        kspace=kspace,
        mask=mask.any(axis=-1, keepdims=True),
        name=name,
        subject=reading.pseudonym(str(person)) if person else file.stem,
        subject_known=bool(person),
        cyclic=False,
        pixel_spacing=spacing,
        metadata=metadata,
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


def _recognise(file: Path, content: h5py.File) -> bool:
    return "kspace" in content


# Asked last: the other formats with this array have a name or axes of their own.
FORMATS.register(
    Format(
        "fastmri",
        entries,
        recognise_hdf5=_recognise,
        priority=5,
        origins=origins,
        suffixes=(".h5",),
    )
)
