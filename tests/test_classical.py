"""Methods without training: their formulas, and one contract for all."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri.classical import METHODS, fill_temporal_average, fill_view_sharing
from jdmri.ops import sense
from tests.conftest import complex_normal, unit_maps


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize("num_coils", [1, 3])
def test_full_sampling_gives_the_image_back(key, name, num_coils):
    maps = unit_maps(key, num_coils, (9, 8))
    cine, mask = complex_normal(key, (4, 9, 8)), jnp.ones((4, 9, 1), bool)
    got = METHODS.build({"name": name})(sense.forward(cine, maps, mask), maps, mask)
    np.testing.assert_allclose(got, cine, atol=1e-5)


@pytest.mark.parametrize("name", list(METHODS))
def test_batched_equals_one_by_one(key, name):
    method = METHODS.build({"name": name})
    kspace = complex_normal(key, (2, 4, 2, 9, 8))
    maps = jnp.stack([unit_maps(k, 2, (9, 8)) for k in jax.random.split(key)])
    mask = jax.random.bernoulli(key, 0.5, (2, 4, 9, 1))
    kspace = jnp.where(mask[:, :, None], kspace, 0)
    for i in range(2):
        one = method(kspace[i], maps[i], mask[i])
        np.testing.assert_allclose(method(kspace, maps, mask)[i], one, atol=1e-5)


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
