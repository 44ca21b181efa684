"""The torso at rest around the heart: chest wall, lungs, great vessels, spine."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Complex

from jdmri.phantom.abdomen import abdomen
from jdmri.phantom.fields import Field, inside, paint, read_angle, ridge, smooth_noise
from jdmri.phantom.motion import Contour, anterior, extent
from jdmri.phantom.population import Draw, Subject
from jdmri.phantom.signal import Signals
from jdmri.typing import PRNGKey

_POWER = 2.35  # of the superellipse
_LENGTHS = {  # mm, correlation lengths of the random fields
    "bend_y": 35.0, "bend_x": 35.0, "warp_y": 7.0, "warp_x": 7.0, "skin_depth": 80.0, "adipose": 8.0,
    "fibres": 4.0, "septa": 14.0, "parenchyma": 3.5, "veins": 26.0, "vessels": 18.0, "hilum": 40.0,
    "dots": 3.4, "dome": 60.0, "content": 10.0, "soft": 11.0,
}  # fmt: skip


class Body(NamedTuple):
    """Coordinates of the torso on an image, in mm.

    Attributes:
        along: along the long axis, from the middle of the torso; positive is upwards.
        across: along the short axis; positive is anterior.
        skin: signed distance to the skin, negative inside.
        chest: the same to the inside of the rib cage.
    """

    along: Field
    across: Field
    skin: Field
    chest: Field


class Torso(NamedTuple):
    """The painted torso: complex ``signal``, and where blood pulsates (``vessel``, 0…1)."""

    signal: Complex[Array, "y x"]
    vessel: Field


def centre(subject: Subject, rest: Contour) -> tuple[Array, Array]:
    """Position (along, across) of the heart in the torso: behind the anterior chest wall."""
    reach = extent(rest, anterior(subject))
    long_axis, short_axis = subject.half_axes
    share = jnp.abs(subject.along / long_axis)
    wall = short_axis * (1 - share**_POWER) ** (1 / _POWER)
    return subject.along, wall - subject.skin_fat - subject.chest_muscle - subject.gap - reach


def body(y: Field, x: Field, subject: Subject, rest: Contour, skin_depth: Array) -> Body:
    """Place the torso around the heart at the origin."""
    sine, cosine = jnp.sin(subject.tilt), jnp.cos(subject.tilt)
    heart = centre(subject, rest)
    along, across = x * cosine - y * sine + heart[0], heart[1] - x * sine - y * cosine
    long_axis, short_axis = subject.half_axes
    powers = jnp.abs(along / long_axis) ** _POWER + jnp.abs(across / short_axis) ** _POWER
    skin = (powers ** (1 / _POWER) - 1) * short_axis
    chest = skin + subject.skin_fat * jnp.exp(0.4 * skin_depth) + subject.chest_muscle
    return Body(along, across, skin, chest)


def torso(
    key: PRNGKey,
    y: Field,
    x: Field,
    pixel: Array,
    subject: Subject,
    rest: Contour,
    signals: Signals,
) -> Torso:
    """Paint the torso at end-diastole.

    Args:
        key: of the subject.
        y: mm from the heart, downwards.
        x: mm from the heart, to the left of the patient.
        pixel: grid spacing in mm.
        subject: who.
        rest: the end-diastolic heart, which the torso is placed around.
        signals: of each tissue, with the local off-resonance.
    """
    draw = Draw(key, 96)
    lengths = jnp.array(list(_LENGTHS.values())) / pixel
    fields = smooth_noise(draw.key, y.shape, lengths)
    noise = dict(zip(_LENGTHS, fields, strict=True))
    # Nothing is a geometric primitive: positions are bent at two scales.
    y = y + 4 * noise["bend_y"] + 0.7 * noise["warp_y"]
    x = x + 4 * noise["bend_x"] + 0.7 * noise["warp_x"]
    place = body(y, x, subject, rest, noise["skin_depth"])
    edge = (0.5 + 0.4 * jnp.abs(noise["soft"])) * jnp.maximum(pixel, 0.9)

    canvas, vessel = _lungs(draw, noise, signals)
    canvas, vessel = abdomen(draw, canvas, vessel, y, x, subject, rest, noise, signals, edge)
    canvas, vessel = _mediastinum(draw, canvas, vessel, y, x, subject, rest, noise, signals, edge)
    canvas, vessel = _spine_and_aorta(draw, canvas, vessel, place, subject, noise, signals, edge)
    canvas, vessel = _chest_wall(draw, canvas, vessel, place, subject, noise, signals, edge)
    outside = inside(place.skin, edge)
    return Torso(canvas * outside, vessel * outside)


def _lungs(draw: Draw, noise, signals):
    """Dark air with vessels that are denser towards the hilum; fills the whole image at first."""
    dense = inside(noise["hilum"] - draw.uniform(-0.5, 1.5), 0.4)
    branches = ridge(noise["vessels"], 0.07) * inside(-noise["soft"], 0.3) * dense
    dots = inside(1.9 - noise["dots"], 0.12) * dense
    large = inside(2.3 - noise["content"], 0.1) * dense
    vessel = jnp.clip(0.6 * branches + 0.9 * dots + large, 0, 1) * draw.uniform(0.5, 1.0)
    haze = 1 + 0.25 * noise["hilum"] + 0.3 * noise["dots"] + 0.15 * noise["fibres"]
    canvas = signals["lung"] * (draw.uniform(1.0, 3.2) * jnp.maximum(haze, 0.1))
    return paint(canvas, vessel, signals["venous_blood"]), 0.5 * vessel


def _mediastinum(draw: Draw, canvas, vessel, y, x, subject, rest: Contour, noise, signals, edge):
    """Fat and soft tissue between heart, chest wall and spine; more of it towards the base."""
    radius, angle = jnp.hypot(y, x), jnp.arctan2(y, x)
    outer = read_angle(rest.outer[:, None], angle)[..., 0]
    forward = jnp.exp(5 * (jnp.cos(angle - anterior(subject)) - 1))
    back = jnp.exp(4 * (jnp.cos(angle - anterior(subject) - jnp.pi + draw.uniform(-0.5, 0.5)) - 1))
    basal = jnp.clip(1.2 - 1.8 * subject.level, 0, 1)
    thickness = draw.uniform(-3.0, 3.0) + draw.uniform(4.0, 26.0) * forward + 45.0 * basal * back
    level = radius - outer - thickness + 2.5 * noise["soft"] + 3 * noise["bend_x"]
    fat = signals["fat"] * (draw.uniform(0.4, 0.9) * (1 + 0.1 * noise["adipose"]))
    soft = signals["muscle"] * (1 + 0.12 * noise["fibres"])
    mixed = paint(fat, inside(noise["septa"] + draw.uniform(-0.2, 0.8), 0.35), soft)
    veins = inside(1.4 - noise["content"] + 2 * (1 - basal * back), 0.1)
    alpha = inside(level, edge)
    canvas = paint(canvas, alpha, paint(mixed, veins, signals["venous_blood"]))
    return canvas, paint(vessel, alpha, veins)


def _spine_and_aorta(draw: Draw, canvas, vessel, place: Body, subject, noise, signals, edge):
    """Vertebra with marrow, cortex and canal; the descending aorta before it, and soft tissue around."""
    back = -(subject.half_axes[1] - subject.skin_fat - 55.0)
    along, across = place.along - draw.uniform(-10.0, 30.0), place.across - back
    aorta_u, aorta_v = draw.uniform(12.0, 26.0), draw.uniform(24.0, 32.0)
    radius = draw.uniform(10.5, 13.5)
    aorta = jnp.hypot(along - aorta_u, across - aorta_v) - radius
    around = jnp.hypot(along / 38.0, (across - 4.0) / 30.0) * 32.0 - 32.0 + 4 * noise["soft"]
    fat = signals["fat"] * (0.9 * (1 + 0.08 * noise["adipose"]))
    muscle = signals["muscle"] * (1 + 0.1 * noise["fibres"])
    canvas = paint(canvas, inside(around, edge), paint(muscle, inside(noise["septa"], 0.5), fat))
    vertebra = jnp.maximum(jnp.abs(along) / 1.2, jnp.abs(across - 2)) - 17.0
    canvas = paint(canvas, inside(vertebra, edge), signals["cortical_bone"])
    marrow = signals["marrow"] * (1 + 0.15 * noise["parenchyma"])
    canvas = paint(canvas, inside(vertebra + 2.0, edge), marrow)
    canal = jnp.hypot(along, across + 24.0) - 8.0
    canvas = paint(canvas, inside(canal - 2.0, edge), signals["cortical_bone"])
    canvas = paint(canvas, inside(canal, edge), 0.6 * signals["csf"])
    canvas = paint(canvas, inside(aorta - 1.6, edge), signals["muscle"])
    lumen = inside(aorta, edge)
    covered = jnp.maximum(inside(jnp.minimum(around, vertebra), edge), lumen)
    return paint(canvas, lumen, signals["arterial_blood"]), paint(vessel, covered, lumen)


def _chest_wall(draw: Draw, canvas, vessel, place: Body, subject, noise, signals, edge):
    """From the pleura outwards: muscle with ribs, fascia, subcutaneous fat with septa, skin."""
    outward = inside(-place.chest, edge)
    muscle = signals["muscle"] * (draw.uniform(0.9, 1.3) * (1 + 0.1 * noise["fibres"]))
    depth = place.chest / subject.chest_muscle
    fascia = ridge(depth - 0.55 + 0.12 * noise["septa"], 0.06) * inside(-noise["soft"], 0.4)
    fat = signals["fat"] * (draw.uniform(0.55, 1.0) * (1 + 0.08 * noise["adipose"]))
    wall = paint(muscle, 0.8 * fascia, fat)
    angle = jnp.arctan2(place.across, place.along)
    arc = angle * jnp.mean(subject.half_axes) * 0.9
    spacing = draw.uniform(28.0, 46.0)
    beside = (arc + draw.uniform(0.0, 40.0) + 9 * noise["veins"]) % spacing - spacing / 2
    oval = jnp.hypot(beside / draw.uniform(9.0, 16.0), (place.chest - 5.0) / 4.0) - 1
    rib = oval * 4.0 + 0.6 * noise["soft"] + 2.5 * noise["hilum"] + 1.0
    bone = draw.uniform(0.2, 0.7) * inside(rib, edge)
    wall = paint(wall, bone, signals["cortical_bone"])
    wall = paint(wall, bone * inside(rib + 1.2, edge), signals["marrow"])
    layer = inside(-(place.chest - subject.chest_muscle), edge)
    septa = 1 - 0.35 * ridge(noise["septa"], 0.08) * inside(noise["soft"], 0.4)
    wall = paint(wall, layer, fat * septa)
    wall = paint(wall, inside(-(place.skin + 1.8), 0.5), signals["skin"])
    return paint(canvas, outward, wall), vessel * (1 - outward)
