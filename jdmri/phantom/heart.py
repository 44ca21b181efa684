"""The beating heart in its torso: geometry, motion, blood, phase, coils.

Parameters follow the measured and literature values of the phantom brief (mid-ventricular short
axis; lengths in mm, end-diastole at frame 0). Rendered straight on the image grid: the forward model is
that of the reconstruction ("inverse crime"), which the card states.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.phantom.fields import Field, inside, paint, sample, smooth_noise
from jdmri.phantom.torso import torso
from jdmri.typing import Cine, CoilMaps, PRNGKey

GENERATOR_VERSION = 1
_FINE = 2  # the torso is painted on a finer grid, from which each frame is interpolated
_NUM_BLOOD_FIELDS = 4


class Subject(NamedTuple):
    """One draw from the population."""

    field_of_view: Array  # mm, of the longer side
    offset: Array  # mm, position of the heart (y, x)
    angle: Array  # rad, orientation of the slice in the image
    mirror: Array  # ±1
    cavity: Array  # mm, end-diastolic radius
    wall: Array  # mm
    shape: Array  # [4] Fourier coefficients of the radii
    area_change: Array  # fractional area change of the cavity
    systole: Array  # fraction of the cycle
    early: Array  # duration of the E wave
    early_share: Array  # of the filling
    reach: Array  # mm, how far the surroundings follow
    right: Array  # mm, half axes of the right ventricle (y, x)
    blood: Array
    muscle: Array
    fat: Array


def beating_heart(
    key: PRNGKey, *, num_frames: int, matrix: tuple[int, int], num_coils: int = 1
) -> tuple[Cine, CoilMaps]:
    """Draw one subject and render its cine.

    Args:
        key: the same key gives the same subject.
        num_frames: over one cycle.
        matrix: (y, x).
        num_coils: 1 gives maps of ones.

    Returns:
        cine complex64 ``[frame, y, x]``, magnitude about 0…1, and maps complex64 ``[coil, y, x]`` with
        Σ_coil |map|² = 1.
    """
    return _render(key, num_frames, tuple(matrix), num_coils)


@partial(jax.jit, static_argnums=(1, 2, 3))
def _render(key, num_frames, matrix, num_coils):
    keys = jax.random.split(key, 8)
    subject = _draw_subject(keys[0])
    pixel = subject.field_of_view / max(matrix)
    fine = tuple(_FINE * n for n in matrix)
    fine_pixel = pixel / _FINE
    rest = torso(keys[1], *_grid(fine, fine_pixel, subject), fine_pixel)
    texture = smooth_noise(keys[2], fine, 3.0 / fine_pixel) + smooth_noise(
        keys[3], fine, 8.0 / fine_pixel
    )
    blood = jnp.stack(
        [smooth_noise(k, matrix, 7.0 / pixel) for k in jax.random.split(keys[4], _NUM_BLOOD_FIELDS)]
    )
    y, x = _grid(matrix, pixel, subject)

    def frame(time):
        return _frame(keys[5], time, y, x, pixel, subject, rest, texture, blood)

    magnitude = jax.lax.map(frame, jnp.arange(num_frames) / num_frames)
    shading = 1 + 0.15 * smooth_noise(keys[6], matrix, max(matrix) / 2.0)
    magnitude = jnp.clip(magnitude * shading[None], 0, None) / 1.1
    phase, maps = _phase_and_maps(keys[7], matrix, num_coils)
    return (magnitude * jnp.exp(1j * phase)[None]).astype(jnp.complex64), maps


def _draw_subject(key: PRNGKey) -> Subject:
    keys = iter(jax.random.split(key, 24))
    uniform = lambda low, high, shape=(): jax.random.uniform(
        next(keys), shape, minval=low, maxval=high
    )
    quarter = jax.random.randint(next(keys), (), 0, 4)
    return Subject(
        field_of_view=uniform(270.0, 370.0),
        offset=uniform(-25.0, 25.0, (2,)),
        angle=quarter * jnp.pi / 2 + uniform(-0.6, 0.6),
        mirror=jnp.where(jax.random.bernoulli(next(keys)), 1.0, -1.0),
        cavity=uniform(18.0, 31.0),
        wall=uniform(5.0, 9.0),
        shape=0.05 * jax.random.normal(next(keys), (4,)),
        area_change=uniform(0.35, 0.70),
        systole=uniform(0.32, 0.42),
        early=uniform(0.17, 0.24),
        early_share=uniform(0.6, 0.85),
        reach=uniform(18.0, 36.0),
        right=jnp.stack([uniform(26.0, 40.0), uniform(14.0, 24.0)]),
        blood=uniform(0.75, 1.0),
        muscle=uniform(0.26, 0.42),
        fat=uniform(0.6, 1.0),
    )


def _grid(size: tuple[int, int], pixel: Array, subject: Subject) -> tuple[Field, Field]:
    """Positions in mm relative to the heart, in the subject's own orientation."""
    rows, columns = jnp.meshgrid(*(jnp.arange(n) - (n - 1) / 2 for n in size), indexing="ij")
    y, x = rows * pixel - subject.offset[0], columns * pixel - subject.offset[1]
    sine, cosine = jnp.sin(subject.angle), jnp.cos(subject.angle)
    return cosine * y + sine * x, subject.mirror * (cosine * x - sine * y)


