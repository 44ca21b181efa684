"""Reader of the seeds' ``cine.npz``: one array ``[series, frame, x, y]``, real or complex."""

import dataclasses
import functools
import zipfile
from pathlib import Path

import numpy as np

from jdmri.data import references
from jdmri.data.formats import npz_headers, reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.measurements import Entry, Images
from jdmri.data.records import READERS, Dataset
from jdmri.errors import InputError
from jdmri.runtime.log import log

KEY = "dataset"
_CRIME = (
    "magnitude images, not raw data: conjugate symmetry and vendor processing make the problem easier "
    "(Shimron et al., PNAS 2022); results are no evidence about scanners"
)
_LEAKAGE = (
    "no key 'subject': each series counts as one subject, so splits may leak between subjects"
)
_AXIS = "the file does not say which axis is phase encoded: its axis 2 was taken"


@READERS.register("npz")
def npz(
    *, path: str, phase_encoding_axis: int = 2, phase: str = "none", cyclic: bool = True
) -> Dataset:
    """Read fully sampled single-coil cine series.

    Args:
        path: an ``.npz`` with key ``dataset``, or with one array, or an ``.npy``. Never unpickled. The optional
            key ``subject`` names the subject of each series; further keys with one entry a series are its
            metadata, by which splits may be stratified.
        phase_encoding_axis: 2 or 3, the axis of the file that is phase encoded (ky).
        phase: for real data: ``none`` keeps them real; ``polynomial`` multiplies a random smooth phase;
            otherwise an ``.npz`` of complex images, whose smooth phase is taken.
        cyclic: whether the last frame is followed by the first.

    Raises:
        InputError: the file cannot be read as such, declares more than it holds, or has NaN or empty series.
    """
    if phase_encoding_axis not in (2, 3):
        raise InputError(
            f"data.phase_encoding_axis must be 2 or 3 (of [series, frame, x, y]), got {phase_encoding_axis}."
        )
    found = _images(Path(path), phase_encoding_axis)
    is_complex = np.iscomplexobj(found[0].frames)
    if is_complex and phase != "none":
        raise InputError(
            f"data.phase={phase} is for real data, {path} is complex; use data.phase=none."
        )
    dataset = references.image_dataset(path, found, phase, cyclic)
    warnings = (*[_CRIME] * (not is_complex), *found[0].warnings)
    facts = dataclasses.replace(dataset.facts, complex=is_complex, warnings=warnings)
    facts = dataclasses.replace(facts, phase="as it is") if phase == "none" else facts
    return dataclasses.replace(dataset, facts=facts)


def entries(path: Path) -> list[Entry]:
    """List the series of a file; they are read at once.

    Raises:
        InputError: the file is damaged, declares far more than it holds, or has other axes.
    """
    if not path.is_file():
        raise InputError(f"{path} is a folder; give one .npz file of it.")
    with reading.reading(path, "a NumPy file"):
        found = _images(path, 2)
    return [Entry(one.name, functools.partial(_single_precision, one)) for one in found]


def _single_precision(one: Images) -> Images:
    """Return a series as it goes into a store: float32 where it has no phase, else complex64."""
    frames = one.frames.astype(np.complex64)
    frames = frames if frames.imag.any() else frames.real
    return dataclasses.replace(one, frames=frames, warnings=(*one.warnings, _AXIS))


def _images(path: Path, phase_encoding_axis: int) -> list[Images]:
    """Read all series of a file, turned so that phase encoding runs along y."""
    array, labels = _read(path)
    _check(array, path)
    subjects = _subjects(labels.pop("subject", None), len(array), path)
    labels = {k: v for k, v in labels.items() if v.shape == array.shape[:1]}
    _log_content(path, array, phase_encoding_axis)
    if phase_encoding_axis == 3:
        array = array.swapaxes(2, 3)
    names = [f"series-{i:04d}" for i in range(len(array))]
    return [
        Images(
            frames,
            name,
            subject,
            metadata={k: str(v[i]) for k, v in labels.items()},
            subject_known=subjects is not None,
            warnings=() if subjects else (_LEAKAGE,),
        )
        for i, (frames, name, subject) in enumerate(
            zip(array, names, subjects or names, strict=True)
        )
    ]


def _log_content(path: Path, array: np.ndarray, phase_encoding_axis: int) -> None:
    values = np.abs(array) if np.iscomplexobj(array) else array
    log.info(
        "%s: [series, frame, x, y] = %s, phase encoding along axis %d, %s, range %.4g to %.4g.",
        path,
        array.shape,
        phase_encoding_axis,
        array.dtype,
        values.min(),
        values.max(),
    )


def _read(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Load the array, and the other arrays of the file by name."""
    if not path.is_file():
        raise InputError(f"no file {str(path)!r}; give one with --config.data.path=FILE.npz.")
    try:
        npz_headers.check(path)
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded, {}
        with loaded:
            keys = [k for k in loaded.files if k != "subject"]
            if KEY not in keys and len(keys) != 1:
                raise InputError(
                    f"{path} needs the key {KEY!r} or a single array, it holds {keys or 'nothing'}."
                )
            chosen = KEY if KEY in keys else keys[0]
            return loaded[chosen], {k: loaded[k] for k in loaded.files if k != chosen}
    except InputError:
        raise
    except (
        ValueError,
        OSError,
        EOFError,
        KeyError,
        RuntimeError,  # an encrypted archive
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zipfile.zlib.error,
    ) as error:
        reason = " ".join(str(error).split())[:120]
        if "allow_pickle" in reason or "pickled" in reason:
            reason = "it holds Python objects, which are never unpickled; save a numeric array"
        raise InputError(f"cannot read {path}: {reason or type(error).__name__}.") from error


def _check(array: np.ndarray, path: Path) -> None:
    if array.dtype.kind not in "fciu" or array.dtype.hasobject:
        raise InputError(f"{path} holds {array.dtype}; wanted real or complex numbers.")
    if array.ndim != 4 or not array.size:
        raise InputError(
            f"{path} holds an array of shape {array.shape}; wanted [series, frame, x, y]."
        )
    wrong = ~np.isfinite(array)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"{path} holds {int(wrong.sum())} values that are not finite, the first at {first}."
        )
    empty = [i for i, cine in enumerate(array) if not cine.any()]
    if empty:
        raise InputError(
            f"{path}: series {empty[0]} is zero everywhere; remove it ({len(empty)} in all)."
        )


def _subjects(subjects: np.ndarray | None, count: int, path: Path) -> list[str] | None:
    if subjects is None:
        return None
    if subjects.shape != (count,):
        raise InputError(
            f"{path}: key 'subject' has shape {subjects.shape}, wanted ({count},), one per series."
        )
    return [str(s) for s in subjects]


def _recognise(file: Path, begin: bytes) -> bool:
    return file.name.lower().endswith((".npz", ".npy"))


# Asked after `npz_kspace`, which looks into the file.
FORMATS.register(Format("npz", entries, _recognise, priority=1, measured=False))
