"""Augmentation of a cine and its maps that a scanner could have measured.

Everything happens before undersampling, so k-space stays consistent.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.typing import Cine, CoilMaps, PRNGKey


def augmentation(
    *, flips: bool, rotations: bool = False, frame_roll: bool, global_phase: bool
) -> Callable[[PRNGKey, Cine, CoilMaps], tuple[Cine, CoilMaps]]:
    """Make a random augmentation of one series.

    Args:
        flips: along y and x, each with probability ½. Also reverses k-space about its centre.
        rotations: a quarter turn about the centre with probability ½; with flips, all eight positions of a square.
        frame_roll: start the heart cycle at any frame; only for cyclic series.
        global_phase: multiply by a random unit number.
    """

    def augment(key, cine, maps):
        flip_key, roll_key, phase_key = jax.random.split(key, 3)
        if rotations:
            turn = jax.random.bernoulli(jax.random.fold_in(flip_key, 1))
            cine, maps = (jnp.where(turn, quarter_turn(a), a) for a in (cine, maps))
        if flips:
            flip = jax.random.bernoulli(flip_key, shape=(2,))
            for axis, chosen in zip((-2, -1), flip, strict=True):
                cine = jnp.where(chosen, flip_about_centre(cine, axis), cine)
                maps = jnp.where(chosen, flip_about_centre(maps, axis), maps)
        if frame_roll:
            cine = jnp.roll(cine, jax.random.randint(roll_key, (), 0, cine.shape[0]), axis=0)
        if global_phase:
            cine = cine * jnp.exp(2j * jnp.pi * jax.random.uniform(phase_key))
        return cine, maps

    return augment


def quarter_turn(image: jax.Array) -> jax.Array:
    """Turn the last two axes by 90° about the centre N // 2; k-space turns with them.

    Raises:
        InputError: the image is not square.
    """
    if image.shape[-1] != image.shape[-2]:
        raise InputError(
            f"augment.rotations needs square images, got {image.shape[-2:]}; type --config.augment.rotations=False."
        )
    return flip_about_centre(jnp.swapaxes(image, -1, -2), -2)


def flip_about_centre(image: jax.Array, axis: int) -> jax.Array:
    """Reverse an axis about its centre N // 2: the Fourier transform is reversed about its own.

    For even N the plain reversal moves the centre by one, which the roll undoes.
    """
    flipped = jnp.flip(image, axis)
    return flipped if image.shape[axis] % 2 else jnp.roll(flipped, 1, axis)
