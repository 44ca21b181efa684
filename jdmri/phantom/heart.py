"""Painting one frame: the torso read through the backward map, the heart's layers over it."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from jdmri.phantom import motion
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
from jdmri.typing import PRNGKey

_NUM_INFLOW = 4
_GRAIN, _COARSE, _TRABECULAE, _RIPPLE, _SPIKES = range(5)


class Material(NamedTuple):
    """What moves with the tissue, on an image at end-diastole.

    Attributes:
        stack: ``[y, x, channel]``: the torso (real, imaginary), its vessels, and five random fields.
        inflow: ``[field, y, x]``, patterns of fresh blood; they do not move with the tissue.
    """

    stack: Float[Array, "y x c"]
    inflow: Float[Array, "n y x"]


class View(NamedTuple):
    """An image grid: where its pixels lie from the heart, and how to find them."""

    y: Field
    x: Field
    pixel: Array  # mm
    subject: Subject

    def indices(self, y: Field, x: Field) -> tuple[Field, Field]:
        """Return fractional rows and columns of positions in mm."""
        size, subject = self.y.shape, self.subject
        x = subject.mirror * x
        sine, cosine = jnp.sin(subject.angle), jnp.cos(subject.angle)
        row = (cosine * y - sine * x + subject.offset[0]) / self.pixel + (size[0] - 1) / 2
        column = (sine * y + cosine * x + subject.offset[1]) / self.pixel + (size[1] - 1) / 2
        return row, column


def make_view(size: tuple[int, int], subject: Subject) -> View:
    """Lay a grid of ``size`` over the field of view, in the subject's own orientation."""
    pixel = subject.field_of_view / max(size)
    row, column = jnp.meshgrid(*(jnp.arange(n) - (n - 1) / 2 for n in size), indexing="ij")
    y, x = row * pixel - subject.offset[0], column * pixel - subject.offset[1]
    sine, cosine = jnp.sin(subject.angle), jnp.cos(subject.angle)
    return View(cosine * y + sine * x, subject.mirror * (cosine * x - sine * y), pixel, subject)


def make_material(key: PRNGKey, view: View, torso: Torso) -> Material:
    """Draw textures, and stack them with the torso."""
    texture_key, inflow_key = jax.random.split(key)
    size = view.y.shape
    fields = smooth_noise(texture_key, size, jnp.array([2.6, 8.0, 2.4, 6.0]) / view.pixel)
    inflow = smooth_noise(inflow_key, size, jnp.array([12.0, 8.0, 6.0, 20.0]) / view.pixel)
    spikes = _spikes(jax.random.fold_in(texture_key, 1), view)
    channels = [torso.signal.real, torso.signal.imag, torso.vessel, *fields, spikes]
    return Material(jnp.stack(channels, axis=-1), inflow)


def _spikes(key: PRNGKey, view: View) -> Field:
    """Draw a field of streaks that point to the centre of the left ventricle."""
    field = smooth_noise(key, (motion.NUM_ANGLES, 64), jnp.array([5.0]))[0]
    field = jnp.concatenate([field, field[:1]])  # once round
    angle = (jnp.arctan2(view.y, view.x) / (2 * jnp.pi) % 1.0) * motion.NUM_ANGLES
    return read(field[..., None], angle, jnp.hypot(view.y, view.x))[..., 0]


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
    return _paint_heart(key, torso, y, x, channels[3:], inflow, moment, view, signals)


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


