"""ESPIRiT: coil maps as eigenvectors of what k-space's neighbourhoods have in common.

After Uecker et al. 2014 (doi:10.1002/mrm.24751). Every k × k neighbourhood of multi-coil k-space lies in the
row space of the calibration matrix, with projector P. Projecting all neighbourhoods and averaging them
is, in image space, a matrix at each pixel,

    G(n)[c, c'] = 1/k² Σ_{d, d'} P[(c, d), (c', d')] exp(2πi (d - d')·(n - N // 2) / N),

with 0 ≤ G ≤ 1, and ``G S m = S m``: the maps S are its eigenvectors of eigenvalue 1. Where tissue
folds onto tissue, or meets tissue across the edge of the field of view, there are two. Time and
memory grow at least with coils²: `combine.compress` to about 8 first.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from jdmri.errors import InputError
from jdmri.ops.calibration import EXACT, leading_eigenvectors, smooth_phase
from jdmri.typing import Array, Scalar


def espirit(
    calibration: Complex[Array, "coil cy cx"],
    matrix: tuple[int, int],
    *,
    kernel: int = 6,
    threshold: Scalar = 0.02,
    crop: Scalar = 0.95,
    num_sets: int = 1,
) -> Complex[Array, "*sets coil y x"]:
    """Estimate coil maps from a fully sampled centre of k-space.

    Σ_coil |map|² = 1 where the eigenvalue exceeds ``crop``, else 0. One set has the phase of
    `coils.smooth_phase`. Two sets are orthogonal at each pixel, and model ``Σ_s maps_s · cine_s``; where
    both eigenvalues are 1, only the plane they span is determined. Scale and phase of the data do not matter.

    Args:
        calibration: ``[coil, line, column]``, as from `coils.calibration`; any scale.
        matrix: (y, x) of the maps, over the same field of view.
        kernel: side k of the neighbourhoods, in points of k-space. With fewer lines than about 2k the
            support shrinks: 6 for 12 lines, 4 for 8.
        threshold: singular values of the calibration matrix below this share of the largest are noise.
        crop: least eigenvalue inside the support.
        num_sets: how many maps a pixel has.

    Returns:
        ``[coil, y, x]``; with two sets or more ``[set, coil, y, x]``.

    Raises:
        InputError: the kernel does not fit into the calibration data, or these into ``matrix``.
    """
    values, maps = eigenmaps(
        calibration, matrix, kernel=kernel, threshold=threshold, num_sets=num_sets
    )
    maps = jnp.where((values <= crop)[:, None], 0, maps)
    return maps[0] if num_sets == 1 else maps


@partial(jax.jit, static_argnames=("matrix", "kernel", "num_sets"))
def eigenmaps(
    calibration: Complex[Array, "coil cy cx"],
    matrix: tuple[int, int],
    *,
    kernel: int = 6,
    threshold: Scalar = 0.02,
    num_sets: int = 1,
) -> tuple[Float[Array, "set y x"], Complex[Array, "set coil y x"]]:
    """Return the largest eigenvalues of G, 0…1, and their eigenvectors, without a support.

    Arguments and errors are those of `espirit`.
    """
    _check(calibration.shape, matrix, kernel, num_sets)
    projector = _neighbourhood_projector(calibration, kernel, threshold)
    values, maps = leading_eigenvectors(_to_image_space(projector, matrix), num_sets)
    return values, smooth_phase(maps, calibration)


def _neighbourhood_projector(
    calibration: Complex[Array, "coil cy cx"], kernel: int, threshold: Scalar
) -> Complex[Array, "coil k k coil k k"]:
    """Return P, the projector onto the neighbourhoods [coil, dy, dx] found in the calibration data."""
    num_coils, *size = calibration.shape
    rows, columns = (np.arange(n - kernel + 1)[:, None] + np.arange(kernel) for n in size)
    blocks = calibration[:, rows][..., columns]  # [coil, row, dy, column, dx]
    blocks = blocks.transpose(1, 3, 0, 2, 4).reshape(-1, num_coils * kernel**2)
    # The SVD, not the eigenvectors of the Gram matrix: that squares the singular values, and in
    # float32 those below 0.001 of the largest would be lost.
    _, singular, signal = jnp.linalg.svd(blocks, full_matrices=False)
    # `<=` keeps a NaN in the data alive, here and for `crop`; `>` would make it a silent 0.
    signal = jnp.where((singular <= threshold * singular[0])[:, None], 0, signal)
    # Rows of `signal` are neighbourhoods themselves, not their conjugates: P = Σ rowᵀ conj(row).
    projector = jnp.matmul(signal.T, signal.conj(), precision=EXACT)
    return projector.reshape(2 * (num_coils, kernel, kernel))


def _to_image_space(
    projector: Complex[Array, "coil k k coil k k"], matrix: tuple[int, int]
) -> Complex[Array, "y x coil coil"]:
    """Return G, one axis after the other: its terms are few, so that no FFT is needed."""
    y, x = (_phases(n, projector.shape[1]) for n in matrix)
    hybrid = jnp.einsum("ypq,cprdqs->ycdrs", y, projector, precision=EXACT)
    return jnp.einsum("xrs,ycdrs->yxcd", x, hybrid, precision=EXACT)


def _phases(size: int, kernel: int) -> Complex[np.ndarray, "n k k"]:
    """Return exp(2πi (d - d') (n - N // 2) / N) / k as [n, d, d']."""
    shift = np.arange(kernel)[:, None] - np.arange(kernel)
    position = (np.arange(size) - size // 2) / size
    return (np.exp(2j * np.pi * position[:, None, None] * shift) / kernel).astype(np.complex64)


def _check(shape: tuple[int, ...], matrix: tuple[int, int], kernel: int, num_sets: int) -> None:
    num_coils, lines, columns = shape
    if not 1 <= kernel <= min(lines, columns):
        raise InputError(
            f"ESPIRiT's kernel of {kernel}×{kernel} does not fit the calibration band of {lines} lines × "
            f"{columns} columns; lower the kernel or sample more centre lines (num_center_lines of the mask)."
        )
    if lines > matrix[0] or columns > matrix[1]:
        raise InputError(
            f"coil maps of {matrix[0]}×{matrix[1]} are smaller than their calibration band of {lines}×{columns}."
        )
    if not 1 <= num_sets <= num_coils:
        raise InputError(
            f"ESPIRiT gives 1 to {num_coils} sets of {num_coils} coils, not {num_sets}."
        )
