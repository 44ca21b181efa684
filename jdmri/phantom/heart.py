"""Painting one frame: the torso read through the backward map, the heart's layers over it."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from jdmri.phantom import endocardium, motion
from jdmri.phantom.endocardium import Place, Textures
from jdmri.phantom.fields import (
    Field,
    harmonics,
    inside,
    paint,
    read,
    read_angle,
    ridge,
    smooth_noise,
)
from jdmri.phantom.motion import Contour, Moment
from jdmri.phantom.population import Subject
from jdmri.phantom.signal import Signals
from jdmri.phantom.torso import Torso
from jdmri.phantom.view import View
from jdmri.typing import PRNGKey

_LENGTHS = (2.6, 8.0, 2.4, 6.0)  # mm, of the first four textures
_NUM_INFLOW = 4


class Material(NamedTuple):
    """Images of the tissue at end-diastole, and patterns of inflowing blood.

    Attributes:
        stack: ``[y, x, channel]``: the torso (real, imaginary), its vessels, and five random fields.
        inflow: ``[field, y, x]``, patterns of fresh blood; they do not move with the tissue.
    """

    stack: Float[Array, "y x c"]
    inflow: Float[Array, "n y x"]


def make_material(key: PRNGKey, view: View, torso: Torso) -> Material:
    """Draw textures, and stack them with the torso."""
    texture_key, inflow_key = jax.random.split(key)
    size = view.y.shape
    fields = smooth_noise(texture_key, size, jnp.array(_LENGTHS) / view.pixel)
    inflow = smooth_noise(inflow_key, size, jnp.array([12.0, 8.0, 6.0, 20.0]) / view.pixel)
    spikes = endocardium.spikes(jax.random.fold_in(texture_key, 1), view)
    channels = [torso.signal.real, torso.signal.imag, torso.vessel, *fields, spikes]
    return Material(jnp.stack(channels, axis=-1), inflow)


def paint_frame(
    key: PRNGKey, moment: Moment, view: View, material: Material, signals: Signals
) -> Complex[Array, "y x"]:
    """Paint the complex signal of one frame.

    Args:
        key: of the subject; what it draws is the same in all frames.
        moment: when.
        view: the fine grid.
        material: torso and textures at end-diastole.
        signals: of each tissue on the grid.
    """
    subject = view.subject
    y, x = motion.backward(*_breathe(view, moment), subject, moment)
    channels = jnp.moveaxis(read(material.stack, *view.indices(y, x)), -1, 0)
    beat = motion.contraction(moment.phase - 0.05, subject) * moment.strength
    pulse = 1 + 0.10 * channels[2] * (beat - 0.4)
    torso = jax.lax.complex(channels[0], channels[1]) * pulse
    inflow = _inflow(key, moment, material.inflow)
    return _paint_heart(key, torso, y, x, Textures(*channels[3:]), inflow, moment, view, signals)


def truth(
    moment: Moment, view: View, indices: Callable
) -> tuple[Bool[Array, "3 y x"], Float[Array, "2 y x"]]:
    """Return what is where at a moment, and where it was at end-diastole.

    Args:
        moment: when.
        view: any grid.
        indices: from positions in mm to rows and columns.

    Returns:
        Labels (LV cavity, LV wall, RV cavity), and the positions (row, column).
    """
    y, x = motion.backward(*_breathe(view, moment), view.subject, moment)
    table = jnp.stack(motion.contour(view.subject), axis=-1)
    rest = Contour(*jnp.moveaxis(read_angle(table, jnp.arctan2(y, x)), -1, 0))
    bounds = jnp.stack([jnp.zeros_like(y), rest.cavity, rest.wall, rest.right])
    radius = jnp.hypot(y, x)[None]
    return (radius >= bounds[:-1]) & (radius < bounds[1:]), jnp.stack(indices(y, x))


def _breathe(view: View, moment: Moment) -> tuple[Field, Field]:
    """Shift by the breath along the body's long axis."""
    tilt = view.subject.tilt
    return view.y - moment.breath * jnp.sin(tilt), view.x + moment.breath * jnp.cos(tilt)