def _paint_heart(key, canvas, y, x, fields, inflow, moment, view: View, signals):
    """Lay fat, pericardium, walls and cavities over the torso, at end-diastolic positions."""
    subject = view.subject
    edge = 0.45 * jnp.maximum(view.pixel, 0.9)
    grain, coarse = fields[_GRAIN], fields[_COARSE]
    y, x = y + 0.25 * fields[_RIPPLE], x + 0.25 * fields[_RIPPLE]
    radius, angle = jnp.hypot(y, x), jnp.arctan2(y, x)
    table = jnp.stack([*motion.contour(subject), *_covers(key, subject)], axis=-1)
    columns = jnp.moveaxis(read_angle(table, angle), -1, 0)
    rest, fat, sac = Contour(*columns[:4]), columns[4], columns[5]
    muscle = signals["myocardium"] * (subject.muscle * (1 + 0.06 * grain + 0.04 * coarse))
    adipose = signals["fat"] * (0.85 + 0.06 * grain)

    present = inside(0.9 - fat, 0.25)
    canvas = paint(canvas, inside(radius - rest.outer - fat, edge) * present, adipose)
    line = ridge(radius - rest.outer - fat, 0.7) * sac
    canvas = paint(canvas, line, 0.35 * signals["muscle"])
    canvas = paint(canvas, inside(radius - rest.outer, edge), muscle)
    right = radius - rest.right + 4.0 * jnp.maximum(fields[_TRABECULAE] - 0.3, 0)
    bands = 0.8 * inside(1.7 - fields[_TRABECULAE] - 0.3 * coarse, 0.15)
    venous = paint(signals["venous_blood"] * (subject.venous * inflow), bands, muscle)
    canvas = paint(canvas, inside(right, edge), venous)
    canvas = paint(canvas, inside(radius - rest.wall, edge), muscle)
    left = _left_cavity(y, x, radius, rest, fields, subject, moment)
    slow = 1 - 0.13 * jnp.exp(-jnp.maximum(rest.cavity - radius, 0) / 3.0)
    canvas = paint(canvas, inside(left, edge), signals["arterial_blood"] * (inflow * slow))
    papillary = _papillary(key, y, x, radius, rest, subject, moment, coarse)
    canvas = paint(canvas, inside(papillary, edge) * inside(radius - rest.wall, edge), muscle)
    return canvas


def _covers(key: PRNGKey, subject: Subject) -> tuple[Array, Array]:
    """Thickness of epicardial fat, thicker in the grooves, and visibility of the pericardium."""
    angle = 2 * jnp.pi * jnp.arange(motion.NUM_ANGLES) / motion.NUM_ANGLES
    fat = jnp.maximum(subject.fat * jnp.exp(harmonics(subject.fat_shape, angle)) - 1.0, 0)
    for side in (-1, 1):
        groove = angle - subject.septum - side * subject.right_half_angle
        fat = fat + 3.0 * jnp.exp(8 * (jnp.cos(groove) - 1))
    shape = 0.6 * jax.random.normal(jax.random.fold_in(key, 3), (2, 4))
    return fat, 0.6 * jax.nn.sigmoid(4 * harmonics(shape, angle) - 2)


def _left_cavity(y, x, radius, rest: Contour, fields, subject: Subject, moment: Moment) -> Field:
    """Signed distance to the endocardium with trabeculae: few at the septum, more in systole."""
    towards_septum = x * jnp.cos(subject.septum) + y * jnp.sin(subject.septum)
    lateral = 0.3 + 0.7 * (0.5 - 0.5 * towards_septum / jnp.maximum(radius, 1.0))
    squeeze = 0.7 + 0.5 * motion.contraction(moment.phase, subject)
    near = jnp.exp(-((jnp.maximum(rest.cavity - radius, 0) / 6.0) ** 2))
    rough = jnp.maximum(fields[_SPIKES] + 0.3 * fields[_TRABECULAE], 0)
    return radius - rest.cavity + subject.trabeculae * lateral * squeeze * near * rough


def _papillary(
    key: PRNGKey, y, x, radius, rest: Contour, subject: Subject, moment: Moment, coarse
) -> Field:
    """Signed distance to two muscles that reach from the wall into the cavity, fading to base and apex."""
    shrink = 1 - motion.contraction(moment.phase, subject) * (1 - motion.area_ratio(subject))
    scale = jnp.sqrt(
        shrink
    )  # lengths at end-diastole appear smaller in systole, the muscle does not
    present = jnp.exp(-(((subject.level - 0.45) / 0.28) ** 4))
    sizes = jax.random.uniform(jax.random.fold_in(key, 4), (2, 2), minval=0.8, maxval=1.25)
    nearest = jnp.full_like(radius, 1e3)
    for place, size in zip(subject.papillary, sizes, strict=True):
        depth = (rest.cavity - radius) * scale  # mm from the wall now
        beside = scale * (y * jnp.cos(place) - x * jnp.sin(place))
        facing = x * jnp.cos(place) + y * jnp.sin(place) > 0
        head = jnp.hypot((depth - 4.5) / (6.0 * size[0]), beside / (3.4 * size[1])) - 1
        distance = head * 3.4 * size[1] + 0.7 * coarse
        nearest = jnp.where(facing, jnp.minimum(nearest, distance), nearest)
    return nearest + 8.0 * (1 - present)
