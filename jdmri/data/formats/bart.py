"""Reader of BART's pairs ``NAME.cfl`` and ``NAME.hdr``.

The header lists up to 16 sizes, first index fastest: read, phase 1, phase 2, coil, maps, TE, coeff, coeff2,
iter, cshift, time, time2, level, slice, average, batch. The data are complex64, little endian. BART's
transforms are centred, and orthonormal with ``fft -u``. Source: documentation of BART (mrirecon.github.io/bart),
"Data Format", and its ``mri.h``.
"""

import functools
import itertools
from pathlib import Path

import numpy as np

from jdmri.data import references
from jdmri.data.formats import reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.measurements import Entry, Measurement
from jdmri.data.records import READERS, Dataset
from jdmri.data.references import sampled
from jdmri.errors import InputError

FORMAT = "BART (.cfl with .hdr)"
_NAMES = (
    "read phase1 phase2 coil maps te coeff coeff2 iter cshift time time2 level slice average batch"
).split()
_READ, _PHASE, _COIL, _TIME, _SLICE, _AVERAGE = 0, 1, 3, 10, 13, 14
_USED = {_READ, _PHASE, _COIL, _TIME, _SLICE, _AVERAGE}
_HEADER_BYTES = 65536  # a header is a few lines; what is longer is something else
_WARNINGS = (
    "a .cfl does not say what it holds: taken as k-space with DC in the middle",
    "a .cfl does not name the subject: each file counts as one subject",
)


@READERS.register("bart")
def bart(*, path: str, cyclic: bool = True) -> Dataset:
    """Read fully sampled k-space written by BART.

    Args:
        path: ``NAME.cfl``, ``NAME.hdr``, ``NAME``, or a folder of such pairs, each one subject.
        cyclic: whether the last frame is followed by the first.

    Raises:
        InputError: the pair is damaged, has axes that a cine does not have, or is undersampled.
    """
    return references.measured_dataset(path, entries(Path(path)), cyclic)


def entries(path: Path) -> list[Entry]:
    """List the slices of a pair, or of all pairs in a folder."""
    if not path.exists() and path.with_name(path.name + ".cfl").is_file():
        path = path.with_name(path.name + ".cfl")
    if path.suffix == ".hdr":
        path = path.with_suffix(".cfl")
    files = reading.find(path, (".cfl",), FORMAT)
    return list(itertools.chain.from_iterable(_slices(file, path) for file in files))


def _slices(file: Path, root: Path) -> list[Entry]:
    sizes = _sizes(file)
    name = reading.label(file, root)
    names = [f"{name}-slice{i:02d}" for i in range(sizes[_SLICE])]
    return [Entry(n, functools.partial(_load, file, sizes, i, n)) for i, n in enumerate(names)]


def _sizes(file: Path) -> list[int]:
    """Read the header and hold it against the file.

    Raises:
        InputError: no header, no sizes, axes that a cine does not have, or data of another length.
    """
    header = file.with_suffix(".hdr")
    if not file.is_file() or not header.is_file():
        raise InputError(f"{file} and {header.name} belong together; one is missing.")
    with reading.reading(header, FORMAT), header.open("rb") as stream:
        lines = stream.read(_HEADER_BYTES).decode("ascii", "strict").splitlines()
        words = next((line for line in lines if line.strip() and line.lstrip()[0] != "#"), "")
        sizes = [int(word) for word in words.split()[:16]]
    if len(sizes) < 2 or min(sizes) < 1:
        raise InputError(f"{header} holds no list of positive sizes, it begins {words[:40]!r}.")
    sizes += [1] * (16 - len(sizes))
    other = [f"{_NAMES[i]} = {n}" for i, n in enumerate(sizes) if n > 1 and i not in _USED]
    if other:
        raise InputError(
            f"{header} has {', '.join(other)}; a 2-D cine has only read, phase1, coil, time, slice and average."
        )
    expected = functools.reduce(lambda a, b: a * b, sizes) * 8
    if file.stat().st_size != expected:
        raise InputError(
            f"{file} has {file.stat().st_size} bytes, its header {sizes} wants {expected}; it is cut off or not its data."
        )
    return sizes


def _load(file: Path, sizes: list[int], index: int, name: str) -> Measurement:
    with reading.reading(file, FORMAT):
        data = np.memmap(file, "<c8", "r", shape=tuple(sizes), order="F")
        one = data[:, :, 0, :, 0, 0, 0, 0, 0, 0, :, 0, 0, index, :, 0]
        mean = one.mean(axis=-1) if sizes[_AVERAGE] > 1 else one[..., 0]
        # [read, phase, coil, time, average] → [frame, coil, ky, kx]
        kspace = np.ascontiguousarray(mean.transpose(3, 2, 1, 0), np.complex64)
    notes = (f"{sizes[_AVERAGE]} averages averaged",) if sizes[_AVERAGE] > 1 else ()
    subject = reading.label(file, file)
    return Measurement(kspace, sampled(kspace), name, subject, notes=notes, warnings=_WARNINGS)


def _recognise(file: Path, begin: bytes) -> bool:
    name = file.name.lower()
    return name.endswith(".cfl") or (name.endswith(".hdr") and file.with_suffix(".cfl").is_file())


FORMATS.register(Format("bart", entries, _recognise, optional_suffix=".cfl"))