def contraction(time: Array, subject: Subject) -> Array:
    """Return 0 at end-diastole, 1 at end-systole: ejection, relaxation, E wave, diastasis, A wave."""
    time = time % 1.0
    eject = _rise((time - 0.035) / (subject.systole - 0.035))
    fill = _rise((time - subject.systole - 0.055) / subject.early)
    atrial = _rise((time - 0.84) / 0.145)
    return eject - subject.early_share * fill - (1 - subject.early_share) * atrial


def _rise(t: Array) -> Array:
    """Quintic smooth step from 0 to 1."""
    t = jnp.clip(t, 0, 1)
    return t**3 * (t * (6 * t - 15) + 10)


def _frame(key, time, y, x, pixel, subject: Subject, rest, texture, blood_fields) -> Field:
    """Paint the magnitude of one frame: map back to end-diastole, then lay the tissues over."""
    keys = iter(jax.random.split(key, 16))
    normal = lambda shape=(): jax.random.normal(next(keys), shape)
    wobble = sum(
        a * jnp.sin(2 * jnp.pi * (h * time) + p)
        for h, a, p in zip(
            (1, 2, 3),
            normal((3, 2)) * jnp.array([[0.7], [0.35], [0.2]]),
            normal((3, 2)),
            strict=True,
        )
    )
    y, x = y + wobble[0], x + wobble[1]
    radius, angle = jnp.hypot(y, x), jnp.arctan2(y, x)
    bumps = _bumps(subject.shape, angle)
    delay = 0.03 * _bumps(normal((4,)), angle)
    shrink = contraction(time + delay, subject)
    inner_rest, outer_rest = subject.cavity * bumps, (subject.cavity + subject.wall) * bumps
    inner = inner_rest * jnp.sqrt(1 - subject.area_change * shrink)
    # The wall keeps its volume; the heart shortens along its axis by up to 18 %.
    outer = jnp.sqrt(inner**2 + (outer_rest**2 - inner_rest**2) / (1 - 0.18 * shrink))
    moved = jnp.maximum(radius - outer, 0)
    follow = (outer_rest - outer) * jnp.exp(-((moved / subject.reach) ** 2))
    wall = jnp.sqrt(
        jnp.maximum(
            inner_rest**2
            + (radius**2 - inner**2) * (outer_rest**2 - inner_rest**2) / (outer**2 - inner**2),
            0,
        )
    )
    source = jnp.where(
        radius < inner,
        radius * inner_rest / inner,
        jnp.where(radius < outer, wall, radius + follow),
    )
    turn = angle + 0.08 * shrink * jnp.exp(-((radius / 50) ** 2))
    rest_y, rest_x = source * jnp.sin(turn), source * jnp.cos(turn)
    read = lambda image: sample(image, *_to_pixels(rest_y, rest_x, pixel, subject, image.shape))

    edge = 0.5 * pixel
    canvas = read(rest)
    grain = read(texture)
    beat = jnp.sin(2 * jnp.pi * time + jnp.arange(_NUM_BLOOD_FIELDS) * 1.9) + 0.5 * jnp.sin(
        4 * jnp.pi * time + jnp.arange(_NUM_BLOOD_FIELDS) * 0.7
    )
    flow = 1 + 0.05 * jnp.tensordot(beat, blood_fields, 1) + 0.03 * blood_fields[0]
    muscle = subject.muscle * (1 + 0.07 * grain)
    blood = subject.blood * flow

    right_scale = 1 - 0.28 * shrink
    right_y, right_x = rest_y - 2, rest_x + subject.cavity + subject.wall + 0.55 * subject.right[1]
    right = (
        jnp.hypot(
            right_y / (subject.right[0] * right_scale), right_x / (subject.right[1] * right_scale)
        )
        - 1
    ) * subject.right[1]
    right = right + 1.5 * grain * 0.7
    left_out, left_in = source - outer_rest, source - inner_rest
    thickness = 2.5 + 1.5 * _bumps(normal((4,)), angle)
    heart = jnp.minimum(left_out, right - 3.0)
    canvas = paint(canvas, inside(heart - thickness, edge), subject.fat * (1 + 0.1 * grain))
    canvas = paint(canvas, inside(heart - 0.8, edge), 0.15)
    canvas = paint(canvas, inside(right - 2.8, edge), muscle)
    canvas = paint(canvas, inside(right, edge), 0.95 * blood)
    canvas = paint(canvas, inside(left_out, edge), muscle)
    trabeculae = left_in + (1.2 + 1.5 * shrink) * jnp.maximum(grain, 0)
    canvas = paint(canvas, inside(trabeculae, edge), blood)
    for place in (-0.75, 1.2):
        distance = jnp.hypot(y - 0.66 * inner * jnp.sin(place), x - 0.66 * inner * jnp.cos(place))
        canvas = paint(canvas, inside(distance - 0.18 * subject.cavity - 0.6 * grain, edge), muscle)
    return canvas


