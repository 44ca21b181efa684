"""The region around the heart, and x-t profiles through it, found in the reference alone."""

import numpy as np
import scipy.ndimage

from jdmri.metrics.registry import Series

Region = tuple[slice, slice]

_REGION = 5 / 12  # of each side
_MIN_REGION = 32  # pixels; every SSIM window fits
_NUM_PROFILES = 8


def heart_region(reference: Series) -> Region:
    """Find the box around the heart, from the reference alone.

    The power of the first temporal harmonic of the magnitude (what beats once a cycle: not noise, not
    bright tissue), smoothed (Gaussian, σ = 10 % of the image); a box of 5/12 of the image, 80×80 of
    192×192 and at least 32×32, around its maximum.
    """
    harmonic = np.fft.fft(np.abs(reference), axis=0)[min(1, len(reference) - 1)]
    sigma = 0.1 * np.mean(harmonic.shape)
    power = scipy.ndimage.gaussian_filter(np.abs(harmonic) ** 2, sigma, mode="constant")
    centre = np.unravel_index(power.argmax(), power.shape)
    return tuple(_extent(c, size) for c, size in zip(map(int, centre), power.shape, strict=True))


def profile_lines(reference: Series) -> list[np.ndarray]:
    """Coordinates ``[2, points]`` of the profiles through the centre of the heart."""
    region = heart_region(reference)
    centre = np.array([(s.start + s.stop - 1) / 2 for s in region])
    reach = min(reference.shape[1:]) / 4
    radius = np.arange(-np.floor(reach), np.floor(reach) + 1)
    angles = np.pi * np.arange(_NUM_PROFILES) / _NUM_PROFILES
    return [centre[:, None] + radius * np.array([[np.sin(a)], [np.cos(a)]]) for a in angles]


def profile(series: Series, line: np.ndarray) -> np.ndarray:
    """Sample ``[frame, point]`` along a line, linearly; beyond the border the edge continues."""
    return np.stack(
        [scipy.ndimage.map_coordinates(f, line, order=1, mode="nearest") for f in series]
    )


def _extent(centre: int, size: int) -> slice:
    length = min(max(round(_REGION * size), _MIN_REGION), size)
    start = min(max(centre - length // 2, 0), size - length)
    return slice(start, start + length)
