"""Augmentation of a series that a scanner could have measured.

Everything happens before undersampling, so k-space stays consistent.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.training.examples import Examples
from jdmri.typing import PRNGKey


def augmentation(
    *, flips: bool, rotations: bool = False, frame_roll: bool, global_phase: bool
) -> Callable[[PRNGKey, Examples], Examples]:
    """Make a random augmentation of one series: of its images, its maps, and its k-space alike.

    Args:
        flips: along y and x, each with probability ½. Also reverses k-space about its centre.
        rotations: a quarter turn about the centre with probability ½; with flips, all eight positions of a square.
        frame_roll: start the heart cycle at any frame; only for cyclic series.
        global_phase: multiply by a random unit number.
    """

    def augment(key, example):
        flip_key, roll_key, phase_key = jax.random.split(key, 3)
        if rotations:
            turn = jax.random.bernoulli(jax.random.fold_in(flip_key, 1))
            example = _everywhere(lambda a: jnp.where(turn, quarter_turn(a), a), example)
        if flips:
            flip = jax.random.bernoulli(flip_key, shape=(2,))
            for axis, chosen in zip((-2, -1), flip, strict=True):
                turned = lambda a, axis=axis, chosen=chosen: jnp.where(
                    chosen, flip_about_centre(a, axis), a
                )
                example = _everywhere(turned, example)
        if frame_roll:
            example = _roll(roll_key, example)
        if global_phase:
            factor = jnp.exp(2j * jnp.pi * jax.random.uniform(phase_key))
            example = _in_time(lambda a: a * factor, example)
        return example

    return augment


def _everywhere(change: Callable, example: Examples) -> Examples:
    """Change all that has two axes of an image or of its k-space; flips of the one are flips of the other."""
    names = ("cine", "maps", "true_maps", "kspace", "inside")
    known = {n: a for n in names if (a := getattr(example, n)) is not None}
    return example._replace(**{name: change(array) for name, array in known.items()})


def _in_time(change: Callable, example: Examples) -> Examples:
    """Change what has frames: cine and k-space."""
    kspace = None if example.kspace is None else change(example.kspace)
    return example._replace(cine=change(example.cine), kspace=kspace)


def _roll(key: PRNGKey, example: Examples) -> Examples:
    """Begin at any frame of the cycle; frames that pad it repeat it from its new beginning."""
    frame = jnp.arange(len(example.cine))
    count = len(frame) if example.num_frames is None else example.num_frames
    index = (frame - jax.random.randint(key, (), 0, count)) % count
    return _in_time(lambda a: a[index], example)


def quarter_turn(image: jax.Array) -> jax.Array:
    """Turn the last two axes by 90° about the centre N // 2; k-space turns with them.

    Raises:
        InputError: the image is not square.
    """
    if image.shape[-1] != image.shape[-2]:
        raise InputError(
            f"rotations need square images, got {image.shape[-2:]}; set rotations=False."
        )
    return flip_about_centre(jnp.swapaxes(image, -1, -2), -2)


def flip_about_centre(image: jax.Array, axis: int) -> jax.Array:
    """Reverse an axis about its centre N // 2: the Fourier transform is reversed about its own.

    For even N the plain reversal moves the centre by one, which the roll undoes.
    """
    flipped = jnp.flip(image, axis)
    return flipped if image.shape[axis] % 2 else jnp.roll(flipped, 1, axis)
