"""Organs below the diaphragm: liver, stomach, spleen, kidney, and the vena cava."""

import jax.numpy as jnp

from jdmri.phantom.fields import Field, inside, paint, ridge
from jdmri.phantom.motion import Contour, extent
from jdmri.phantom.population import Draw, Subject
from jdmri.phantom.signal import Signals


def abdomen(
    draw: Draw, canvas, vessel, y: Field, x: Field, subject: Subject, rest: Contour, noise, signals: Signals, edge
) -> tuple[Field, Field]:  # fmt: skip
    """Paint the organs below a dome, on which the heart lies.

    Args:
        draw: of the subject.
        canvas: complex signal so far.
        vessel: where blood pulsates so far, 0…1.
        y: mm from the heart, downwards.
        x: mm from the heart, to the left of the patient.
        subject: who.
        rest: the end-diastolic heart.
        noise: random fields by name.
        signals: of each tissue.
        edge: width of an organ's edge in mm.

    Returns:
        Canvas and vessels with the abdomen.
    """
    sine, cosine = jnp.sin(subject.tilt), jnp.cos(subject.tilt)
    up, forward = x * cosine - y * sine, -x * sine - y * cosine
    top = extent(rest, jnp.arctan2(sine, -cosine)) + draw.uniform(-4.0, 8.0)
    curve = (forward + draw.uniform(-20.0, 30.0)) ** 2 / draw.uniform(300.0, 900.0)
    dome = up + top + curve + 4 * noise["dome"]
    below, forward = -(up + top), forward + 2 * noise["soft"]
    fat = signals["fat"] * (draw.uniform(0.4, 0.85) * (1 + 0.1 * noise["adipose"]))
    canvas = paint(canvas, inside(dome, edge), signals["muscle"])
    canvas = paint(canvas, inside(dome + draw.uniform(1.5, 3.5), edge), fat)
    vessel = vessel * (1 - inside(dome, edge))
    soft = 5 * noise["soft"] + 3 * noise["bend_y"]
    canvas = _bowel(draw, canvas, below, dome, noise, signals, edge)
    canvas, kidney = _kidney(draw, canvas, below, forward, dome, noise, signals, edge)
    canvas, vessel = _liver(draw, canvas, vessel, below, forward, dome, x + 0.35 * y, noise, signals, edge)  # fmt: skip
    canvas, stomach = _stomach(draw, canvas, below, forward, dome, soft, noise, signals, edge)
    canvas, spleen = _spleen(draw, canvas, below, forward, dome, soft, noise, signals, edge)
    gone = 1 - inside(jnp.minimum(jnp.minimum(stomach, kidney), spleen), edge)
    return canvas, vessel * gone


def _bowel(draw: Draw, canvas, below, dome, noise, signals, edge):
    """Loops with grey content in the fat."""
    loops = jnp.maximum(0.5 - jnp.abs(noise["vessels"]) + 0.3 * noise["soft"], 0.02 * (25 - below))
    wall = inside(9 * loops, 1.5 * edge) * inside(dome + 8, edge)
    filled = signals["bowel"] * (draw.uniform(0.4, 0.9) * (1 + 0.4 * noise["content"]))
    return paint(canvas, wall, paint(signals["muscle"], inside(9 * loops + 2, 1.5 * edge), filled))


def _liver(draw: Draw, canvas, vessel, below, forward, dome, side, noise, signals, edge):
    """Left and right lobe up to a line, with veins and the vena cava."""
    split = side - draw.uniform(-10.0, 70.0) + 9 * noise["dome"]
    veins = ridge(noise["veins"], 0.10) * inside(-noise["soft"] - 0.5 * noise["hilum"], 0.4)
    twigs = inside(1.9 - noise["dots"], 0.15) * draw.uniform(0.2, 0.7)
    blood = jnp.clip(draw.uniform(0.3, 0.8) * veins + twigs, 0, 1)
    liver = signals["liver"] * (draw.uniform(0.8, 1.35) * (1 + 0.06 * noise["parenchyma"]))
    alpha = inside(jnp.maximum(dome + 3.0, split), edge)
    canvas = paint(canvas, alpha, paint(liver, blood, signals["venous_blood"]))
    flat, turn = draw.uniform(1.0, 1.6), draw.uniform(-0.6, 0.6)
    u, v = below - draw.uniform(12, 30), forward + draw.uniform(0, 40)
    cava = jnp.hypot((u + turn * v) / flat, v) - draw.uniform(5.0, 11.0) + 1.5 * noise["soft"]
    cava = inside(cava, edge)
    canvas = paint(canvas, alpha * cava, signals["venous_blood"])
    return canvas, paint(vessel, alpha, jnp.maximum(0.3 * blood, cava))


def _stomach(draw: Draw, canvas, below, forward, dome, soft, noise, signals, edge):
    """A wall around fluid, food and air."""
    middle = jnp.hypot(
        (below - draw.uniform(22, 60)) / draw.uniform(0.8, 1.6), forward + draw.uniform(5, 60)
    )
    stomach = jnp.maximum(middle - draw.uniform(5, 34) + 0.8 * soft, dome + 6)
    filled = draw.uniform(0.1, 1.0) * jnp.maximum(1 + 0.35 * noise["content"], 0.1)
    canvas = paint(canvas, inside(stomach, edge), signals["muscle"])
    canvas = paint(canvas, inside(stomach + 3.5, edge), signals["bowel"] * filled)
    return canvas, stomach


def _spleen(draw: Draw, canvas, below, forward, dome, soft, noise, signals, edge):
    """Behind the stomach; missing in some slices."""
    far = jnp.hypot(
        (below - draw.uniform(10, 45)) / draw.uniform(1.2, 2.2), forward + draw.uniform(70, 100)
    )
    spleen = jnp.maximum(far - draw.uniform(8, 30) + 0.6 * soft, dome + 4)
    texture = 1 + 0.06 * noise["parenchyma"]
    return paint(canvas, inside(spleen, edge), signals["spleen"] * texture), spleen


def _kidney(draw: Draw, canvas, below, forward, dome, noise, signals, edge):
    """Bright cortex, darker pyramids, fat in the middle."""
    u, v = below - draw.uniform(55, 95), forward + draw.uniform(45, 90)
    radius = jnp.hypot(u / draw.uniform(1.2, 1.7), v)
    kidney = jnp.maximum(radius - draw.uniform(16, 26) + 2 * noise["soft"], dome + 5)
    cortex = signals["spleen"] * draw.uniform(0.9, 1.3)
    pyramids = inside(0.3 - noise["content"], 0.2) * inside(kidney + 4, 1.0)
    tissue = paint(cortex, 0.7 * pyramids, signals["muscle"])
    sinus = inside(radius - 6 + 2 * noise["soft"], edge)
    return paint(canvas, inside(kidney, edge), paint(tissue, sinus, 0.8 * signals["fat"])), kidney
