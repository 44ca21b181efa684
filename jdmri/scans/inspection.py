"""Properties measured on k-space alone: its centre, where the object lies, zero-padding, oversampling, real images, JPEG.

All functions take k-space ``[frame, coil, ky, kx]`` as NumPy arrays, zero where not sampled.
"""

import numpy as np
import scipy.fft

from jdmri.data import numpy_fourier

_EDGE = 5  # lines over which the energy just inside an edge is judged
_DROP = (
    0.02  # energy beyond the edge, as a share: natural spectra fall slowly, padding falls at once
)
_CONCENTRATED = 0.3  # of the lag-1 autocorrelation; bodies that fill the field of view stay below
_BLOCK = 8  # pixels a side of a JPEG block
_LEAST_BLOCKS = 3  # along each axis: fewer say nothing


def energy(kspace: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean energy of the sampled points at each index of ``axis`` (-2 or -1)."""
    power = np.abs(kspace) ** 2
    count = (kspace != 0).any(axis=1).sum(axis=(0, -1 if axis == -2 else -2))
    return power.sum(axis=(0, 1, -1 if axis == -2 else -2)) / np.maximum(count, 1)


def peak_offset(kspace: np.ndarray, axis: int) -> int:
    """Return how far the strongest index of ``axis`` is from N // 2; -(N // 2) means a corner."""
    return int(np.argmax(energy(kspace, axis))) - kspace.shape[axis] // 2


def object_extent(kspace: np.ndarray, axis: int) -> tuple[float, float] | None:
    """Return where an object lies along ``axis`` and how wide it is, in pixels.

    The place is the circular centroid of |image|² from the middle. It is the phase between neighbours in k-space,
    ``c₁ = Σ_j k[j+1] conj(k[j])``, so gaps in the sampling do no harm. Near N / 2 neighbours alternate in sign. The width
    w is that of a rectangle with the same ``c₂ / c₁``, which is ``cos(π w / N)`` and free of white noise.

    Returns:
        None where no three neighbours are sampled, or the object fills the field of view.
    """
    moved = np.moveaxis(kspace, axis, -1)
    first, second, third = moved[..., :-2], moved[..., 1:-1], moved[..., 2:]
    run = (first != 0) & (second != 0) & (third != 0)
    sum_of = lambda products: np.sum(products[run], dtype=np.complex128)
    near, far = sum_of(second * first.conj()), sum_of(third * first.conj())
    alone = np.sum((np.abs(first) ** 2 + np.abs(second) ** 2)[run], dtype=np.float64) / 2
    if abs(near) <= _CONCENTRATED * alone:
        return None
    size, angle = moved.shape[-1], np.angle(near)
    cosine = (far * np.exp(-2j * angle)).real / abs(near)
    return -float(angle) * size / (2 * np.pi), float(
        np.arccos(np.clip(cosine, -1, 1))
    ) * size / np.pi


def padded(kspace: np.ndarray, axis: int) -> tuple[int, int]:
    """Count the indices at both ends of ``axis`` whose energy falls off at once: zero-padding or a filter."""
    profile = energy(kspace, axis)
    return _leading_gap(profile), _leading_gap(profile[::-1])


def _leading_gap(profile: np.ndarray) -> int:
    """Return how many values at the start lie below 2 % of those that follow."""
    gaps = [
        e
        for e in range(1, len(profile) // 2 - _EDGE)
        if profile[:e].max() < _DROP * np.median(profile[e : e + _EDGE])
        and profile[e - 1] < _DROP * profile[e]
    ]
    return max(gaps, default=0)


def imaginary_share(kspace: np.ndarray) -> float:
    """Return ‖Im image‖ / ‖image‖: near 0 for images without phase, about 0.7 for measured ones."""
    images = numpy_fourier.ifftc(kspace)
    return float(np.linalg.norm(images.imag) / max(np.linalg.norm(images), 1e-30))


def outer_share(kspace: np.ndarray) -> float:
    """Return the share of the energy in the outer halves along x: near 0 with readout oversampling still in."""
    images = np.abs(numpy_fourier.ifftc(kspace, (-1,))) ** 2
    quarter = images.shape[-1] // 4
    middle = images[..., quarter : images.shape[-1] - quarter].sum()
    return float(1 - middle / max(images.sum(), 1e-30))


def blockiness(images: np.ndarray) -> float:
    """Return how much fewer fine details the blocks of one 8 × 8 grid hold than those of other grids.

    JPEG removes fine cosines of each block, so the grid that it worked on stands out: 1 or little more for
    images that were never JPEGs. Cropping moves the grid, interpolation hides it.

    Args:
        images: magnitudes ``[frame, y, x]``; four frames are looked at.
    """
    size = [n // _BLOCK - 1 for n in images.shape[-2:]]
    if min(size) < _LEAST_BLOCKS:
        return 1.0
    grids = [_fine_detail(images[:4], size, y, x) for y in range(_BLOCK) for x in range(_BLOCK)]
    return float(np.median(grids) / max(min(grids), 1e-30))


def _fine_detail(images: np.ndarray, size: list[int], y: int, x: int) -> float:
    """Return the mean size of the finer half of the cosines of the blocks that begin at (y, x)."""
    height, width = (n * _BLOCK for n in size)
    blocks = images[:, y : y + height, x : x + width].reshape(-1, size[0], _BLOCK, size[1], _BLOCK)
    cosines = np.abs(scipy.fft.dctn(blocks, axes=(2, 4), norm="ortho")).mean(axis=(0, 1, 3))
    return float(cosines[np.add.outer(np.arange(_BLOCK), np.arange(_BLOCK)) >= _BLOCK].mean())
