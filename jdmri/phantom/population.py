"""One draw from the population: sizes, function, build and protocol. Lengths in mm, angles in rad.

Distributions: wall thickness after MESA (PMID 22705587), ejection fraction
after Framingham (PMC3961548) with the lower mean of manual tracings, the rest design.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.phantom.signal import Sequence
from jdmri.typing import PRNGKey


class Subject(NamedTuple):
    """A person in a scanner.

    The heart lies at the origin; x points to the patient's left, y downwards, and angles run from x
    to y. ``[2, n]`` are cosine and sine coefficients of n harmonics of the angle.
    """

    sequence: Sequence
    field_of_view: Array  # of the longer side
    offset: Float[Array, "2"]  # of the heart in the image (y, x)
    angle: Array  # of the patient in the image
    mirror: Array  # ±1
    male: Array
    diseased: Array  # dilated or hypertrophic
    level: Array  # of the slice: 0 base, 1 apex
    mid_cavity: Array  # end-diastolic LV radius at mid level
    cavity: Array  # the same in the slice
    wall: Array  # end-diastolic thickness
    ejection: Array  # fraction of the volume
    shortening: Array  # of the long axis at end-systole, fraction
    length: Array  # of the LV at end-diastole
    twist: Array  # rotation of the slice at end-systole
    systole: Array  # end of ejection, fraction of the cycle
    early: Array  # duration of the E wave
    early_share: Array  # of the filling
    atrial: Array  # begin of the A wave
    delay: Float[Array, "2 3"]  # of the contraction, fraction of the cycle
    vigour: Float[Array, "2 3"]  # of the contraction, relative
    cavity_shape: Float[Array, "2 3"]
    wall_shape: Float[Array, "2 3"]
    septum: Array  # direction of the RV
    right_depth: Array
    right_half_angle: Array
    right_shortening: Array
    right_wall: Array
    venous: Array  # signal of the right ventricle's blood, relative
    muscle: Array  # signal of the myocardium, relative
    papillary: Float[Array, "2"]  # directions
    trabeculae: Array  # amplitude
    fat: Array  # epicardial, mean thickness
    fat_shape: Float[Array, "2 3"]
    tilt: Array  # of the torso's long axis
    shading: Array  # power of the coils' sensitivity that is left in the image
    half_axes: Float[Array, "2"]  # of the torso: long, short
    along: Array  # position of the heart along the long axis
    skin_fat: Array
    chest_muscle: Array
    gap: Array  # between heart and anterior chest wall
    wobble: Float[Array, "2 3 2"]  # of the heart: (cosine, sine), harmonic, (y, x)


class Draw:
    """Hands out random numbers, drawn at once: hundreds of single draws take long to compile."""

    def __init__(self, key: PRNGKey, count: int):
        """Draw ``count`` even and as many normal numbers, and split off a key."""
        self.key, even, normal = jax.random.split(key, 3)
        self._even = jax.random.uniform(even, (count,))
        # Cut at 2.5 deviations: nobody is a monster.
        self._normal = jax.random.truncated_normal(normal, -2.5, 2.5, (count,))
        self._used = 0

    def uniform(self, low: float, high: float, shape: tuple[int, ...] = ()) -> Array:
        """Draw evenly between two numbers."""
        return low + (high - low) * self._take(self._even, shape)

    def normal(self, mean: float, deviation: float, shape: tuple[int, ...] = ()) -> Array:
        """Draw from a normal distribution."""
        return mean + deviation * self._take(self._normal, shape)

    def chance(self, probability: float) -> Array:
        """Draw true with a probability."""
        return self._take(self._even, ()) < probability

    def _take(self, numbers: Array, shape: tuple[int, ...]) -> Array:
        first = self._used
        self._used += math.prod(shape)
        if self._used > len(numbers):
            raise ValueError(f"{self._used} numbers wanted, {len(numbers)} drawn")
        return numbers[first : self._used].reshape(shape)


def draw_subject(key: PRNGKey, field: float | None = None) -> Subject:
    """Draw one subject.

    Args:
        key: the same key gives the same subject.
        field: field strength in T, 1.5 or 3; None draws one of them.
    """
    draw = Draw(key, 128)
    high = draw.chance(0.35) if field is None else jnp.asarray(field > 2)
    male, build = draw.chance(0.5), draw.uniform(0.0, 1.0)
    dilated = build < 0.1
    thick = (build >= 0.1) & (build < 0.2)
    level = draw.uniform(0.12, 0.80)
    mid_cavity = jnp.where(male, 25.5, 23.0) + draw.normal(0.0, 2.0)
    mid_cavity = mid_cavity * jnp.where(dilated, draw.uniform(1.15, 1.35), 1.0)
    mid_cavity = mid_cavity * jnp.where(thick, draw.uniform(0.85, 0.95), 1.0)
    wall = jnp.where(male, 6.3, 5.3) + draw.normal(0.0, 0.95)
    wall = jnp.maximum(wall, 3.8) * jnp.where(thick, draw.uniform(1.4, 1.9), 1.0)
    ejection = jnp.where(dilated, draw.uniform(0.18, 0.42), draw.normal(0.63, 0.055))
    tilt = jnp.deg2rad(draw.uniform(42.0, 66.0))
    quarter = jnp.floor(draw.uniform(0.0, 4.0)) * jnp.pi / 2
    return Subject(
        sequence=Sequence(
            field=jnp.where(high, 3.0, 1.5),
            flip=jnp.deg2rad(jnp.where(high, draw.uniform(35, 50), draw.uniform(45, 65))),
            tr=jnp.where(high, draw.uniform(2.8, 3.1), draw.uniform(2.7, 3.5)),
        ),
        field_of_view=draw.uniform(240.0, 340.0),
        offset=draw.uniform(-22.0, 22.0, (2,)),
        angle=quarter + draw.normal(0.0, 0.2),
        mirror=jnp.where(draw.chance(0.5), 1.0, -1.0),
        male=male,
        diseased=dilated | thick,
        level=level,
        mid_cavity=mid_cavity,
        cavity=mid_cavity * _taper(level) / _taper(0.45),
        wall=wall,
        ejection=ejection,
        shortening=0.33 * ejection * draw.uniform(0.85, 1.15),
        length=jnp.where(male, 92.0, 84.0) + draw.normal(0.0, 6.0),
        twist=jnp.deg2rad(-4 + 12 * level + draw.normal(0.0, 2.0)),
        systole=draw.uniform(0.32, 0.42),
        early=draw.uniform(0.17, 0.24),
        early_share=draw.uniform(0.6, 0.85),
        atrial=draw.uniform(0.80, 0.88),
        delay=draw.normal(0.0, 0.012, (2, 3)),
        vigour=draw.normal(0.0, 0.03, (2, 3)),
        cavity_shape=draw.normal(0.0, 0.02, (2, 3)),
        wall_shape=draw.normal(0.0, 0.07, (2, 3)),
        septum=jnp.pi + jnp.deg2rad(draw.normal(12.0, 10.0)),
        right_depth=draw.uniform(16.0, 30.0) * (1 - 0.5 * level**1.5),
        right_half_angle=jnp.deg2rad(draw.uniform(70.0, 86.0)) * (1 - 0.25 * level),
        right_shortening=draw.normal(0.27, 0.04),
        right_wall=draw.uniform(2.2, 3.2),
        venous=draw.uniform(0.6, 1.0),
        muscle=draw.uniform(0.75, 1.15),
        papillary=jnp.deg2rad(jnp.stack([draw.normal(-42.0, 10.0), draw.normal(68.0, 12.0)])),
        trabeculae=draw.uniform(2.0, 5.0),
        fat=draw.uniform(0.0, 3.5),
        fat_shape=draw.normal(0.0, 0.5, (2, 3)),
        tilt=tilt,
        shading=draw.uniform(0.2, 0.55),
        half_axes=jnp.stack([draw.uniform(165.0, 230.0), draw.uniform(122.0, 156.0)]),
        along=draw.uniform(10.0, 55.0),
        skin_fat=draw.uniform(6.0, 28.0),
        chest_muscle=draw.uniform(11.0, 24.0),
        gap=draw.uniform(2.0, 12.0),
        wobble=jnp.array([0.7, 0.35, 0.2]).reshape(1, 3, 1) * draw.normal(0.0, 0.7, (2, 3, 2)),
    )


def _taper(level: Array | float) -> Array:
    """Relative radius of the cavity from base to apex."""
    return jnp.sqrt(1 - (0.93 * level) ** 2.6)
