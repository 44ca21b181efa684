"""The one place where series are undersampled: the same draws for training and evaluation, and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri import masks
from jdmri.data.acquisition import Acquisition, bright_level, draw_keys, series_seed
from jdmri.data.records import Series
from jdmri.errors import InputError
from jdmri.ops import sense
from jdmri.ops.coil_maps import walsh
from tests.helpers.arrays import complex_normal, unit_maps

MASK = masks.variable_density(acceleration=2.0, num_center_lines=4)


@pytest.fixture
def series(key):
    cine, maps = complex_normal(key, (4, 16, 18)), unit_maps(key, 3, (16, 18))
    return Series(np.asarray(cine), np.asarray(maps), "one", "subject")


def test_an_evaluation_measures_with_the_keys_of_the_series_name(series):
    acquisition = Acquisition(MASK, sigma=0.1, eval_seed=3)
    acquired, reference = acquisition.simulate(series)
    keys = draw_keys(acquisition.series_key(series_seed(series)))
    sigma = 0.1 * bright_level(series.cine)
    kspace, mask = acquisition.measure(keys, series.cine, series.maps, sigma)
    np.testing.assert_array_equal(acquired.kspace, kspace)
    np.testing.assert_array_equal(acquired.mask, mask)
    np.testing.assert_array_equal(acquisition.mask_of(series), mask)
    assert reference is series and not np.asarray(kspace)[~np.broadcast_to(mask[:, None], kspace.shape)].any()  # fmt: skip
    other, _ = Acquisition(MASK, sigma=0.1, eval_seed=4).simulate(series)
    assert not np.array_equal(acquired.mask, other.mask)


def test_noise_has_the_stated_size_and_none_is_added_to_what_was_measured(series):
    everything = jnp.ones((4, 16, 1), bool)
    exact = sense.forward(series.cine, series.maps, everything)
    keys = draw_keys(jax.random.key(1))
    kspace, mask = Acquisition(MASK).measure(keys, series.cine, series.maps, 0.5)
    noise = (kspace - exact)[np.broadcast_to(mask[:, None], kspace.shape)]
    np.testing.assert_allclose(np.mean(np.abs(noise) ** 2), 0.25, rtol=0.1)
    measured, mask = Acquisition(MASK).measure(keys, series.cine, series.maps, 0.5, exact)
    np.testing.assert_array_equal(measured, jnp.where(mask[:, None], exact, 0))


def test_maps_are_estimated_from_what_was_sampled(series):
    acquired, turned = Acquisition(MASK, coil_maps=walsh(size=3)).simulate(series)
    np.testing.assert_array_equal(
        acquired.maps, walsh(size=3)(acquired.kspace, acquired.mask, None)
    )
    overlap = np.sum(np.conj(acquired.maps) * turned.maps, axis=0)
    np.testing.assert_allclose(overlap.imag, 0, atol=1e-5)


def test_another_reference_is_refused():
    with pytest.raises(InputError, match=r"data.reference must be one of sense, rss, got 'sos'"):
        Acquisition(MASK, reference="sos")
