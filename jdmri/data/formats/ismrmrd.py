"""Reader of ISMRMRD / MRD files (``.h5``, ``.mrd``), among them OCMR.

Readouts are sorted by their counters: ky by ``kspace_encode_step_1``, frames by (repetition, phase), one
measurement for each (slice, set, contrast). The line with the index that the encoding limits call the centre
goes to N // 2, so does the sample ``center_sample``: partial Fourier and asymmetric echoes leave zeros where
nothing was measured. Repeated lines are averaged. Readout oversampling is cropped in image space. Source: the
documentation of ismrmrd.readthedocs.io, and read_ocmr of github.com/MRIOSU/OCMR.
"""

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from jdmri.data import references
from jdmri.data.formats import ismrmrd_origin, reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.formats.ismrmrd_header import geometry
from jdmri.data.formats.ismrmrd_readouts import (
    GROUPING,
    Scan,
    crop_readout,
    fill,
    join_noise,
)
from jdmri.data.measurements import Entry, Measurement, Origin
from jdmri.data.records import READERS, Dataset
from jdmri.data.references import sampled
from jdmri.errors import InputError

FORMAT = "ISMRMRD"
_NOT_IMAGE = (
    "PARALLEL_CALIBRATION NAVIGATION_DATA PHASECORR_DATA HPFEEDBACK_DATA DUMMYSCAN_DATA RTFEEDBACK_DATA "
    "SURFACECOILCORRECTIONSCAN_DATA PHASE_STABILIZATION_REFERENCE PHASE_STABILIZATION"
).split()


@READERS.register("ismrmrd")
def ismrmrd(*, path: str, cyclic: bool = True) -> Dataset:
    """Read fully sampled Cartesian cine series in ISMRMRD, e.g. the files ``fs_*.h5`` of OCMR.

    Args:
        path: a file, or a folder of ``.h5`` and ``.mrd`` files.
        cyclic: whether the last frame is followed by the first; real-time series never are.

    Raises:
        InputError: a file is damaged, is not Cartesian and two-dimensional, or is undersampled.
    """
    return references.measured_dataset(path, entries(Path(path)), cyclic)


def entries(path: Path) -> list[Entry]:
    """List the slices of a file, or of all files in a folder."""
    return [
        Entry(name, functools.partial(_load, scan, which, name))
        for scan, which, name in _listed(path)
    ]


def origins(path: Path) -> dict[str, Origin]:
    """Return patient, geometry and timing of the slices by their names."""
    return {
        name: ismrmrd_origin.slice_origin(scan, which, _tags(scan, which[-1]))
        for scan, which, name in _listed(path)
    }


def _listed(path: Path) -> list[tuple[Scan, tuple[int, ...], str]]:
    """List the slices of a file or folder: where they are from, their counters, their names."""
    files = reading.find(path, (".h5", ".mrd"), FORMAT)
    return list(itertools.chain.from_iterable(_slices(file, path) for file in files))


def _slices(file: Path, root: Path) -> Iterator[tuple[Scan, tuple[int, ...], str]]:
    with reading.reading(file, FORMAT):
        scan = _scan(file)
        counters = scan.heads["idx"][scan.image]
        found = sorted({tuple(int(c[k]) for k in GROUPING) for c in counters})
    name = reading.label(file, root)
    for one in found:
        more = "".join(f"-{k}{n}" for k, n in zip(GROUPING[1:], one[1:], strict=True) if n)
        yield scan, one, f"{name}-slice{one[0]:02d}{more}"


def find_group(content: h5py.File) -> str | None:
    """Return the first group that holds an XML header and readouts."""
    groups = (k for k, v in content.items() if isinstance(v, h5py.Group))
    return next((k for k in groups if "xml" in content[k] and "data" in content[k]), None)


def _scan(file: Path) -> Scan:
    """Read the headers of a file, not its data."""
    package = reading.require("ismrmrd")
    with h5py.File(file) as content:
        group = find_group(content)
        if group is None:
            raise InputError(f"{file} has no group with 'xml' and 'data', as ISMRMRD wants it.")
        heads = content[group]["data"].fields("head")[:]
        about = geometry(content[group]["xml"][0], file)
    has = lambda flag: (heads["flags"] & np.uint64(1 << (getattr(package, flag) - 1))) != 0
    noise = has("ACQ_IS_NOISE_MEASUREMENT")
    both = has("ACQ_IS_PARALLEL_CALIBRATION_AND_IMAGING")
    other = functools.reduce(np.logical_or, [has(f"ACQ_IS_{name}") for name in _NOT_IMAGE])
    first = heads["encoding_space_ref"] == 0
    image = ~noise & (both | ~other) & first
    if not image.any():
        raise InputError(f"{file} holds {len(heads)} readouts, none of an image.")
    if (has("ACQ_IS_REVERSE") & image).any() or heads["idx"]["kspace_encode_step_2"][image].any():
        raise InputError(f"{file} is an EPI or a 3-D scan; wanted 2-D Cartesian readouts.")
    return Scan(file, group, about, heads, image, noise, int(np.sum(~image & ~noise)))


def _tags(scan: Scan, contrast: int) -> dict[str, str]:
    with reading.reading(scan.file, FORMAT), h5py.File(scan.file) as content:
        return ismrmrd_origin.tags(content[scan.group]["xml"][0], scan.file, contrast)


def _load(scan: Scan, which: tuple[int, ...], name: str) -> Measurement:
    with reading.reading(scan.file, FORMAT), h5py.File(scan.file) as content:
        readouts = content[scan.group]["data"]
        kspace, warnings = fill(scan, which, readouts)
        noise = join_noise(scan, readouts)
    about = scan.geometry
    cropped = about.without_oversampling(kspace.shape[-1])
    notes = [f"{scan.left_out} calibration, navigator or other readouts are left out"] * (
        scan.left_out > 0
    )
    if about.pilot_tone:
        notes.append("a pilot tone was on: the first three samples and the last are set to zero")
    mask = sampled(kspace)
    if cropped < kspace.shape[-1]:
        notes.append(f"readout oversampling removed: {kspace.shape[-1]} samples to {cropped}")
        kspace = crop_readout(kspace, cropped)
    empty = np.flatnonzero(~mask.any(axis=(1, 2)))
    measured = int(scan.heads["idx"]["phase"][scan.image].max()) + 1
    if about.num_phases > measured:
        warnings.append(f"the header promises {about.num_phases} phases, {measured} were measured")
    warnings += [f"frames without a single line: {', '.join(map(str, empty))}"] * bool(len(empty))
    return Measurement(
        kspace=kspace,
        mask=mask.any(axis=-1, keepdims=True),
        name=name,
        subject=reading.pseudonym(about.subject) if about.subject else scan.file.stem,
        subject_known=bool(about.subject),
        noise=noise,
        cyclic=not scan.heads["idx"]["repetition"][scan.image].any(),
        pixel_spacing=about.pixel_spacing(cropped),
        metadata=about.metadata,
        notes=tuple(notes),
        warnings=(*about.warnings, *warnings),
    )


def _recognise(file: Path, content: h5py.File) -> bool:
    return find_group(content) is not None


FORMATS.register(
    Format(
        "ismrmrd",
        entries,
        recognise_hdf5=_recognise,
        priority=1,
        origins=origins,
        suffixes=(".h5", ".mrd"),
    )
)
