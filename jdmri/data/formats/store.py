"""jdmri's own HDF5 store: what ``--mode=convert`` writes, one group a series.

Root attributes state every convention. A group ``series/00000`` holds either ``kspace`` with ``mask``, and
``noise`` and ``maps`` where known, or (from magnitude images) ``images``. Arrays are chunked by frame and compressed.
"""

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from jdmri.data.formats import reading
from jdmri.data.formats.format import FORMATS, Format
from jdmri.data.measurements import Entry, Images, Measurement
from jdmri.data.records import READERS, Dataset, Facts, Series, Shape
from jdmri.data.references import CRIME, image_series, require_full, to_series
from jdmri.errors import InputError

FORMAT = "jdmri store"
VERSION = 1
CONVENTIONS = {
    "format": FORMAT,
    "version": VERSION,
    "axes": "kspace [frame, coil, ky, kx]; mask [frame, ky, 1]; noise [coil, sample]; maps [coil, y, x]; images [frame, y, x]",
    "phase_encoding": "ky and y, the second to last axis",
    "centring": "DC at index N // 2 of ky and kx",
    "normalisation": "orthonormal transforms; maps have unit root sum of squares where there is signal",
    "units": "signal as in the source; pixel_spacing (y, x) in mm; frame_time in ms",
}


@dataclasses.dataclass(frozen=True)
class StoredSeries:
    """A fully sampled series in a store, read by ``load()`` each time; see `Series` for what it has.

    Attributes:
        path: the store.
        key: its group.
    """

    path: Path
    key: str
    name: str
    subject: str
    cyclic: bool
    metadata: Mapping[str, str]
    shape: Shape
    measured: bool

    def load(self) -> Series:
        """Read the arrays.

        Raises:
            InputError: the store is damaged.
        """
        one = _load(self.path, self.key)
        if isinstance(one, Images):
            series = image_series(one)
        else:
            series = to_series(one, _load_maps(self.path, self.key))
        return dataclasses.replace(series, cyclic=self.cyclic)


@READERS.register("store")
def store(*, path: str, cyclic: bool = True) -> Dataset:
    """Read a store that ``--mode=convert`` wrote; arrays stay on disk until a series is used.

    Args:
        path: the ``.h5``.
        cyclic: whether the last frame is followed by the first; False holds for every series.

    Raises:
        InputError: it is damaged, of a later version, or holds undersampled series.
    """
    source = Path(path)
    found = [_describe(source, key) for key in _names(source)]
    series = tuple(
        dataclasses.replace(one.series, cyclic=one.series.cyclic and cyclic) for one in found
    )
    warnings = dict.fromkeys(text for one in found for text in one.warnings)
    magnitudes = any(one.magnitudes for one in found)
    coils = tuple(sorted({one.shape.coils for one in series}))
    facts = Facts(
        source=source.name,
        complex=not magnitudes,
        subjects_known=all(one.subject_known for one in found),
        coils=coils,
        maps="none" if coils == (1,) else "estimated",
        warnings=(*[CRIME] * magnitudes, *warnings),
    )
    return Dataset(series, source.stem, facts)


class _Described(NamedTuple):
    """A series, and what its data set has to know of it."""

    series: StoredSeries
    subject_known: bool
    warnings: tuple[str, ...]
    magnitudes: bool


def _describe(path: Path, key: str) -> _Described:
    """Read all but the large arrays."""
    with reading.reading(path, FORMAT), h5py.File(path) as content:
        group = content["series"][key]
        known = _known(group)
        warnings, subject_known, _ = (known.pop(k) for k in ("warnings", "subject_known", "notes"))
        measured = "kspace" in group
        array = group["kspace" if measured else "images"]
        reading.check_declared(path, array.shape, array.dtype.itemsize)
        if measured:
            mask = _array(group, "mask", path).astype(bool)
            require_full(mask, known["name"])
        shape = array.shape if measured else (array.shape[0], 1, *array.shape[1:])
        one = StoredSeries(path, key, shape=Shape(*map(int, shape)), measured=measured, **known)
        magnitudes = not measured and array.dtype.kind != "c"
        return _Described(one, subject_known, warnings, magnitudes)


def entries(path: Path) -> list[Entry]:
    """List the series of a store."""
    names = _names(path)
    return [Entry(name, functools.partial(_load, path, key)) for key, name in names.items()]


