"""Random fields and soft shapes, from which the phantom is painted."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.typing import PRNGKey

Field = Float[Array, "y x"]


def smooth_noise(key: PRNGKey, size: tuple[int, int], lengths: Array) -> Float[Array, "n y x"]:
    """Draw periodic Gaussian fields of zero mean and unit deviation.

    Args:
        key: of all fields; one transform makes them together.
        size: (y, x).
        lengths: ``[n]``, correlation lengths in pixels.
    """
    fy, fx = jnp.fft.fftfreq(size[0])[:, None], jnp.fft.rfftfreq(size[1])[None]
    response = jnp.exp(-0.5 * (jnp.pi * lengths[:, None, None]) ** 2 * (fy**2 + fx**2)[None])
    white = jax.random.normal(key, (len(lengths), *size))
    fields = jnp.fft.irfft2(jnp.fft.rfft2(white) * response, size)
    fields = fields - fields.mean(axis=(1, 2), keepdims=True)
    return fields / (fields.std(axis=(1, 2), keepdims=True) + 1e-6)


def inside(distance: Array, width: Array | float) -> Array:
    """Turn a signed distance (negative inside) into a soft mask with edge ``width``."""
    return jax.nn.sigmoid(-distance / width)


def ridge(field: Array, width: float) -> Array:
    """Mark the zero lines of a field of unit deviation: vessels, streaks, septa."""
    return jnp.exp(-((field / width) ** 2))


def paint(canvas: Array, alpha: Array, value: Array | float) -> Array:
    """Lay ``value`` over the canvas with opacity ``alpha``."""
    return canvas + alpha * (value - canvas)


def read(stack: Float[Array, "y x c"], row: Field, column: Field) -> Float[Array, "u v c"]:
    """Read all channels of an image at fractional pixel positions, bilinearly; the edge continues."""
    height, width = stack.shape[:2]
    row, column = jnp.clip(row, 0, height - 1.001), jnp.clip(column, 0, width - 1.001)
    top, left = jnp.floor(row).astype(int), jnp.floor(column).astype(int)
    down, right = (row - top)[..., None], (column - left)[..., None]
    flat = stack.reshape(height * width, -1)
    at = lambda y, x: jnp.take(flat, y * width + x, axis=0, mode="clip")
    upper = at(top, left) * (1 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    return upper * (1 - down) + lower * down


def read_angle(table: Float[Array, "m c"], angle: Field) -> Float[Array, "y x c"]:
    """Interpolate a periodic table over angles, m equal steps from 0 to 2π."""
    position = angle / (2 * jnp.pi) * len(table)
    low = jnp.floor(position)
    share = (position - low)[..., None]
    index = low.astype(int) % len(table)
    following = jnp.roll(table, -1, axis=0)
    return jnp.take(table, index, axis=0) * (1 - share) + jnp.take(following, index, axis=0) * share


def harmonics(coefficients: Float[Array, "2 n"], angle: Array, first: int = 1) -> Array:
    """Sum cosines and sines of n harmonics of an angle, beginning with the ``first``."""
    order = first + jnp.arange(coefficients.shape[1])
    phase = angle[..., None] * order.reshape(*(1,) * angle.ndim, -1)
    return jnp.cos(phase) @ coefficients[0] + jnp.sin(phase) @ coefficients[1]
