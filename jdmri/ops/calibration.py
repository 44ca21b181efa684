"""Calibration data, eigenvectors and a smooth phase for all estimates of coil maps; and Walsh's maps.

Maps are estimated from the undersampled data alone. They satisfy Σ_coil |map|² = 1 inside their
support and are 0 outside, where E = mask · F · maps is blind: images are 0 there, and ‖E‖ ≤ 1 holds.
The phase of maps is a convention, since E(maps e^{iφ}) (cine e^{-iφ}) is the same data: compare maps as
projectors S Sᴴ, and see `smooth_phase` for the one chosen here.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from jdmri.errors import InputError
from jdmri.ops import fourier
from jdmri.ops.filling import temporal_mean
from jdmri.typing import Array, Mask

# Without it an accelerator rounds products to 10 bits, and maps differ from those of a CPU by 1e-3.
EXACT = jax.lax.Precision.HIGHEST


def calibration(
    kspace: Complex[Array, "frame coil ky kx"], mask: Mask, *, limit: int = 24
) -> tuple[Complex[Array, "coil cy cx"], dict[str, int]]:
    """Return the largest gapless centre of the temporal mean of k-space, and what it is.

    The mean is ``Σ_t m y / Σ_t m`` at each point, and the centre is a rectangle about (ky // 2, kx // 2)
    in which some frame sampled every point. Its size depends on the mask, so this is not for `jax.jit`;
    `mean_centre` is, for a known size.

    Args:
        kspace: one series ``[frame, coil, ky, kx]``.
        mask: ``[frame, ky, kx or 1]``.
        limit: most lines and columns that are taken.

    Returns:
        The centre ``[coil, line, column]`` and, to be stated with results, its ``num_lines`` and
        ``num_columns``, and ``min_frames``: how many frames sampled the least sampled of its points.

    Raises:
        InputError: no frame sampled the centre of k-space.
    """
    count = np.asarray(mask).sum(axis=0)
    count = np.broadcast_to(count, kspace.shape[-2:])
    size = _gapless_centre(count > 0, limit)
    if 0 in size:
        raise InputError(
            f"coil maps need the centre of k-space, and no frame sampled line {len(count) // 2} of "
            f"{len(count)}; use a mask with centre lines (num_center_lines)."
        )
    description = {
        "num_lines": size[0],
        "num_columns": size[1],
        "min_frames": int(_centre(count, size).min()),
    }
    return mean_centre(kspace, mask, size), description


@partial(jax.jit, static_argnames="size")
def mean_centre(
    kspace: Complex[Array, "frame coil ky kx"], mask: Mask, size: tuple[int, int]
) -> Complex[Array, "coil cy cx"]:
    """Return the central ``size`` = (lines, columns) of `temporal_mean`."""
    mask = jnp.broadcast_to(mask, (*mask.shape[:-1], kspace.shape[-1]))
    mask, kspace = _centre(mask, size), _centre(kspace, size)
    return temporal_mean(jnp.where(mask[:, None], kspace, 0), mask)[0]


@partial(jax.jit, static_argnames="matrix")
def low_resolution(
    calibration: Complex[Array, "coil cy cx"], matrix: tuple[int, int]
) -> Complex[Array, "coil y x"]:
    """Return the images ``[coil, y, x]`` of a centre of k-space, Hann filtered against ringing."""
    before = [n // 2 - c // 2 for n, c in zip(matrix, calibration.shape[1:], strict=True)]
    after = [n - c - b for n, c, b in zip(matrix, calibration.shape[1:], before, strict=True)]
    lines, columns = (_hann(c) for c in calibration.shape[1:])
    filtered = calibration * (lines[:, None] * columns)[None]
    return fourier.ifftc(jnp.pad(filtered, [(0, 0), *zip(before, after, strict=True)]))


@partial(jax.jit, static_argnames="size")
def walsh(images: Complex[Array, "coil y x"], *, size: int = 9) -> Complex[Array, "coil y x"]:
    """Estimate maps as the main direction of the coils' signals around each pixel.

    The leading eigenvector of ``Σ_patch m mᴴ`` (Walsh et al. 2000, Magn Reson Med 43:682), for white
    noise (`combine.prewhiten`). Σ_coil |map|² = 1 at every pixel, without a support: in air the maps are noise.

    Args:
        images: of each coil, ``[coil, y, x]``, as from `low_resolution`. Resolution matters more than for
            ESPIRiT: take a centre of 48 lines or more where there is one.
        size: side of the patch in pixels.
    """
    covariance = images[:, None] * images[None].conj()
    covariance = jnp.moveaxis(_sum_patches(covariance, size), (0, 1), (-2, -1))
    _, maps = leading_eigenvectors(covariance, 1)
    return smooth_phase(maps, images)[0]


def leading_eigenvectors(
    covariance: Complex[Array, "y x coil coil"], num_sets: int
) -> tuple[Float[Array, "set y x"], Complex[Array, "set coil y x"]]:
    """Return the largest eigenvalues of each pixel, descending, and their unit eigenvectors."""
    values, vectors = jnp.linalg.eigh(covariance)
    values = jnp.moveaxis(values[..., ::-1][..., :num_sets], -1, 0)
    vectors = jnp.moveaxis(vectors[..., ::-1][..., :num_sets], (-1, -2), (0, 1))
    return values, vectors


def smooth_phase(
    maps: Complex[Array, "set coil y x"], data: Complex[Array, " coil *points"]
) -> Complex[Array, "set coil y x"]:
    """Turn each pixel's maps so that the main virtual coil ``Σ_c conj(u_c) maps_c`` is real, positive.

    u is the first left singular vector of ``data`` [coil, points]: the fixed combination of coils with the
    most signal, as in BART. Combined images take the phase of that virtual coil's image.
    """
    flat = data.reshape(len(data), -1)
    _, vectors = jnp.linalg.eigh(jnp.matmul(flat, flat.conj().T, precision=EXACT))
    virtual = fix_phase(vectors[:, -1])
    reference = jnp.einsum("c,scyx->syx", virtual.conj(), maps, precision=EXACT)
    return maps * jnp.exp(-1j * jnp.angle(reference))[:, None]


def fix_phase(vector: Complex[Array, " coil"]) -> Complex[Array, " coil"]:
    """Turn a vector so that its largest entry is real, positive: solvers leave its phase open."""
    return vector * jnp.exp(-1j * jnp.angle(vector[jnp.argmax(jnp.abs(vector))]))


def _gapless_centre(sampled: Bool[np.ndarray, "ky kx"], limit: int) -> tuple[int, int]:
    """Return (lines, columns) of the largest fully sampled centre, each at most ``limit``."""
    lines, columns = (_from_the_centre(n)[:limit] for n in sampled.shape)
    ordered = sampled[lines][:, columns]
    # Entry [n - 1, m - 1]: whether the n × m centre is fully sampled.
    gapless = np.logical_and.accumulate(np.logical_and.accumulate(ordered, axis=0), axis=1)
    area = np.outer(np.arange(1, len(lines) + 1), np.arange(1, len(columns) + 1)) * gapless
    line, column = np.unravel_index(area.argmax(), area.shape)
    return (int(line) + 1, int(column) + 1) if gapless.any() else (0, 0)


def _from_the_centre(size: int) -> Int[np.ndarray, " n"]:
    """Return the indices N // 2, N // 2 - 1, N // 2 + 1, …: the first n are the n of the centre."""
    step = np.arange(size)
    return size // 2 + np.where(step % 2, -(step + 1) // 2, step // 2)


def _centre(array: Array, size: tuple[int, int]) -> Array:
    """Cut out (lines, columns) so that index N // 2 becomes index size // 2."""
    first = [n // 2 - s // 2 for n, s in zip(array.shape[-2:], size, strict=True)]
    return array[..., first[0] : first[0] + size[0], first[1] : first[1] + size[1]]


def _hann(size: int) -> Float[np.ndarray, " n"]:
    return np.cos(np.pi * (np.arange(size) - size // 2) / (size + 1)).astype(np.float32) ** 2


def _sum_patches(
    images: Complex[Array, "coil coil y x"], size: int
) -> Complex[Array, "coil coil y x"]:
    """Sum over the size × size pixels about each pixel; beyond the edge there is nothing."""
    for window in ((1, 1, size, 1), (1, 1, 1, size)):
        images = jax.lax.reduce_window(
            images, jnp.zeros((), images.dtype), jax.lax.add, window, (1, 1, 1, 1), "SAME"
        )
    return images