def _bumps(coefficients: Float[Array, "4"], angle: Field) -> Field:
    """A smooth function of the angle about 1: second and third harmonics."""
    a, b, c, d = coefficients
    return (
        1
        + a * jnp.cos(2 * angle)
        + b * jnp.sin(2 * angle)
        + 0.5 * (c * jnp.cos(3 * angle) + d * jnp.sin(3 * angle))
    )


def _to_pixels(y, x, pixel, subject: Subject, size) -> tuple[Field, Field]:
    """Invert `_grid`: pixel positions of points in mm on an image of ``size``."""
    scale = max(size) / subject.field_of_view
    x = subject.mirror * x
    sine, cosine = jnp.sin(subject.angle), jnp.cos(subject.angle)
    rows = (cosine * y - sine * x + subject.offset[0]) * scale + (size[0] - 1) / 2
    columns = (sine * y + cosine * x + subject.offset[1]) * scale + (size[1] - 1) / 2
    return rows, columns


def _phase_and_maps(key, matrix, num_coils) -> tuple[Field, CoilMaps]:
    """Smooth background phase, and coils on a ring around the body."""
    phase_key, field_key, coil_key = jax.random.split(key, 3)
    y, x = jnp.meshgrid(*(jnp.linspace(-1, 1, n) for n in matrix), indexing="ij")
    terms = jnp.stack([jnp.ones_like(y), y, x, y * x, y**2, x**2, y**3, x**3])
    phase = jnp.tensordot(jax.random.normal(phase_key, (8,)), terms, 1) * 0.8
    phase = phase + 0.15 * smooth_noise(field_key, matrix, max(matrix) / 6)
    if num_coils == 1:
        return phase, jnp.ones((1, *matrix), jnp.complex64)
    angle = 2 * jnp.pi * (jnp.arange(num_coils) + jax.random.uniform(coil_key)) / num_coils
    dy, dx = (
        y[None] - 1.3 * jnp.sin(angle)[:, None, None],
        x[None] - 1.3 * jnp.cos(angle)[:, None, None],
    )
    maps = jnp.exp(-(dy**2 + dx**2) / 1.6 + 1j * (jnp.arctan2(dy, dx) + angle[:, None, None]))
    return phase, (maps / jnp.linalg.norm(maps, axis=0, keepdims=True)).astype(jnp.complex64)
