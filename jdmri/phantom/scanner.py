"""From the fine grid to k-space: phase, coils, cropping, noise."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from jdmri.phantom.fields import Field, smooth_noise
from jdmri.typing import PRNGKey

FINE = 2  # pixels of the fine grid in one of the image


def background_phase(key: PRNGKey, size: tuple[int, int]) -> Field:
    """Draw a smooth phase in rad: a cubic polynomial and a little of finer structure."""
    polynomial_key, field_key = jax.random.split(key)
    y, x = jnp.meshgrid(*(jnp.linspace(-1, 1, n) for n in size), indexing="ij")
    terms = jnp.stack([jnp.ones_like(y), y, x, y * x, y**2, x**2, y**3, x**3])
    phase = 0.7 * jnp.tensordot(jax.random.normal(polynomial_key, (8,)), terms, 1)
    return phase + 0.12 * smooth_noise(field_key, size, jnp.array([max(size) / 6]))[0]


def to_kspace(
    fine: Complex[Array, "*batch v u"], matrix: tuple[int, int]
) -> Complex[Array, "*batch ky kx"]:
    """Transform a fine image and keep the centre of its k-space, as a scanner samples it.

    The scale is that of an image of ``matrix``: a constant keeps its value after `fourier.ifftc`.
    """
    # The shift of the (even) fine grid is a sign in k-space: cheaper than moving the image.
    frequency = [np.arange(n) - n // 2 for n in matrix]
    rows, columns = (f % size for f, size in zip(frequency, fine.shape[-2:], strict=True))
    sign = (-1.0) ** (frequency[0][:, None] + frequency[1])
    spectrum = jnp.fft.fft2(fine, norm="ortho")
    sign = sign.reshape(*(1,) * (fine.ndim - 2), *matrix).astype(np.float32)
    return spectrum[..., rows[:, None], columns] * (sign / FINE)


def at_pixels(fine: Array, matrix: tuple[int, int]) -> Array:
    """Pick the fine pixels that lie where the pixels of the cropped image are."""
    first = [FINE * n // 2 - FINE * (n // 2) for n in matrix]
    return fine[..., first[0] :: FINE, first[1] :: FINE]


def resolution(
    matrix: tuple[int, int], phase_resolution: float, partial_echo: float
) -> Float[Array, "ky kx"]:
    """Return 1 where k-space is acquired at all.

    Args:
        matrix: (ky, kx).
        phase_resolution: share of the phase encoding lines, about the centre.
        partial_echo: share of the readout; the beginning of the echo is missing.
    """
    lines = jnp.abs(jnp.arange(matrix[0]) - matrix[0] // 2) <= phase_resolution * matrix[0] / 2
    echo = jnp.arange(matrix[1]) >= (1 - partial_echo) * matrix[1]
    return (lines[:, None] & echo[None]).astype(jnp.float32)


def white_noise(
    key: PRNGKey, shape: tuple[int, ...], sigma: Array | float
) -> Complex[Array, "..."]:
    """Draw complex white noise with E|n|² = σ²."""
    real, imag = jax.random.normal(key, (2, *shape)) * (sigma / jnp.sqrt(2.0))
    return jax.lax.complex(real, imag)