def _inflow(key: PRNGKey, moment: Moment, fields) -> Field:
    """Texture of moving blood: patterns that come and go with the beat, about 1."""
    phase = 2 * jnp.pi * jax.random.uniform(jax.random.fold_in(key, 1), (_NUM_INFLOW, 2))
    order = 2 * jnp.pi * moment.phase
    weight = jnp.sin(order + phase[:, 0]) + 0.6 * jnp.sin(2 * order + phase[:, 1])
    gain = 0.03 + 0.06 * jax.random.uniform(jax.random.fold_in(key, 2))
    return 1 + gain * jnp.tensordot(0.35 + weight, fields, 1)


def _paint_heart(key, canvas, y, x, textures: Textures, inflow, moment, view: View, signals):
    """Lay fat, pericardium, walls and cavities over the torso, at end-diastolic positions."""
    subject = view.subject
    edge = 0.45 * jnp.maximum(view.pixel, 0.9)
    y, x = y + 0.25 * textures.ripple, x + 0.25 * textures.ripple
    radius, angle = jnp.hypot(y, x), jnp.arctan2(y, x)
    table = jnp.stack([*motion.contour(subject), *_covers(key, subject)], axis=-1)
    *surfaces, fat, sac = jnp.moveaxis(read_angle(table, angle), -1, 0)
    rest = Contour(*surfaces)
    texture = 1 + 0.06 * textures.grain + 0.04 * textures.coarse
    muscle = signals["myocardium"] * (subject.muscle * texture)

    canvas = _fat_and_pericardium(canvas, radius - rest.outer, fat, sac, textures, signals, edge)
    canvas = paint(canvas, inside(radius - rest.outer, edge), muscle)
    canvas = _right_cavity(canvas, radius - rest.right, textures, muscle, inflow, subject, signals, edge)  # fmt: skip
    canvas = paint(canvas, inside(radius - rest.wall, edge), muscle)
    place = Place(y, x, radius, rest.cavity)
    left = endocardium.left_cavity(place, textures, subject, moment)
    slow = 1 - 0.13 * jnp.exp(-jnp.maximum(rest.cavity - radius, 0) / 3.0)
    canvas = paint(canvas, inside(left, edge), signals["arterial_blood"] * (inflow * slow))
    papillary = endocardium.papillary(key, place, textures, subject, moment)
    return paint(canvas, inside(papillary, edge) * inside(radius - rest.wall, edge), muscle)


def _fat_and_pericardium(canvas, distance, fat, sac, textures: Textures, signals, edge):
    """Epicardial fat where there is any; a thin dark line around it over some arcs."""
    adipose = signals["fat"] * (0.85 + 0.06 * textures.grain)
    present = inside(0.9 - fat, 0.25)
    canvas = paint(canvas, inside(distance - fat, edge) * present, adipose)
    return paint(canvas, ridge(distance - fat, 0.7) * sac, 0.35 * signals["muscle"])


def _right_cavity(canvas, distance, textures: Textures, muscle, inflow, subject, signals, edge):
    """Blood of the right ventricle between coarse trabeculae."""
    ragged = distance + 4.0 * jnp.maximum(textures.trabeculae - 0.3, 0)
    bands = 0.8 * inside(1.7 - textures.trabeculae - 0.3 * textures.coarse, 0.15)
    venous = paint(signals["venous_blood"] * (subject.venous * inflow), bands, muscle)
    return paint(canvas, inside(ragged, edge), venous)


def _covers(key: PRNGKey, subject: Subject) -> tuple[Array, Array]:
    """Thickness of epicardial fat, thicker in the grooves, and visibility of the pericardium."""
    angle = 2 * jnp.pi * jnp.arange(motion.NUM_ANGLES) / motion.NUM_ANGLES
    fat = jnp.maximum(subject.fat * jnp.exp(harmonics(subject.fat_shape, angle)) - 1.0, 0)
    for side in (-1, 1):
        groove = angle - subject.septum - side * subject.right_half_angle
        fat = fat + 3.0 * jnp.exp(8 * (jnp.cos(groove) - 1))
    shape = 0.6 * jax.random.normal(jax.random.fold_in(key, 3), (2, 4))
    return fat, 0.6 * jax.nn.sigmoid(4 * harmonics(shape, angle) - 2)