def _names(path: Path) -> dict[str, str]:
    """Return the name of each group.

    Raises:
        InputError: it is not there, no store, one of a later version, or empty.
    """
    if not path.is_file():
        raise InputError(f"no file {str(path)!r}; make one with --mode=convert --output={path}.")
    with reading.reading(path, FORMAT), h5py.File(path) as content:
        if content.attrs.get("format") != FORMAT or content.attrs["version"] > VERSION:
            raise InputError(f"{path} is no {FORMAT}, or of a later version than {VERSION}.")
        groups = sorted(content["series"].items())
        names = {key: str(group.attrs["name"]) for key, group in groups}
    if not names:
        raise InputError(f"{path} holds no series.")
    return names


def begin(path: Path) -> None:
    """Make an empty store."""
    with h5py.File(path, "w") as content:
        content.attrs.update(CONVENTIONS)
        content.create_group("series")


def write(
    path: Path, index: int, one: Measurement | Images, maps: np.ndarray | None = None
) -> None:
    """Add one series to a store.

    Args:
        path: a store.
        index: its place.
        one: measured k-space, or images.
        maps: coil maps ``[coil, y, x]`` of the measurement, if known.
    """
    with h5py.File(path, "a") as content:
        group = content["series"].create_group(f"{index:05d}")
        arrays = {"images": one.frames} if isinstance(one, Images) else _arrays(one, maps)
        for name, array in arrays.items():
            chunks = (1, *array.shape[1:])
            group.create_dataset(name, data=array, chunks=chunks, compression="gzip", shuffle=True)
        group.attrs.update(_attributes(one))


def _arrays(one: Measurement, maps: np.ndarray | None) -> dict[str, np.ndarray]:
    arrays = {"kspace": one.kspace, "mask": one.mask, "noise": one.noise, "maps": maps}
    return {k: v for k, v in arrays.items() if v is not None}


def _attributes(one: Measurement | Images) -> dict:
    """Collect what is no array; texts of any length are JSON."""
    known = {"name": one.name, "subject": one.subject, "cyclic": one.cyclic}
    known["subject_known"] = one.subject_known
    known |= {"metadata": json.dumps(dict(one.metadata)), "doubts": json.dumps(one.warnings)}
    if one.notes or isinstance(one, Measurement):
        known["facts"] = json.dumps(one.notes)
    if isinstance(one, Images):
        return known
    known |= {"pixel_spacing": one.pixel_spacing} if one.pixel_spacing else {}
    return known | ({"frame_time": one.frame_time} if one.frame_time else {})


def _load(path: Path, key: str) -> Measurement | Images:
    with reading.reading(path, FORMAT), h5py.File(path) as content:
        group = content["series"][key]
        arrays = {
            k: _array(group, k, path) for k in ("kspace", "mask", "noise", "images") if k in group
        }
        attributes, known = group.attrs, _known(group)
        if "images" in arrays:
            return Images(arrays["images"], **known)
        spacing = attributes.get("pixel_spacing")
        return Measurement(
            kspace=arrays["kspace"].astype(np.complex64),
            mask=arrays["mask"].astype(bool),
            noise=arrays.get("noise"),
            pixel_spacing=None if spacing is None else (float(spacing[0]), float(spacing[1])),
            frame_time=attributes.get("frame_time"),
            **known,
        )


def _known(group: h5py.Group) -> dict:
    """Return the attributes that every series has."""
    attributes = dict(group.attrs)
    warnings = tuple(json.loads(attributes["doubts"]))
    # Older stores say only in a sentence, whose words are settled, that nobody knows who was scanned.
    by_words = not any("subject" in doubt for doubt in warnings)
    return {
        **{k: str(attributes[k]) for k in ("name", "subject")},
        "cyclic": bool(attributes["cyclic"]),
        "metadata": json.loads(attributes["metadata"]),
        "subject_known": bool(attributes.get("subject_known", by_words)),
        "notes": tuple(json.loads(attributes.get("facts", "[]"))),
        "warnings": warnings,
    }


def _array(group: h5py.Group, name: str, path: Path) -> np.ndarray:
    reading.check_declared(path, group[name].shape, group[name].dtype.itemsize)
    return group[name][()]


def _load_maps(path: Path, key: str) -> np.ndarray | None:
    """Return the coil maps ``[coil, y, x]`` of a series, if the store holds them."""
    with reading.reading(path, FORMAT), h5py.File(path) as content:
        group = content["series"][key]
        return _array(group, "maps", path) if "maps" in group else None


def _recognise(file: Path, content: h5py.File) -> bool:
    return content.attrs.get("format") == FORMAT


FORMATS.register(Format("store", entries, recognise_hdf5=_recognise, suffixes=(".h5",)))
