"""Helpers of all readers: errors of one line, sizes checked before memory is taken, and folders."""

import contextlib
import hashlib
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from jdmri.errors import InputError

_HARMLESS = 64 * 2**20  # bytes that any machine can spare
_RATIO = 200  # undersampled k-space of R = 24 shrinks by less; a file that claims more is damaged or a trap


@contextlib.contextmanager
def reading(path: Path, wanted: str) -> Iterator[None]:
    """Turn whatever a damaged file causes into an `InputError` of one line that names ``wanted``."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # parsers of damaged files raise anything
        reason = " ".join(str(error).split())[:160].rstrip(". ") or type(error).__name__
        raise InputError(f"cannot read {path} as {wanted}: {reason}.") from error


def require(module: str) -> ModuleType:
    """Import a package of the extra ``io``.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise InputError(
            f"this format needs the package {package!r}; type pip install 'jdmri[io]'."
        ) from error


def check_declared(path: Path, shape: Sequence[int], itemsize: int = 8) -> None:
    """Refuse an array that is far larger than its file can hold, before memory is taken.

    Args:
        path: the file that declares it.
        shape: of the array.
        itemsize: bytes a value.

    Raises:
        InputError: a size that is not positive, or more than 200 times the file (and 64 MiB).
    """
    size = itemsize
    for length in shape:
        size *= int(length)  # Python's integers: a product of absurd sizes does not wrap around
    stored = path.stat().st_size
    if size <= 0 or size > max(_HARMLESS, _RATIO * stored):
        raise InputError(
            f"{path} declares an array {[int(n) for n in shape]} in a file of {stored} bytes; it is empty, damaged or "
            f"not what it says."
        )


def find(path: Path, suffixes: tuple[str, ...], wanted: str) -> list[Path]:
    """List the files of a format: ``path`` itself, or those below it, sorted; hidden ones are left out.

    Raises:
        InputError: nothing there.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"no file or folder {str(path)!r}; wanted {wanted}.")
    below = (p for p in path.rglob("*") if p.name.lower().endswith(suffixes) and p.is_file())
    found = sorted(p for p in below if not p.name.startswith("."))
    if not found:
        raise InputError(f"no {wanted} ({', '.join(suffixes)}) in {path}.")
    return found


def label(file: Path, root: Path) -> str:
    """Name a file by its place below ``root``, without suffix: ``P001-cine_sax``."""
    parts = file.relative_to(root).parts if file != root and root in file.parents else (file.name,)
    return "-".join(parts).partition(".")[0]


def pseudonym(identifier: str) -> str:
    """Name a person by a digest of the identifier that a file gives, so that no report or store carries it."""
    return f"subject-{hashlib.sha256(identifier.encode()).hexdigest()[:8]}"


def complex64(values: np.ndarray) -> np.ndarray:
    """Convert to complex64; compound values with fields ``real`` and ``imag`` or ``r`` and ``i``, too.

    Raises:
        InputError: neither numbers nor such a compound.
    """
    names = values.dtype.names
    if names is None and values.dtype.kind in "fciu":
        return values.astype(np.complex64)
    for pair in (("real", "imag"), ("r", "i")):
        if names is not None and set(pair) == set(names):
            out = np.empty(values.shape, np.complex64)
            out.real, out.imag = values[pair[0]], values[pair[1]]
            return out
    raise InputError(f"values of type {values.dtype} are not complex numbers.")
