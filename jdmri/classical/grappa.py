"""GRAPPA: unsampled lines are predicted from sampled neighbours in all coils, with weights from the data.

All missing lines of all frames come from one convolution of the regularly sampled lines: the taps of a line
that lies m after a sampled one meet samples only there, and zeros elsewhere. A convolution in k-space is a
product of C × C matrices in image space (Breuer et al. 2009, doi:10.1002/mrm.22066).
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Complex, Float

from jdmri.classical.method import METHODS, Method
from jdmri.classical.regular_lines import regular_lines
from jdmri.errors import InputError
from jdmri.ops import sense
from jdmri.ops.filling import temporal_mean
from jdmri.typing import Array, Cine, CoilMaps, KSpace, Mask

_EXACT = jax.lax.Precision.HIGHEST  # the normal equations square the condition number


@METHODS.register("grappa")
def grappa(*, kernel: tuple[int, int] = (4, 5), weight: float = 0.02) -> Method:
    """GRAPPA (Griswold et al. 2002, doi:10.1002/mrm.10171) with calibration in time.

    A missing point of a coil is a linear combination of its neighbours in all coils, on the nearest sampled
    lines. One set of weights serves all frames. It is fitted to the temporal mean of k-space, over the longest
    run of lines that some frame sampled: all of them where a uniform mask moves on from frame to frame (TGRAPPA,
    Breuer et al. 2005, doi:10.1002/mrm.20430), otherwise the ACS lines. Measured points stay as they
    are, and the coils are combined with the maps. Beyond the edge of k-space everything is 0.

    Call it outside `jax.jit`: the spacing is read from the mask.

    Args:
        kernel: how many sampled lines and how many neighbours along kx, an odd number, predict a point.
        weight: Tikhonov's λ ≥ 0 of the fit, as a fraction of the mean power of the calibration's neighbours. The
            temporal mean has less noise than a frame, so that small weights fit it too well. On phantoms with
            eight coils and noise of 2 % the best is 0.01 with a moving mask, 0.03 or more with 24 ACS lines.

    Raises:
        InputError: a setting out of range; when called: one coil, a mask without a common spacing, or too few
            lines to calibrate from.
    """
    lines, columns = kernel = tuple(kernel)
    if lines < 2 or columns < 1 or columns % 2 == 0 or weight < 0:
        raise InputError(
            "grappa needs kernel=(lines >= 2, an odd number of columns) and weight >= 0, "
            f"got kernel={kernel} and weight={weight:g}."
        )

    def method(kspace: KSpace, maps: CoilMaps, mask: Mask) -> Cine:
        if kspace.ndim > 4:  # one by one, because each may have its own spacing
            return jnp.stack([method(*one) for one in zip(kspace, maps, mask, strict=True)])
        if kspace.shape[-3] == 1:
            raise InputError("grappa needs several coils, got 1; use view_sharing or kt_focuss.")
        regular = regular_lines(mask, kernel_lines=lines)
        if regular.spacing == 1:
            return sense.adjoint(kspace, maps, mask)
        calibration = temporal_mean(kspace, mask)[0, :, regular.calibration]
        taps = calibrate(calibration, regular.spacing, kernel, weight)
        return _reconstruct(kspace, maps, mask, regular.lattice, taps)

    return method


@partial(jax.jit, static_argnames=("spacing", "kernel"))
def calibrate(
    calibration: Complex[Array, "coil ky kx"],
    spacing: int,
    kernel: tuple[int, int],
    weight: float | Float[Array, ""],
) -> Complex[Array, "tap_y tap_x coil_in coil_out"]:
    """Fit the weights ``argmin_w ‖A w − b‖² + λ ‖w‖²`` and lay them out as taps of one convolution.

    Args:
        calibration: k-space without gaps.
        spacing: R, from one sampled line to the next.
        kernel: numbers of lines and columns.
        weight: λ, in units of the mean of the diagonal of AᴴA.

    Returns:
        The weight of the point (i − reach_y, j − reach_x) away, where 2 · reach + 1 is the number of taps.
    """
    lines, columns = kernel
    num_coils, height, width = calibration.shape
    num_starts, num_columns = height - (lines - 1) * spacing, width - columns + 1
    cut = lambda y, x: calibration[:, y : y + num_starts, x : x + num_columns].reshape(
        num_coils, -1
    )
    before, half = lines // 2, columns // 2
    sources = [cut(j * spacing, x) for j in range(lines) for x in range(columns)]
    targets = [cut((before - 1) * spacing + m, half) for m in range(1, spacing)]
    fitted = _ridge(jnp.concatenate(sources), jnp.concatenate(targets), weight)
    fitted = fitted.reshape(lines, columns, num_coils, spacing - 1, num_coils)
    reach = max(before, lines - before) * spacing - 1
    taps = jnp.zeros((2 * reach + 1, columns, num_coils, num_coils), calibration.dtype)
    for m in range(1, spacing):
        first = reach - (before - 1) * spacing - m
        taps = taps.at[first : first + lines * spacing : spacing].set(fitted[..., m - 1, :])
    return taps


def _ridge(sources, targets, weight):
    """Solve ``(A Aᴴ)ᵀ w = …`` for the w with ``wᵀ A ≈ B``, both ``[unknown or equation, sample]``."""
    gram = jnp.matmul(sources.conj(), sources.T, precision=_EXACT)
    power = jnp.trace(gram).real / len(gram)
    # Rounding of float32 keeps the matrix from being positive definite without a little more.
    ridge = jnp.maximum(weight, 1e-6) * power
    right = jnp.matmul(sources.conj(), targets.T, precision=_EXACT)
    return jax.scipy.linalg.solve(gram + ridge * jnp.eye(len(gram)), right, assume_a="pos")


@jax.jit
def _reconstruct(kspace, maps, mask, lattice, taps):
    filled = convolve(jnp.where(lattice[:, None, :, None], kspace, 0), taps)
    filled = jnp.where(mask[:, None], kspace, filled)
    return sense.adjoint(filled, maps, jnp.ones_like(mask))


def convolve(kspace: KSpace, taps: Complex[Array, "tap_y tap_x coil_in coil_out"]) -> KSpace:
    """Apply taps to every point: ``Σ_{d, c} taps[d, c, c'] kspace[c, k + d]``, 0 beyond the edge."""
    reach = [n // 2 for n in taps.shape[:2]]
    # Zeros after the end are also before the beginning, because the product is a circular convolution.
    size = [n + r for n, r in zip(kspace.shape[-2:], reach, strict=True)]
    images = jnp.fft.ifft2(kspace, size)
    response = jnp.fft.fft2(_placed(taps, size, reach), axes=(0, 1))
    images = jnp.einsum("...cyx,yxcd->...dyx", images, response, precision=_EXACT)
    return jnp.fft.fft2(images)[..., : kspace.shape[-2], : kspace.shape[-1]]


def _placed(taps, size, reach):
    """Put the tap for distance d at index d modulo the size."""
    pad = [(0, n - t) for n, t in zip(size, taps.shape[:2], strict=True)]
    return jnp.roll(jnp.pad(taps, [*pad, (0, 0), (0, 0)]), [-r for r in reach], (0, 1))
