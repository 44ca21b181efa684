"""One cine series: the record that every reader produces."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from jdmri.registry import Registry

READERS = Registry("data reader")


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
    """

    cine: np.ndarray
    maps: np.ndarray
    name: str
    subject: str
    cyclic: bool = True
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What ``READERS[name](...)`` returns: the series of one source, and what is known of it.

    Attributes:
        series: the records, in a fixed order.
        name: short name of the source (a file's stem); names the evaluation folder.
        facts: statements for the card (`card.json`), e.g. ``{"source": "magnitude images", ...}``.
    """

    series: tuple[Series, ...]
    name: str
    facts: dict

    def __len__(self) -> int:
        """Count the series."""
        return len(self.series)
