"""Augmentation: what a scanner could have measured."""

import jax
import numpy as np
import pytest

from jdmri.errors import InputError
from jdmri.ops import fourier, sense
from jdmri.training.augment import augmentation, flip_about_centre, quarter_turn
from jdmri.training.examples import Examples
from tests.helpers.arrays import complex_normal


@pytest.mark.parametrize("size", [8, 9])
def test_flip_reverses_kspace_about_its_centre(key, size):
    image = complex_normal(key, (size, size))
    flipped = fourier.fftc(flip_about_centre(image, 0))
    expected = flip_about_centre(fourier.fftc(image), 0)
    np.testing.assert_allclose(flipped, expected, atol=1e-5)


def one(key, kspace=None):
    cine, maps = complex_normal(key, (5, 8, 9)), complex_normal(key, (2, 8, 9))
    return Examples(cine, maps, np.float32(0), np.uint32(0), kspace=kspace)


def test_augmentation_moves_only_what_it_says(key):
    example = one(key)
    nothing = augmentation(flips=False, frame_roll=False, global_phase=False)(key, example)
    np.testing.assert_array_equal(nothing.cine, example.cine)
    turned = augmentation(flips=False, frame_roll=False, global_phase=True)(key, example)
    np.testing.assert_allclose(np.abs(turned.cine), np.abs(example.cine), rtol=1e-5)
    np.testing.assert_array_equal(turned.maps, example.maps)
    rolled = augmentation(flips=False, frame_roll=True, global_phase=False)(key, example)
    assert any(np.array_equal(rolled.cine, np.roll(example.cine, i, 0)) for i in range(5))


@pytest.mark.parametrize("seed", range(4))
def test_measured_k_space_is_augmented_like_the_image(seed):
    key = jax.random.key(seed)
    example = one(key)
    everywhere = np.ones((5, 8, 1), bool)
    measured = example._replace(kspace=sense.forward(example.cine, example.maps, everywhere))
    augment = augmentation(flips=True, frame_roll=True, global_phase=True)
    after = augment(key, measured)
    np.testing.assert_allclose(
        after.kspace, sense.forward(after.cine, after.maps, everywhere), atol=1e-4
    )


@pytest.mark.parametrize("size", [8, 9])
def test_a_quarter_turn_turns_k_space_about_its_centre(key, size):
    image = complex_normal(key, (2, size, size))
    turned = fourier.fftc(quarter_turn(image))
    np.testing.assert_allclose(turned, quarter_turn(fourier.fftc(image)), atol=1e-4)
    four = image
    for _ in range(4):
        four = quarter_turn(four)
    np.testing.assert_array_equal(four, image)
    assert not np.array_equal(quarter_turn(image), image)
    with pytest.raises(InputError, match="square"):
        quarter_turn(image[:, 1:])
