"""The resting torso around the heart: fat, muscle, lungs, liver, vessels, spine."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.phantom.fields import Field, inside, paint, smooth_noise
from jdmri.typing import PRNGKey


def torso(key: PRNGKey, y: Field, x: Field, pixel: Float[Array, ""]) -> Field:
    """Paint the signal magnitude of a chest slice.

    Args:
        key: of the subject.
        y: position relative to the heart in mm.
        x: the same, towards the patient's left.
        pixel: grid spacing in mm.
    """
    keys = iter(jax.random.split(key, 64))
    uniform = lambda low, high: jax.random.uniform(next(keys), minval=low, maxval=high)
    noise = lambda length: smooth_noise(next(keys), y.shape, length / pixel)
    edge = 0.6 * pixel
    # Nothing is a geometric primitive: coordinates are bent at two scales.
    y, x = y + 4 * noise(35.0) + 0.8 * noise(7.0), x + 4 * noise(35.0) + 0.8 * noise(7.0)

    centre_y, centre_x = uniform(35, 60), uniform(-75, -45)
    half_y, half_x = uniform(105, 135), uniform(170, 225)
    power = 2.4
    radius = (
        jnp.abs((y - centre_y) / half_y) ** power + jnp.abs((x - centre_x) / half_x) ** power
    ) ** (1 / power)
    skin = (radius - 1) * half_y
    fat, muscle = uniform(7, 22), uniform(9, 17)
    chest = skin + fat + muscle

    canvas = paint(
        jnp.zeros_like(y), inside(skin, edge), uniform(0.65, 1.0) * (1 + 0.10 * noise(9.0))
    )
    streaks = inside(jnp.abs(noise(8.0)) * 6 - 0.7, 0.5)
    meat = uniform(0.18, 0.30) * (1 + 0.12 * noise(5.0)) + 0.45 * streaks
    canvas = paint(canvas, inside(skin + fat, edge), meat)

    vessels = inside(jnp.abs(noise(16.0)) * 9 - 0.9, 0.8) * inside(-noise(25.0) * 5, 3.0)
    lung = uniform(0.03, 0.08) * (1 + 0.3 * noise(4.0)) + uniform(0.25, 0.6) * vessels
    canvas = paint(canvas, inside(chest, edge), lung)

    mediastinum = uniform(0.25, 0.45) * (1 + 0.2 * noise(8.0)) + 0.4 * inside(
        -noise(14.0) * 8 + 5, 1.0
    )
    middle = jnp.hypot((y - uniform(25, 50)) / 1.3, x + uniform(50, 80)) - uniform(35, 50)
    canvas = paint(canvas, inside(jnp.maximum(middle, chest + 2), edge), mediastinum)

    veins = inside(jnp.abs(noise(22.0)) * 12 - 1.3, 0.8)
    liver = uniform(0.22, 0.45) * (1 + 0.08 * noise(4.0)) + 0.3 * veins
    dome = -(y - uniform(20, 75)) - 0.35 * x + 10 * noise(50.0)
    canvas = paint(canvas, inside(jnp.maximum(dome, chest + 1), edge), liver)
    stomach = jnp.hypot(y - uniform(55, 85), x - uniform(20, 60)) - uniform(18, 34)
    content = uniform(0.1, 0.7) * (1 + 0.25 * noise(6.0))
    canvas = paint(canvas, inside(jnp.maximum(stomach, chest + 2), edge), content)

    aorta_y, aorta_x = uniform(55, 75), uniform(-45, -15)
    aorta = jnp.hypot(y - aorta_y, x - aorta_x) - uniform(9, 13)
    canvas = paint(canvas, inside(aorta - 1.5, edge), 0.25)
    canvas = paint(canvas, inside(aorta, edge), uniform(0.7, 1.0))
    spine = jnp.maximum(jnp.abs(y - aorta_y - 25) - 15, jnp.abs(x - aorta_x + 25) - 17)
    canvas = paint(canvas, inside(spine, 1.5), uniform(0.2, 0.4) * (1 + 0.2 * noise(4.0)))
    ribs = jnp.abs(chest + 5) - 3 + 5 * (noise(18.0) - 0.6)
    return paint(canvas, inside(ribs, edge), 0.1)
