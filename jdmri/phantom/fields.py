"""Random fields and soft shapes, from which the phantom is painted."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.typing import PRNGKey

Field = Float[Array, "y x"]


def smooth_noise(key: PRNGKey, size: tuple[int, int], length: float) -> Field:
    """Draw a Gaussian field of unit deviation with correlation ``length`` in pixels; periodic."""
    fy, fx = jnp.fft.fftfreq(size[0])[:, None], jnp.fft.rfftfreq(size[1])[None]
    response = jnp.exp(-0.5 * (2 * jnp.pi * length / 2) ** 2 * (fy**2 + fx**2))
    spectrum = jnp.fft.rfft2(jax.random.normal(key, size)) * response
    field = jnp.fft.irfft2(spectrum, size)
    return (field - field.mean()) / (field.std() + 1e-6)


def inside(distance: Array, width: Array | float) -> Array:
    """Turn a signed distance (negative inside) into a soft mask with edge ``width``."""
    return jax.nn.sigmoid(-distance / width)


def paint(canvas: Array, alpha: Array, value: Array | float) -> Array:
    """Lay ``value`` over the canvas with opacity ``alpha``."""
    return canvas + alpha * (value - canvas)


def sample(image: Field, y: Array, x: Array) -> Array:
    """Read an image at fractional pixel positions, linearly; the edge continues."""
    return jax.scipy.ndimage.map_coordinates(image, [y, x], order=1, mode="nearest")
