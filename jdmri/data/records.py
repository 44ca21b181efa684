"""One cine series: the record that every reader produces."""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple, Protocol

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
class Dataset:
    """What ``READERS[name](...)`` returns: the series of one source, and what is known of it.

    Attributes:
        series: the records, in a fixed order.
        name: short name of the source (a file's stem); names the evaluation folder.
        facts: statements for the card (`card.json`), e.g. ``{"source": "magnitude images", ...}``.
    """

    series: tuple[SeriesLike, ...]
    name: str
    facts: dict

    def __len__(self) -> int:
        """Count the series."""
        return len(self.series)
