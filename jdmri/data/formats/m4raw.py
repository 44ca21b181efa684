"""Reader of M4Raw (0.3 T brain, four coils): fastMRI's layout, one file a repetition, which are averaged.

Files are called ``<subject>_<contrast><repetition>.h5``, e.g. ``2022061003_T101.h5`` with its repetitions
``_T102`` and ``_T103``. Source: README of github.com/mylyu/M4Raw and Lyu et al., Scientific Data 2023.
"""

import collections
import functools
import re
from pathlib import Path

import h5py

from jdmri.data import references
from jdmri.data.formats import fastmri, reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.measurements import Entry, Measurement
from jdmri.data.records import READERS, Dataset
from jdmri.data.references import sampled
from jdmri.errors import InputError

FORMAT = "M4Raw .h5"
_WARNINGS = (
    "phase encoding is taken along the last axis of the file, as in fastMRI, whose layout it has",
)
NAME = re.compile(r"(?P<subject>.+)_(?P<contrast>T1|T2|FLAIR)(?P<repetition>\d\d)")


@READERS.register("m4raw")
def m4raw(*, path: str) -> Dataset:
    """Read M4Raw, repetitions averaged, each slice a series of one frame.

    Args:
        path: a file, whose repetitions are looked for beside it, or a folder.

    Raises:
        InputError: names, axes or sizes that M4Raw does not have.
    """
    return references.measured_dataset(path, entries(Path(path)), False)


def entries(path: Path) -> list[Entry]:
    """List the slices, each with the files of all its repetitions."""
    files = reading.find(path, (".h5",), FORMAT)
    if path.is_file():
        files = sorted(p for p in path.parent.glob("*.h5") if _stem(p) == _stem(path))
    groups = collections.defaultdict(list)
    for file in files:
        groups[_stem(file)].append(file)
    return [
        Entry(name := f"{stem}-slice{i:02d}", functools.partial(_load, tuple(group), i, name))
        for stem, group in groups.items()
        for i in range(fastmri.num_slices(group[0]))
    ]


def _stem(file: Path) -> str:
    found = NAME.fullmatch(file.stem)
    if found is None:
        raise InputError(f"{file.name} is not named SUBJECT_T101.h5, as M4Raw names its files.")
    return f"{found['subject']}_{found['contrast']}"


def _load(files: tuple[Path, ...], index: int, name: str) -> Measurement:
    total = None
    for file in files:
        with reading.reading(file, FORMAT), h5py.File(file) as content:
            one = fastmri.read_slice(content, index)
        if total is not None and one.shape != total.shape:
            raise InputError(f"{file} is of shape {one.shape}, its first repetition {total.shape}.")
        total = one if total is None else total + one
    kspace = total / len(files)
    found = NAME.fullmatch(files[0].stem)
    return Measurement(
        kspace,
        sampled(kspace),
        name,
        found["subject"],
        subject_known=True,
        cyclic=False,
        metadata={"contrast": found["contrast"], "field": "0.3"},
        notes=(f"{len(files)} repetitions averaged",),
        warnings=_WARNINGS,
    )


def _recognise(file: Path, content: h5py.File) -> bool:
    return "kspace" in content and NAME.fullmatch(file.stem) is not None


FORMATS.register(Format("m4raw", entries, recognise_hdf5=_recognise, priority=4, suffixes=(".h5",)))
