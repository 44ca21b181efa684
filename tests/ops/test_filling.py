"""Fillings of k-space along time, by hand and in each mode."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri.ops.filling import fill_temporal_average, fill_view_sharing, temporal_mean
from tests.helpers.arrays import complex_normal

SAMPLES = {1: 1.0, 4: 4.0}  # of seven frames


@pytest.mark.parametrize("kx", [1, 7])
def test_temporal_mean_is_that_of_the_frames_that_sampled(key, kx):
    """Σ_t m y / Σ_t m with masked arrays of NumPy, also in a batch; 0 where no frame sampled."""
    mask = jax.random.bernoulli(key, 0.4, (2, 5, 9, kx)).at[:, :, 3].set(False)
    kspace = jnp.where(mask[:, :, None], complex_normal(key, (2, 5, 3, 9, 7)), 0)
    hidden = np.broadcast_to(~mask[:, :, None], kspace.shape)
    wanted = np.ma.masked_array(kspace, hidden).mean(axis=1, keepdims=True).filled(0)
    got = temporal_mean(kspace, mask)
    assert got.shape == (2, 1, 3, 9, 7)
    np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_temporal_average_by_hand():
    kspace = jnp.array([2.0, 0.0, 4.0, 0.0]).reshape(4, 1, 1, 1) + 0j
    mask = jnp.array([True, False, True, False]).reshape(4, 1, 1)
    got = fill_temporal_average(kspace.astype(jnp.complex64), mask)
    np.testing.assert_allclose(got.ravel(), [2, 3, 4, 3])
    np.testing.assert_allclose(fill_temporal_average(kspace * 0, mask & False), 0)


@pytest.mark.parametrize(
    ("cyclic", "expected"),
    [(True, [1.75, 1.0, 2.0, 3.0, 4.0, 3.25, 2.5]), (False, [1.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0])],
)
@pytest.mark.parametrize("kx", [1, 2])
def test_view_sharing_by_hand(cyclic, expected, kx):
    """Samples 1 at frame 1 and 4 at frame 4 of 7: linear between, round the end when cyclic."""
    kspace = jnp.zeros((7, 1, 1, 2), jnp.complex64).at[1].set(1).at[4].set(4)
    mask = jnp.zeros((7, 1, kx), bool).at[jnp.array([1, 4])].set(True)
    got = fill_view_sharing(kspace, mask, cyclic=cyclic)
    np.testing.assert_allclose(got[..., 0].ravel(), expected, atol=1e-6)
    np.testing.assert_allclose(got[..., 1].ravel(), expected, atol=1e-6)


def test_view_sharing_leaves_what_was_never_sampled():
    kspace, mask = jnp.zeros((3, 1, 2, 2), jnp.complex64), jnp.zeros((3, 2, 1), bool)
    kspace, mask = kspace.at[0, 0, 0].set(5), mask.at[0, 0].set(True)
    for cyclic in (True, False):
        got = np.asarray(fill_view_sharing(kspace, mask, cyclic=cyclic))
        np.testing.assert_allclose(got[:, 0, 0], 5)
        assert not got[:, 0, 1].any()


@pytest.mark.parametrize(
    ("mode", "cyclic", "expected"),
    [
        ("nearest", True, [1, 1, 1, 4, 4, 4, 4]),
        ("nearest", False, [1, 1, 1, 4, 4, 4, 4]),
        ("sliding_window", True, [4, 1, 1, 1, 4, 4, 4]),
        ("sliding_window", False, [1, 1, 1, 1, 4, 4, 4]),
    ],
)
@pytest.mark.parametrize("kx", [1, 3])
def test_modes_by_hand(mode, cyclic, expected, kx):
    kspace, mask = jnp.zeros((7, 2, 1, 3), jnp.complex64), jnp.zeros((7, 1, kx), bool)
    for frame, value in SAMPLES.items():
        kspace, mask = kspace.at[frame].set(value), mask.at[frame].set(True)
    got = fill_view_sharing(kspace, mask, cyclic=cyclic, mode=mode)
    np.testing.assert_array_equal(got[:, 1, 0, 2], expected)


def test_of_two_equally_near_samples_the_earlier_is_nearest():
    kspace = jnp.array([1, 0, 3, 0], jnp.complex64).reshape(4, 1, 1, 1)
    mask = (kspace != 0)[:, 0]
    got = fill_view_sharing(kspace, mask, cyclic=True, mode="nearest")
    np.testing.assert_array_equal(got.ravel(), [1, 1, 3, 3])


@pytest.mark.parametrize("mode", ["linear", "nearest", "sliding_window"])
@pytest.mark.parametrize("cyclic", [True, False])
def test_measured_points_stay_and_unmeasured_ones_are_zero(key, mode, cyclic):
    mask = jax.random.bernoulli(key, 0.4, (5, 9, 1)).at[:, 3].set(False).at[2, 0].set(True)
    kspace = jnp.where(mask[:, None], complex_normal(key, (5, 2, 9, 8)), 0)
    got = fill_view_sharing(kspace, mask, cyclic=cyclic, mode=mode)
    np.testing.assert_array_equal(np.where(mask[:, None], got, 0), kspace)
    assert not got[:, :, 3].any() and np.abs(got[:, :, 0]).min() > 0
