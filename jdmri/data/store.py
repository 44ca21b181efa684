"""jdmri's own HDF5 store: what ``--mode=convert`` writes, one group a series.

Root attributes state every convention. A group ``series/00000`` holds either ``kspace`` with ``mask``, and
``noise`` and ``maps`` where known, or (from magnitude images) ``images``. Arrays are chunked by frame and compressed.
"""

import dataclasses
import functools
import json
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from jdmri.data import magnitude, reading
from jdmri.data.magnitude import Images
from jdmri.data.measurement import Measurement, to_series
from jdmri.data.reading import Entry
from jdmri.data.series import READERS, Dataset
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


@READERS.register("store")
def store(*, path: str, cyclic: bool = True) -> Dataset:
    """Read a store that ``--mode=convert`` wrote.

    Args:
        path: the ``.h5``.
        cyclic: whether the last frame is followed by the first; False holds for every series.

    Raises:
        InputError: it is damaged, of a later version, or holds undersampled series.
    """
    loaded, warnings = [], {}
    for key in _names(Path(path)):
        one, maps = _load(Path(path), key), _load_maps(Path(path), key)
        warnings |= dict.fromkeys(one.doubts)
        if isinstance(one, Images):
            warnings |= {magnitude.CRIME: None} if not np.iscomplexobj(one.frames) else {}
            one = magnitude.to_series(one)
        else:
            one = to_series(one, maps)
        loaded.append(dataclasses.replace(one, cyclic=one.cyclic and cyclic))
    coils = sorted({len(one.maps) for one in loaded})
    facts = {
        "source": Path(path).name,
        "complex": magnitude.CRIME not in warnings,
        "noise_free_reference": False,
        "coils": "single coil"
        if coils == [1]
        else " or ".join(map(str, coils)) + " coils, maps estimated",
        "subjects_known": not any(
            "subject" in text for text in warnings if text != magnitude.CRIME
        ),
        "warnings": list(warnings),
    }
    return Dataset(tuple(loaded), Path(path).stem, facts)


def measurements(path: Path) -> Iterator[Measurement]:
    """Read slice by slice.

    Raises:
        InputError: the store holds magnitude images.
    """
    for entry in entries(path):
        one = entry.load()
        if not isinstance(one, Measurement):
            raise InputError(f"{path} holds magnitude images, no measured k-space.")
        yield one


def entries(path: Path) -> list[Entry]:
    """List the series of a store."""
    names = _names(path)
    return [Entry(name, functools.partial(_load, path, key)) for key, name in names.items()]


def _names(path: Path) -> dict[str, str]:
    """Return the name of each group.

    Raises:
        InputError: it is no store, one of a later version, or empty.
    """
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
    known |= {"metadata": json.dumps(dict(one.metadata)), "doubts": json.dumps(one.doubts)}
    if isinstance(one, Images):
        return known
    known["facts"] = json.dumps(one.facts)
    known |= {"pixel_spacing": one.pixel_spacing} if one.pixel_spacing else {}
    return known | ({"frame_time": one.frame_time} if one.frame_time else {})


def _load(path: Path, key: str) -> Measurement | Images:
    with reading.reading(path, FORMAT), h5py.File(path) as content:
        group = content["series"][key]
        arrays = {
            k: _array(group, k, path) for k in ("kspace", "mask", "noise", "images") if k in group
        }
        attributes = dict(group.attrs)
        known = {k: str(attributes[k]) for k in ("name", "subject")}
        known |= {"cyclic": bool(attributes["cyclic"])}
        known |= {"metadata": json.loads(attributes["metadata"])}
        known |= {"doubts": tuple(json.loads(attributes["doubts"]))}
        if "images" in arrays:
            return Images(arrays["images"], **known)
        spacing = attributes.get("pixel_spacing")
        return Measurement(
            kspace=arrays["kspace"].astype(np.complex64),
            mask=arrays["mask"].astype(bool),
            noise=arrays.get("noise"),
            pixel_spacing=None if spacing is None else (float(spacing[0]), float(spacing[1])),
            frame_time=attributes.get("frame_time"),
            facts=tuple(json.loads(attributes["facts"])),
            **known,
        )


def _array(group: h5py.Group, name: str, path: Path) -> np.ndarray:
    reading.check_declared(path, group[name].shape, group[name].dtype.itemsize)
    return group[name][()]


def _load_maps(path: Path, key: str) -> np.ndarray | None:
    """Return the coil maps ``[coil, y, x]`` of a series, if the store holds them."""
    with reading.reading(path, FORMAT), h5py.File(path) as content:
        group = content["series"][key]
        return _array(group, "maps", path) if "maps" in group else None
