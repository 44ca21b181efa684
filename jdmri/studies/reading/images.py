"""Series as pictures: one gray window for a case, 8 bits, and lossless sprite sheets."""

import hashlib
import io
import math
from collections.abc import Iterable

import numpy as np
from PIL import Image

from jdmri.errors import InputError
from jdmri.studies.reading.case import Case

# White at the start is the 99.5th percentile; brighter values up to 1.25 times it are kept, so that
# the reader's own window can open them.
PERCENTILE = 99.5
HEADROOM = 1.25
_LARGEST = 16383  # pixels along a side of a WebP image


def gray(case: Case) -> dict[str | None, np.ndarray]:
    """Map the magnitudes of a case to 0…255 by one window: all candidates keep their own brightness.

    Returns:
        Method name, or None for the reference → uint8 ``[frame, y, x]``. 255 is ``HEADROOM`` times
        the 99.5th percentile of the reference, or of all candidates where there is no reference.
    """
    magnitudes = {name: np.abs(array) for name, array in case.arrays.items()}
    shown = [magnitudes[None]] if None in magnitudes else list(magnitudes.values())
    white = HEADROOM * float(np.percentile(np.stack(shown), PERCENTILE)) or 1.0
    return {n: np.rint(np.clip(m / white, 0, 1) * 255).astype(np.uint8) for n, m in magnitudes.items()}  # fmt: skip


def num_columns(num_frames: int) -> int:
    """Frames in a row of a sheet; rows follow each other like lines of text."""
    return math.ceil(math.sqrt(num_frames))


def sheet(frames: np.ndarray) -> bytes:
    """Encode a series as one WebP image, lossless: readers must not rank the compression.

    Args:
        frames: uint8 ``[frame, y, x]``.

    Raises:
        InputError: the frames do not fit on a sheet.
    """
    num_frames, height, width = frames.shape
    columns = num_columns(num_frames)
    rows = math.ceil(num_frames / columns)
    if max(columns * width, rows * height) > _LARGEST:
        raise InputError(
            f"{num_frames} frames of {height} × {width} do not fit on one picture of {_LARGEST} "
            f"pixels a side; show fewer frames."
        )
    padded = np.zeros((rows * columns, height, width), np.uint8)
    padded[:num_frames] = frames
    grid = padded.reshape(rows, columns, height, width).swapaxes(1, 2)
    picture = Image.fromarray(grid.reshape(rows * height, columns * width)).convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", lossless=True, method=4)
    return buffer.getvalue()


def digest(series: Iterable[np.ndarray]) -> int:
    """Reduce all pictures to one number."""
    total = hashlib.sha256()
    for frames in series:
        total.update(np.ascontiguousarray(frames))
    return int.from_bytes(total.digest()[:8], "big")
