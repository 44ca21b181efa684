"""The inner surface of the left ventricle: trabeculae and papillary muscles."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jdmri.phantom import motion
from jdmri.phantom.fields import Field, read, smooth_noise
from jdmri.phantom.motion import Moment
from jdmri.phantom.population import Subject
from jdmri.phantom.view import View
from jdmri.typing import PRNGKey


class Textures(NamedTuple):
    """Random fields that move with the tissue."""

    grain: Field
    coarse: Field
    trabeculae: Field
    ripple: Field
    spikes: Field


class Place(NamedTuple):
    """Positions of pixels at end-diastole, in mm from the centre of the left ventricle.

    Attributes:
        y: downwards.
        x: to the patient's left.
        radius: distance to the centre.
        cavity: radius of the endocardium in that direction.
    """

    y: Field
    x: Field
    radius: Field
    cavity: Field


def spikes(key: PRNGKey, view: View) -> Field:
    """Draw a field of streaks that point to the centre of the left ventricle."""
    field = smooth_noise(key, (motion.NUM_ANGLES, 64), jnp.array([5.0]))[0]
    field = jnp.concatenate([field, field[:1]])  # once round
    angle = (jnp.arctan2(view.y, view.x) / (2 * jnp.pi) % 1.0) * motion.NUM_ANGLES
    return read(field[..., None], angle, jnp.hypot(view.y, view.x))[..., 0]


def left_cavity(place: Place, textures: Textures, subject: Subject, moment: Moment) -> Field:
    """Signed distance to the endocardium with trabeculae: few at the septum, more in systole."""
    towards_septum = place.x * jnp.cos(subject.septum) + place.y * jnp.sin(subject.septum)
    lateral = 0.3 + 0.7 * (0.5 - 0.5 * towards_septum / jnp.maximum(place.radius, 1.0))
    squeeze = 0.7 + 0.5 * motion.contraction(moment.phase, subject) * moment.strength
    near = jnp.exp(-((jnp.maximum(place.cavity - place.radius, 0) / 6.0) ** 2))
    rough = jnp.maximum(textures.spikes + 0.3 * textures.trabeculae, 0)
    return place.radius - place.cavity + subject.trabeculae * lateral * squeeze * near * rough


def papillary(
    key: PRNGKey, place: Place, textures: Textures, subject: Subject, moment: Moment
) -> Field:
    """Signed distance to two muscles that reach from the wall into the cavity, fading to base and apex."""
    share = motion.contraction(moment.phase, subject) * moment.strength
    shrink = 1 - share * (1 - motion.area_ratio(subject))
    scale = jnp.sqrt(shrink)  # the cavity shrinks in systole, the muscles in it do not
    present = jnp.exp(-(((subject.level - 0.45) / 0.28) ** 4))
    sizes = jax.random.uniform(jax.random.fold_in(key, 4), (2, 2), minval=0.8, maxval=1.25)
    nearest = jnp.full_like(place.radius, 1e3)
    for angle, size in zip(subject.papillary, sizes, strict=True):
        sine, cosine = jnp.sin(angle), jnp.cos(angle)
        depth = (place.cavity - place.radius) * scale  # mm from the wall now
        beside = scale * (place.y * cosine - place.x * sine)
        head = jnp.hypot((depth - 4.5) / (6.0 * size[0]), beside / (3.4 * size[1])) - 1
        distance = head * 3.4 * size[1] + 0.7 * textures.coarse
        facing = place.x * cosine + place.y * sine > 0
        nearest = jnp.where(facing, jnp.minimum(nearest, distance), nearest)
    return nearest + 8.0 * (1 - present)
