"""What a page shows: plain arrays, text and figures."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from jdmri.errors import InputError

Region = tuple[slice, slice]


@dataclasses.dataclass(frozen=True)
class View:
    """One series, shown in linked players.

    Attributes:
        name: of the series.
        label: why it is shown: ``worst 1``, ``median``.
        reference: ``[frame, y, x]``, complex or magnitude.
        estimates: method → the same shape, shown in this order.
        captions: method → a few words beside its name, such as ``34.1 dB``.
        mask: bool ``[frame, ky, kx or 1]``.
        residual: method → ``[frame, ky]``, magnitude of the k-space error (RMS along kx and coils);
            may be empty.
        region: the box around the heart; the x-t line starts along its centre column.

    Raises:
        InputError: shapes that do not belong together.
    """

    name: str
    label: str
    reference: np.ndarray
    estimates: Mapping[str, np.ndarray]
    captions: Mapping[str, str]
    mask: np.ndarray
    residual: Mapping[str, np.ndarray]
    region: Region

    def __post_init__(self) -> None:
        """Check the shapes."""
        shape = self.reference.shape
        if len(shape) != 3 or 0 in shape:
            raise InputError(f"{self.name}: the reference must be [frame, y, x], got {shape}.")
        for method, estimate in self.estimates.items():
            self._expect(f"the estimate of {method}", estimate, shape)
        if self.mask.ndim != 3:
            raise InputError(f"{self.name}: the mask must be [frame, ky, kx or 1].")
        self._expect("the mask", self.mask, (shape[0], *self.mask.shape[1:]))
        for method, residual in self.residual.items():
            self._expect(f"the residual of {method}", residual, self.mask.shape[:2])
        if 0 in self.reference[0][self.region].shape:
            raise InputError(f"{self.name}: the region {self.region} holds no pixel.")

    def _expect(self, what: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
        if array.shape != shape:
            raise InputError(f"{self.name}: {what} must be {shape}, got {array.shape}.")


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of text; a cell written ``**x**`` is emphasised.

    Raises:
        InputError: a row that does not fit the header.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __post_init__(self) -> None:
        """Check the rows."""
        for row in self.rows:
            if len(row) != len(self.header):
                raise InputError(
                    f"table {self.title!r}: {len(self.header)} columns, a row with {len(row)}."
                )


@dataclasses.dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        title: of the page.
        sentences: the protocol and the findings in words, on top.
        views: the series of the player.
        tables: in this order.
        figures: caption → figure.
        card: nested, what the numbers rest on.
        note: a warning that must be seen.
    """

    title: str
    sentences: Sequence[str]
    views: Sequence[View]
    tables: Sequence[Table]
    figures: Mapping[str, Figure]
    card: Mapping[str, Any]
    note: str = ""
