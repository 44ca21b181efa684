"""Motion of the heart: a time law, and one backward map per frame that never folds.

Along each ray from the centre of the left ventricle a point at radius r comes from the end-diastolic radius
R. Cavities map linearly, the wall keeps its volume, the surroundings follow with a Gaussian tail. Before that
the slice is twisted, which keeps areas, so the Jacobian's sign is that of dR/dr > 0.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.phantom.fields import Field, harmonics, read_angle
from jdmri.phantom.population import Subject

NUM_ANGLES = 256
_TWIST_REACH, _WOBBLE_REACH = 45.0, 75.0  # mm


class Contour(NamedTuple):
    """Radii of the surfaces of the heart, in mm, over ``NUM_ANGLES`` angles or over an image."""

    cavity: Array  # LV endocardium
    wall: Array  # LV epicardium
    right: Array  # RV endocardium of the free wall; equals ``wall`` where there is no RV
    outer: Array  # surface of the heart


class Moment(NamedTuple):
    """Phase of the heartbeat, its strength, and the breathing position of a frame."""

    phase: Array  # of the cycle, 0 at end-diastole
    strength: Array  # of this beat, 1 for a normal one
    breath: Array  # mm along the body


def contraction(phase: Array, subject: Subject) -> Array:
    """Return 0 at end-diastole and 1 at end-systole.

    Ejection, isovolumic relaxation, E wave, diastasis, A wave, each a quintic smooth step.
    """
    phase = phase % 1.0
    eject = _rise((phase - 0.035) / (subject.systole - 0.035))
    early = _rise((phase - subject.systole - 0.055) / subject.early)
    atrial = _rise((phase - subject.atrial) / (0.985 - subject.atrial))
    return eject - subject.early_share * early - (1 - subject.early_share) * atrial


def area_ratio(subject: Subject) -> Array:
    """Return the end-systolic over the end-diastolic cavity area of the slice.

    From the ejection fraction of the volume, area × length: what the long axis does not do.
    """
    return (1 - subject.ejection) / (1 - subject.shortening)


def contour(subject: Subject, moment: Moment | None = None) -> Contour:
    """Return the surfaces at a moment, or at end-diastole."""
    angle = 2 * jnp.pi * jnp.arange(NUM_ANGLES) / NUM_ANGLES
    cavity = subject.cavity * (1 + harmonics(subject.cavity_shape, angle, first=2))
    wall = cavity + subject.wall * (1 + harmonics(subject.wall_shape, angle))
    depth = subject.right_depth * _crescent(angle - subject.septum, subject.right_half_angle)
    thickness = subject.right_wall * depth / (depth + 4.0)
    if moment is None:
        return Contour(cavity, wall, wall + depth, wall + depth + thickness)
    local = contraction(moment.phase - harmonics(subject.delay, angle), subject) * moment.strength
    whole = contraction(moment.phase, subject) * moment.strength
    local = jnp.clip(local * (1 + harmonics(subject.vigour, angle)), 0, 1.05)
    now = cavity * jnp.sqrt(1 - local * (1 - area_ratio(subject)))
    now_wall = jnp.sqrt(now**2 + (wall**2 - cavity**2) / (1 - subject.shortening * whole))
    right = now_wall + depth * (1 - subject.right_shortening * local)
    return Contour(now, now_wall, right, right + thickness * (1 + 0.25 * local))


def follow_length(subject: Subject, rest: Contour, now: Contour) -> Array:
    """Reach of the motion outside of the heart: less towards the near chest wall, never folding."""
    angle = 2 * jnp.pi * jnp.arange(NUM_ANGLES) / NUM_ANGLES
    towards_chest = 0.5 + 0.5 * jnp.cos(angle - anterior(subject))
    free = 30.0 + (10.0 + 0.75 * subject.gap - 30.0) * towards_chest
    # The slope of the tail is at most 0.86 |shift| / length.
    return jnp.maximum(free, 1.35 * jnp.abs(rest.outer - now.outer))


def anterior(subject: Subject) -> Array:
    """Direction of the anterior chest wall."""
    return jnp.arctan2(-jnp.cos(subject.tilt), -jnp.sin(subject.tilt))


def extent(rest: Contour, direction: Array) -> Array:
    """Extent of the heart at rest in a direction, in mm from its centre."""
    angle = 2 * jnp.pi * jnp.arange(len(rest.outer)) / len(rest.outer)
    return jnp.max(rest.outer * jnp.cos(angle - direction))


def backward(y: Field, x: Field, subject: Subject, moment: Moment) -> tuple[Field, Field]:
    """Map positions at a moment to those of the same tissue at end-diastole.

    Args:
        y: mm from the heart, downwards.
        x: mm from the heart, to the left of the patient.
        subject: who.
        moment: when.

    Returns:
        (y, x) at end-diastole in mm.
    """
    order = 2 * jnp.pi * moment.phase * (1 + jnp.arange(3))
    weights = jnp.stack([jnp.cos(order) - 1, jnp.sin(order)])
    shift = jnp.tensordot(weights, subject.wobble, 2)
    moving = jnp.exp(-((jnp.hypot(y, x) / _WOBBLE_REACH) ** 4))  # the chest does not wobble
    y, x = y - moving * shift[0], x - moving * shift[1]
    radius, angle = jnp.hypot(y, x), jnp.arctan2(y, x)
    whole = contraction(moment.phase, subject) * moment.strength
    angle = angle - subject.twist * whole * jnp.exp(-((radius / _TWIST_REACH) ** 2))
    rest, now = contour(subject), contour(subject, moment)
    tables = jnp.stack([*rest, *now, follow_length(subject, rest, now)], axis=-1)
    columns = jnp.moveaxis(read_angle(tables, angle), -1, 0)
    source = _along_ray(radius, Contour(*columns[:4]), Contour(*columns[4:8]), columns[8])
    return source * jnp.sin(angle), source * jnp.cos(angle)


def _along_ray(r: Field, rest: Contour, now: Contour, length: Field) -> Field:
    """Radius at end-diastole of what is at radius ``r`` now."""
    cavity = r * rest.cavity / now.cavity
    share = (r**2 - now.cavity**2) / (now.wall**2 - now.cavity**2)
    wall = jnp.sqrt(jnp.maximum(rest.cavity**2 + share * (rest.wall**2 - rest.cavity**2), 0))
    right = _between(r, now.wall, now.right, rest.wall, rest.right)
    free_wall = _between(r, now.right, now.outer, rest.right, rest.outer)
    beyond = jnp.maximum(r - now.outer, 0)
    around = r + (rest.outer - now.outer) * jnp.exp(-((beyond / length) ** 2))
    inner = jnp.where(r < now.cavity, cavity, jnp.where(r < now.wall, wall, right))
    return jnp.where(r < now.right, inner, jnp.where(r < now.outer, free_wall, around))


def _between(r, low, high, rest_low, rest_high):
    """Map [low, high] linearly to [rest_low, rest_high]."""
    share = (r - low) / jnp.maximum(high - low, 1e-3)
    return rest_low + jnp.clip(share, 0, 1) * (rest_high - rest_low)


def _crescent(angle: Array, half_angle: Array) -> Array:
    """Depth of the right ventricle over the angle from its middle, 0…1."""
    wrapped = (angle + jnp.pi) % (2 * jnp.pi) - jnp.pi
    return jnp.maximum(1 - (wrapped / half_angle) ** 2, 0) ** 1.1


def _rise(t: Array) -> Array:
    """Quintic smooth step from 0 to 1."""
    t = jnp.clip(t, 0, 1)
    return t**3 * (t * (6 * t - 15) + 10)


def ventricular_volume(subject: Subject, moments: Moment) -> Float[Array, " frame"]:
    """Volume of the LV cavity in ml, by area × length (5/6 A L, the bullet formula)."""
    share = contraction(moments.phase, subject) * moments.strength
    area = jnp.pi * subject.mid_cavity**2 * (1 - share * (1 - area_ratio(subject)))
    return 5 / 6 * area * subject.length * (1 - subject.shortening * share) / 1000
