"""Cine series and data sets: the records that every reader produces."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

import numpy as np

from jdmri.runtime.registry import Registry

READERS = Registry("data reader")


class Shape(NamedTuple):
    """How large a series is: numbers of frames, coils, lines (ky, y) and columns (kx, x)."""

    frames: int
    coils: int
    lines: int
    columns: int


@dataclasses.dataclass(frozen=True)
class Series:
    """A fully sampled cine with its coil maps and where it came from.

    Attributes:
        cine: complex64 ``[frame, y, x]``, the reference image; phase encoding along ``y``.
        maps: complex64 ``[coil, y, x]`` with Σ_coil |map|² = 1 where there is signal.
        name: identifies the series in its data set; its evaluation mask is derived from it.
        subject: who was scanned. Splits never put one subject on two sides.
        cyclic: whether the last frame is followed by the first (gated cine: true).
        metadata: what else is known, e.g. ``{"field": "1.5"}``; splits may be stratified by it.
        kspace: complex64 ``[frame, coil, ky, kx]`` as a scanner measured it; None where k-space is to be
            simulated from ``cine`` and ``maps``.
    """

    cine: np.ndarray
    maps: np.ndarray
    name: str
    subject: str
    cyclic: bool = True
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    kspace: np.ndarray | None = None

    @property
    def shape(self) -> Shape:
        """The sizes, which a series that is still on disk knows, too."""
        frames, *matrix = self.cine.shape
        return Shape(frames, len(self.maps), *matrix)

    @property
    def measured(self) -> bool:
        """Whether there is k-space of a scanner."""
        return self.kspace is not None

    def load(self) -> "Series":
        """Return the arrays: itself."""
        return self


class SeriesLike(Protocol):
    """A `Series`, or a record of one on disk that costs no memory until ``load()``."""

    name: str
    subject: str
    cyclic: bool
    metadata: Mapping[str, str]

    @property
    def shape(self) -> Shape:
        """The sizes."""
        ...

    @property
    def measured(self) -> bool:
        """Whether there is k-space of a scanner."""
        ...

    def load(self) -> Series:
        """Read the arrays."""
        ...


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known of a data set: `card.json` states it. Decisions rest on the fields, never on the words of a warning.

    Attributes:
        source: name of the file, or what generated the data.
        complex: whether all images have a phase of their own; False for magnitude images.
        subjects_known: whether the source says who was scanned, so that a split by subject cannot leak.
        coils: the distinct numbers of coils.
        maps: where the coil maps of the reference are from: ``none`` for a single coil, ``given`` with simulated data, or
            ``estimated`` from all of k-space.
        noise_free_reference: whether the reference images hold no noise.
        phase: how images came to their phase; "" for k-space.
        coil_compression: what was done before publication; "" for nothing.
        warnings: sentences for people.
    """

    source: str
    complex: bool
    subjects_known: bool
    coils: tuple[int, ...] = (1,)
    maps: Literal["none", "given", "estimated"] = "none"
    noise_free_reference: bool = False
    phase: str = ""
    coil_compression: str = ""
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What ``READERS[name](...)`` returns: the series of one source, and what is known of it.

    Attributes:
        series: the records, in a fixed order.
        name: short name of the source (a file's stem); names the evaluation folder.
        facts: on the source and its reference images.
    """

    series: tuple[SeriesLike, ...]
    name: str
    facts: Facts

    def __len__(self) -> int:
        """Count the series."""
        return len(self.series)
