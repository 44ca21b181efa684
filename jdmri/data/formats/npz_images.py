"""Reader of the seeds' ``cine.npz``: one array ``[series, frame, x, y]``, real or complex."""

import zipfile
from pathlib import Path

import numpy as np

from jdmri.data.formats import npz_headers
from jdmri.data.formats.phase import smooth_phase
from jdmri.data.records import READERS, Dataset, Series
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
    array, labels = _read(Path(path))
    _check(array, path)
    is_complex = np.iscomplexobj(array)
    if is_complex and phase != "none":
        raise InputError(
            f"data.phase={phase} is for real data, {path} is complex; use data.phase=none."
        )
    subjects = _subjects(labels.pop("subject", None), len(array), path)
    metadata = [
        {k: str(v[i]) for k, v in labels.items() if v.shape == array.shape[:1]}
        for i in range(len(array))
    ]
    log.info(
        "%s: [series, frame, x, y] = %s, phase encoding along axis %d, %s, range %.4g to %.4g.",
        *(
            path,
            array.shape,
            phase_encoding_axis,
            array.dtype,
            np.abs(array).min() if is_complex else array.min(),
        ),
        np.abs(array).max() if is_complex else array.max(),
    )
    if phase_encoding_axis == 3:
        array = array.swapaxes(2, 3)
    phases = smooth_phase(phase, len(array), array.shape[2:])
    names = subjects or [f"series-{i:04d}" for i in range(len(array))]
    series = tuple(
        _series(cine, None if phases is None else phases[i], i, names[i], cyclic, metadata[i])
        for i, cine in enumerate(array)
    )
    facts = {
        "source": Path(path).name,
        "complex": is_complex,
        "phase": "as it is"
        if phase == "none"
        else phase
        if phase == "polynomial"
        else f"measured ({Path(phase).name})",
        "noise_free_reference": False,
        "coils": "single coil",
        "subjects_known": subjects is not None,
        "warnings": [_CRIME] * (not is_complex) + [_LEAKAGE] * (subjects is None),
    }
    return Dataset(series, Path(path).stem, facts)


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


def _check(array: np.ndarray, path: str) -> None:
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


def _subjects(subjects: np.ndarray | None, count: int, path: str) -> list[str] | None:
    if subjects is None:
        return None
    if subjects.shape != (count,):
        raise InputError(
            f"{path}: key 'subject' has shape {subjects.shape}, wanted ({count},), one per series."
        )
    return [str(s) for s in subjects]


def _series(cine, phase, index, subject, cyclic, metadata) -> Series:
    cine = cine.astype(np.complex64)
    if phase is not None:
        cine = cine * phase
    maps = np.ones((1, *cine.shape[1:]), np.complex64)
    return Series(cine, maps, f"series-{index:04d}", subject, cyclic, metadata)
