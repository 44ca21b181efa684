"""Balanced SSFP signal of the tissues: where India-ink borders and banding come from."""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

GYROMAGNETIC = 42.577  # MHz/T

# Proton density, T1 and T2 in ms at 1.5 T and at 3 T, chemical shift in ppm. Values of MRXCAT
# (Wissmann et al. 2014, doi:10.1186/s12968-014-0063-3) and of relaxometry tables, which scatter by 10–30 %.
TISSUES = {
    "arterial_blood": (0.95, 1550, 240, 1900, 190, 0.0),
    "venous_blood": (0.95, 1550, 200, 1900, 150, 0.0),
    "myocardium": (0.82, 1000, 50, 1200, 46, 0.0),
    "muscle": (0.80, 1000, 42, 1400, 40, 0.0),
    "fat": (0.75, 300, 72, 370, 70, -3.4),
    "liver": (0.70, 600, 42, 810, 34, 0.0),
    "spleen": (0.86, 1060, 79, 1330, 61, 0.0),
    "marrow": (0.55, 550, 55, 590, 50, -1.6),
    "cortical_bone": (0.10, 300, 10, 300, 8, 0.0),
    "lung": (0.12, 1200, 35, 1300, 30, 0.0),
    "csf": (0.98, 2800, 700, 3500, 600, 0.0),
    "bowel": (0.70, 900, 70, 1100, 60, 0.0),
    "skin": (0.60, 900, 35, 1000, 30, 0.0),
}


Signals = Mapping[str, Complex[Array, "y x"]]  # of each tissue on a grid


class Sequence(NamedTuple):
    """A balanced SSFP protocol.

    Attributes:
        field: B0 in T.
        flip: flip angle in rad.
        tr: repetition time in ms; the echo is at TR/2.
    """

    field: Array
    flip: Array
    tr: Array


def bssfp(
    tissue: str, off_resonance: Float[Array, "*space"], sequence: Sequence
) -> Complex[Array, "*space"]:
    """Complex steady-state signal, RF phase alternated, at TE = TR/2.

    The full form with off-resonance (Freeman & Hill 1971, doi:10.1016/0022-2364(71)90082-X), so that fat in
    the neighbouring pass band has the opposite sign and voxels shared with water go dark.

    Args:
        tissue: a name of ``TISSUES``.
        off_resonance: of water, in Hz.
        sequence: field strength, flip angle, TR.
    """
    density, t1_low, t2_low, t1_high, t2_high, ppm = TISSUES[tissue]
    high = (sequence.field - 1.5) / 1.5
    t1, t2 = t1_low + high * (t1_high - t1_low), t2_low + high * (t2_high - t2_low)
    seconds = sequence.tr * 1e-3
    frequency = off_resonance + ppm * GYROMAGNETIC * sequence.field
    precession = 2 * jnp.pi * frequency * seconds + jnp.pi
    e1, e2 = jnp.exp(-sequence.tr / t1), jnp.exp(-sequence.tr / t2)
    sine, cosine = jnp.sin(sequence.flip), jnp.cos(sequence.flip)
    beat = jnp.cos(precession)
    denominator = (1 - e1 * cosine) * (1 - e2 * beat) - e2 * (e1 - cosine) * (e2 - beat)
    amplitude = density * sine * (1 - e1) * jnp.exp(-sequence.tr / 2 / t2) / denominator
    return (
        amplitude
        * (1 - e2 * jnp.exp(-1j * precession))
        * jnp.exp(1j * jnp.pi * frequency * seconds)
    )
