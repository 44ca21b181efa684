"""Augmentation: what a scanner could have measured."""

import numpy as np
import pytest

from jdmri.augment import augmentation, flip_about_centre, quarter_turn
from jdmri.errors import InputError
from jdmri.ops import fourier
from tests.conftest import complex_normal


@pytest.mark.parametrize("size", [8, 9])
def test_flip_reverses_kspace_about_its_centre(key, size):
    image = complex_normal(key, (size, size))
    flipped = fourier.fftc(flip_about_centre(image, 0))
    expected = flip_about_centre(fourier.fftc(image), 0)
    np.testing.assert_allclose(flipped, expected, atol=1e-5)


def test_augmentation_moves_only_what_it_says(key):
    cine, maps = complex_normal(key, (5, 8, 9)), complex_normal(key, (2, 8, 9))
    nothing = augmentation(flips=False, frame_roll=False, global_phase=False)(key, cine, maps)
    np.testing.assert_array_equal(nothing[0], cine)
    phase, same = augmentation(flips=False, frame_roll=False, global_phase=True)(key, cine, maps)
    np.testing.assert_allclose(np.abs(phase), np.abs(cine), rtol=1e-5)
    np.testing.assert_array_equal(same, maps)
    rolled, _ = augmentation(flips=False, frame_roll=True, global_phase=False)(key, cine, maps)
    assert any(np.array_equal(rolled, np.roll(cine, i, 0)) for i in range(5))


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
