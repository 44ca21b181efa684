"""Cines as 8-bit pictures: the frames of an array tiled into one sheet, compressed as WebP."""

import base64
import io
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from PIL import Image

from jdmri.errors import InputError

HEADROOM = 1.25  # the largest magnitude that a sheet holds, in peaks
FLOOR_DB = -60.0  # the lowest residual


class Quality(NamedTuple):
    """WebP quality of pictures and of errors, which are noise and cost more; None is lossless."""

    image: int | None
    error: int | None


QUALITIES = (
    Quality(None, None),
    *map(Quality, (97, 95, 92, 90, 85, 80, 75, 70, 60, 40, 20, 5), (95, 90, 80, 70, 60, 50, 40, 30, 20, 10, 5, 1)),
)  # fmt: skip

_LARGEST_SIDE = 16383  # of a WebP
_NUM_SAMPLES = 9  # sheets from which the size of all is foretold


class Cine(NamedTuple):
    """Levels, uint8 ``[frame, y, x]``, of magnitudes or of errors."""

    levels: np.ndarray
    is_error: bool


def peak(reference: np.ndarray) -> float:
    """Find the brightness that is shown white: the 99.5th percentile of the finite magnitudes."""
    magnitude = np.abs(reference)
    finite = magnitude[np.isfinite(magnitude)]
    return (float(np.percentile(finite, 99.5)) if finite.size else 0.0) or 1.0


def magnitudes(cine: np.ndarray, peak: float) -> np.ndarray:
    """Quantise magnitudes: 255 is ``HEADROOM`` peaks; values that are not finite are black."""
    fraction = np.abs(cine) / (HEADROOM * peak)
    return _levels(np.where(np.isfinite(fraction), fraction, 0))


def errors(estimate: np.ndarray, reference: np.ndarray, peak: float) -> np.ndarray:
    """Quantise errors of the magnitude on a square-root scale: 255 is one peak.

    The root leaves 80 of the 255 levels to errors below a tenth of the peak, which is all that the gain
    of 10 can show. An error that is not finite is shown as the largest one: black would look perfect.
    """
    with np.errstate(invalid="ignore"):  # inf - inf
        fraction = np.sqrt(np.abs(np.abs(estimate) - np.abs(reference)) / peak)
    return _levels(np.where(np.isfinite(fraction), fraction, 1))


def decibels(residual: np.ndarray, largest: float) -> np.ndarray:
    """Quantise a residual ``[frame, ky]`` between ``FLOOR_DB`` and 0 dB of the largest."""
    fraction = np.maximum(residual / largest, 10 ** (FLOOR_DB / 20))
    return _levels(np.where(np.isfinite(fraction), 1 - 20 * np.log10(fraction) / FLOOR_DB, 1))


def columns(shape: tuple[int, int, int]) -> int:
    """Count the tiles in a row of the sheet of ``[frame, y, x]``, about square.

    Raises:
        InputError: the cine is too large for a picture.
    """
    frames, height, width = shape
    count = min(max(round(math.sqrt(frames * height / width)), 1), frames)
    if max(count * width, -(-frames // count) * height) > _LARGEST_SIDE:
        raise InputError(f"a cine of {shape} does not fit into one picture; show fewer frames.")
    return count


def tile(frames: np.ndarray) -> np.ndarray:
    """Lay the frames of ``[frame, y, x]`` out in rows; tiles that are left over are black."""
    count = columns(frames.shape)
    rows = -(-len(frames) // count)
    padded = np.pad(frames, ((0, rows * count - len(frames)), (0, 0), (0, 0)))
    grid = padded.reshape(rows, count, *frames.shape[1:])
    return grid.transpose(0, 2, 1, 3).reshape(rows * frames.shape[1], -1)


def encode(sheet: np.ndarray, quality: int | None) -> str:
    """Compress a sheet to a WebP data URI."""
    buffer = io.BytesIO()
    options = {"lossless": True, "quality": 50} if quality is None else {"quality": quality}
    Image.fromarray(sheet).save(buffer, "webp", method=2, **options)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def compress(cines: Sequence[Cine], budget: int) -> tuple[list[str], Quality]:
    """Compress all cines at the highest quality that keeps them within ``budget`` bytes.

    Returns:
        Data URIs of sheets, and their quality.

    Raises:
        InputError: even the lowest quality is too large.
    """
    chosen = np.random.default_rng(0).permutation(len(cines))[:_NUM_SAMPLES]
    sample = [cines[i] for i in chosen]
    share = sum(c.levels.size for c in sample) / max(sum(c.levels.size for c in cines), 1)
    for quality in QUALITIES:
        if _length(_encode_all(sample, quality)) <= share * budget:
            uris = _encode_all(cines, quality)
            if _length(uris) <= budget:
                return uris, quality
    raise InputError(
        f"{len(cines)} cines do not fit into the {budget / 2**20:.1f} MiB that text and figures leave; show fewer."
    )


def _encode_all(cines: Sequence[Cine], quality: Quality) -> list[str]:
    def encode_one(cine: Cine) -> str:
        return encode(tile(cine.levels), quality.error if cine.is_error else quality.image)

    with ThreadPoolExecutor() as pool:  # the encoder releases the interpreter's lock
        return list(pool.map(encode_one, cines))


def _length(uris: Sequence[str]) -> int:
    return sum(map(len, uris)) + 4 * len(uris)  # with the quotes and commas of JSON


def _levels(fraction: np.ndarray) -> np.ndarray:
    return np.round(255 * np.clip(fraction, 0, 1)).astype(np.uint8)
