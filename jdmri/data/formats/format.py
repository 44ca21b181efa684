"""File formats: how one is recognised and read, and the table that each format's own file adds it to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import h5py

from jdmri.data.measurements import Entry, Origin


class Format(NamedTuple):
    """A file format.

    Attributes:
        name: that of its reader in `READERS`.
        entries: lists the slices of a file or folder without loading them.
        recognise: whether a file, of which the first 520 bytes are given, is of this format.
        recognise_hdf5: the same for an open HDF5 file; asked where no ``recognise`` says yes.
        priority: formats of a smaller number are asked first; those of one number exclude each other.
        measured: whether it holds measured k-space rather than images.
        origins: patient, geometry and timing of slices by their names, for formats that say it.
        suffixes: endings that promise this format; a file named so that is of no format is damaged.
        optional_suffix: ending that may be left off the path.
    """

    name: str
    entries: Callable[[Path], list[Entry]]
    recognise: Callable[[Path, bytes], bool] = lambda path, begin: False
    recognise_hdf5: Callable[[Path, h5py.File], bool] = lambda path, content: False
    priority: int = 0
    measured: bool = True
    origins: Callable[[Path], dict[str, Origin]] = lambda path: {}
    suffixes: tuple[str, ...] = ()
    optional_suffix: str = ""


class Formats:
    """The known formats, in the order in which they are asked whether a file is theirs."""

    def __init__(self):
        """Begin with none: each format's file adds its own."""
        self._known: dict[str, Format] = {}

    def register(self, one: Format) -> None:
        """Add a format."""
        if one.name in self._known:
            raise KeyError(f"format {one.name!r} is registered twice.")
        self._known[one.name] = one

    def __iter__(self) -> Iterator[Format]:
        """Iterate in the order of recognition."""
        return iter(sorted(self._known.values(), key=lambda one: (one.priority, one.name)))

    def __getitem__(self, name: str) -> Format:
        """Return the format called ``name``."""
        return self._known[name]


FORMATS = Formats()
