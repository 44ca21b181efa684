"""Compressed sensing frame by frame with spatial wavelets, and the wavelet transform."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex

from jdmri.classical import proximal
from jdmri.classical.method import METHODS, Iterative
from jdmri.classical.problem import Measured, Minimiser, Problem, check_settings, penalised
from jdmri.errors import InputError
from jdmri.typing import Array

Image = Complex[Array, "*batch y x"]

_ROOT = np.sqrt(3.0)
_LOW = np.array([1 + _ROOT, 3 + _ROOT, 3 - _ROOT, 1 - _ROOT], np.float32) / (4 * np.sqrt(2.0))
_HIGH = _LOW[::-1] * np.array([1, -1, 1, -1], np.float32)


@METHODS.register("wavelet")
def wavelet(
    *,
    weight: float = 0.01,
    num_levels: int = 4,
    tolerance: float = 2e-5,
    max_iterations: int = 2000,
    iterations: int = 0,
) -> Iterative:
    """Minimise ``½‖E x − y‖² + λ Σ |W x|`` by POGM, W the wavelet transform of each frame.

    Sparse MRI (Lustig et al. 2007, doi:10.1002/mrm.21391) with the orthonormal wavelet of four taps of Daubechies 1988
    (doi:10.1002/cpa.3160410705). The coarsest approximation is not penalised: it is not sparse.

    Args:
        weight: λ as a fraction of the largest magnitude of the temporal average.
        num_levels: of W.
        tolerance: of the residual of `solvers.proximal_gradient`.
        max_iterations: stop in any case.
        iterations: stop after exactly so many instead; 0: do not.

    Raises:
        InputError: a setting out of range.
    """
    limits = dict(tolerance=tolerance, max_iterations=max_iterations, iterations=iterations)
    check_settings("wavelet", weight=weight, **limits)
    if num_levels < 1:
        raise InputError(f"wavelet needs num_levels >= 1, got {num_levels}.")

    def build(series: Measured) -> Problem:
        rows, columns = (_coarse(n, num_levels) for n in series.start.shape[-2:])
        detail = np.ones(series.start.shape[-2:], np.float32)
        detail[:rows, :columns] = 0
        threshold = weight * series.scale * detail[None]

        def prox(cine, step):
            taken = proximal.project_magnitude(analyse(cine, num_levels), step * threshold)
            return cine - synthesise(taken, num_levels)

        penalty = lambda cine: jnp.sum(threshold * jnp.abs(analyse(cine, num_levels)))
        return penalised(series, prox, penalty)

    return Minimiser(build, **limits)


def analyse(image: Image, num_levels: int) -> Image:
    """Apply W, orthonormal for every size; approximations are in the upper left corner.

    Images are periodic. The last sample of an odd length goes to the approximation as it is.
    """
    rows, columns = image.shape[-2:]
    for _ in range(num_levels):
        corner = _split(_split(image[..., :rows, :columns], -1), -2)
        image = image.at[..., :rows, :columns].set(corner)
        rows, columns = (rows + 1) // 2, (columns + 1) // 2
    return image


def synthesise(coefficients: Image, num_levels: int) -> Image:
    """Apply Wᴴ = W⁻¹."""
    for level in reversed(range(num_levels)):
        rows, columns = (_coarse(n, level) for n in coefficients.shape[-2:])
        corner = _merge(_merge(coefficients[..., :rows, :columns], -2), -1)
        coefficients = coefficients.at[..., :rows, :columns].set(corner)
    return coefficients


def _coarse(size: int, level: int) -> int:
    """The length of the approximation after some levels."""
    return -(-size // 2**level)


def _split(values, axis: int):
    """One level along one axis: approximation, then detail."""
    values = jnp.moveaxis(values, axis, -1)
    pairs = values.shape[-1] // 2
    even, odd = values[..., : 2 * pairs : 2], values[..., 1 : 2 * pairs : 2]
    taps = (even, odd, jnp.roll(even, -1, -1), jnp.roll(odd, -1, -1))
    low, high = (sum(c * t for c, t in zip(f, taps, strict=True)) for f in (_LOW, _HIGH))
    parts = jnp.concatenate([low, values[..., 2 * pairs :], high], axis=-1)
    return jnp.moveaxis(parts, -1, axis)


def _merge(parts, axis: int):
    """The adjoint, and inverse, of `_split`."""
    parts = jnp.moveaxis(parts, axis, -1)
    size, pairs = parts.shape[-1], parts.shape[-1] // 2
    low, last, high = (
        parts[..., :pairs],
        parts[..., pairs : size - pairs],
        parts[..., size - pairs :],
    )
    taps = [a * low + b * high for a, b in zip(_LOW, _HIGH, strict=True)]
    even, odd = taps[0] + jnp.roll(taps[2], 1, -1), taps[1] + jnp.roll(taps[3], 1, -1)
    both = jnp.stack([even, odd], axis=-1).reshape(*parts.shape[:-1], 2 * pairs)
    return jnp.moveaxis(jnp.concatenate([both, last], axis=-1), -1, axis)
