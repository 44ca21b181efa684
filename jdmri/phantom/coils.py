"""Coil sensitivities by Biot-Savart: loops in front of and behind the body."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from jdmri.phantom.motion import Contour
from jdmri.phantom.population import Draw
from jdmri.phantom.torso import centre
from jdmri.phantom.view import View
from jdmri.typing import PRNGKey

_GRID = 48  # sensitivities are smooth: computed on a coarse grid
_SEGMENTS = 24  # straight pieces of a loop


def sensitivities(
    key: PRNGKey, view: View, rest: Contour, num_coils: int
) -> Complex[Array, "coil y x"]:
    """Return the (unnormalised) receive field B1⁻ of each loop on the grid of ``view``.

    Half of the loops lie on the chest, half on the back, in two rows above and below the slice,
    28–45 mm off the skin, with radii of 50–75 mm. B0 points through the slice.

    Args:
        key: of the coil.
        view: the image grid.
        rest: end-diastolic surfaces, which place the heart in the torso.
        num_coils: at least 1.
    """
    subject = view.subject
    draw = Draw(key, 3 * num_coils)
    along_heart, across_heart = centre(subject, rest)
    long_axis, short_axis = subject.half_axes
    index = jnp.arange(num_coils)
    front = index % 2 == 0
    columns = -(-num_coils // 4)
    column = (index // 4 + 0.5) / columns * 2 - 1
    row = jnp.where((index // 2) % 2 == 0, -1.0, 1.0)
    spread = 0.75 * long_axis if num_coils > 4 else 0.3 * long_axis
    along = column * spread + draw.uniform(-15.0, 15.0, (num_coils,))
    bulge = short_axis * (1 - jnp.abs(along / long_axis) ** 2.35) ** (1 / 2.35)
    across = jnp.where(front, 1, -1) * (bulge + draw.uniform(28.0, 45.0, (num_coils,)))
    radius = draw.uniform(50.0, 75.0, (num_coils,))
    centres = jnp.stack([along, across, row * 45.0], axis=-1)
    normal = jnp.stack([along / long_axis**2, across / short_axis**2, 0 * row], axis=-1)
    normal = normal / jnp.linalg.norm(normal, axis=-1, keepdims=True)

    size = view.y.shape
    coarse = lambda image: jax.image.resize(image, (_GRID, _GRID), "linear")
    y, x = coarse(view.y), coarse(view.x)
    sine, cosine = jnp.sin(subject.tilt), jnp.cos(subject.tilt)
    u, v = x * cosine - y * sine + along_heart, across_heart - x * sine - y * cosine
    points = jnp.stack([u, v, jnp.zeros_like(u)], axis=-1)
    field = jax.lax.map(lambda loop: _loop_field(points, *loop), (centres, normal, radius))
    receive = field[..., 0] - 1j * field[..., 1]
    fine = lambda part: jax.image.resize(part, (num_coils, *size), "cubic")
    return jax.lax.complex(fine(receive.real), fine(receive.imag))


def _loop_field(
    points: Float[Array, "y x 3"], centre: Array, normal: Array, radius: Array
) -> Float[Array, "y x 3"]:
    """Magnetic field of a unit current in a circular loop, up to a constant (Biot-Savart law)."""
    first = jnp.stack([-normal[1], normal[0], 0 * normal[2]])  # in the slice plane
    second = jnp.cross(normal, first)
    angle = 2 * jnp.pi * (jnp.arange(_SEGMENTS) + 0.5) / _SEGMENTS
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    ring = jnp.outer(cosine, first) + jnp.outer(sine, second)
    current = jnp.outer(cosine, second) - jnp.outer(sine, first)

    def add(total, segment):
        position, direction = segment
        distance = points - jnp.reshape(centre + radius * position, (1, 1, 3))
        cube = jnp.sum(distance**2, axis=-1, keepdims=True) ** 1.5
        direction = jnp.broadcast_to(direction, distance.shape)
        return total + jnp.cross(direction, distance) * radius / cube, None

    return jax.lax.scan(add, jnp.zeros_like(points), (ring, current))[0]
