"""Methods without training: their formulas, and one contract for all."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri.classical import METHODS, fill_temporal_average, fill_view_sharing
from jdmri.classical.kt_sparse import shrink_frequencies
from jdmri.ops import sense
from tests.helpers.arrays import complex_normal, unit_maps

FILLED = ("zero_filled", "temporal_average", "view_sharing")
# Tested in their own files: GRAPPA needs a regular mask, the others stop farther from the solution.
OWN_BATCHES = ("flagship", "grappa", "kt_blast", "kt_focuss")  # tested elsewhere


@pytest.mark.parametrize("name", FILLED)
@pytest.mark.parametrize("num_coils", [1, 3])
def test_full_sampling_gives_the_image_back(key, name, num_coils):
    maps = unit_maps(key, num_coils, (9, 8))
    cine, mask = complex_normal(key, (4, 9, 8)), jnp.ones((4, 9, 1), bool)
    got = METHODS.build({"name": name})(sense.forward(cine, maps, mask), maps, mask)
    np.testing.assert_allclose(got, cine, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in METHODS if name not in OWN_BATCHES])
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


def sparse_problem(key):
    """A cine of two temporal frequencies a pixel, sampled at random."""
    spectrum = jnp.zeros((8, 9, 8), jnp.complex64)
    spectrum = spectrum.at[0].set(3).at[1, 2:5].set(1).at[7, 4:6].set(1j)
    cine = jnp.fft.ifft(spectrum, axis=0, norm="ortho")
    maps = unit_maps(key, 2, (9, 8))
    mask = jax.random.bernoulli(key, 0.6, (8, 9, 1)).at[:, 4].set(True)
    return cine, sense.forward(cine, maps, mask), maps, mask


def test_kt_sparse_finds_a_sparse_cine(key):
    cine, kspace, maps, mask = sparse_problem(key)
    method = METHODS.build({"name": "kt_sparse", "weight": 1e-4, "mean_weight": 0.0, "tolerance": 1e-7, "max_iterations": 3000})  # fmt: skip
    error = jnp.linalg.norm(method(kspace, maps, mask) - cine) / jnp.linalg.norm(cine)
    shared = METHODS.build({"name": "view_sharing"})(kspace, maps, mask)
    assert error < 0.01 < jnp.linalg.norm(shared - cine) / jnp.linalg.norm(cine)


def test_kt_sparse_satisfies_the_optimality_conditions(key):
    """EᴴE x − Eᴴy = −λ s with s the sign of F_t x, or |s| ≤ 1 where that is 0; −μ (F_0 x − F_0 x̄) at f = 0."""
    _, kspace, maps, mask = sparse_problem(key)
    settings = {"name": "kt_sparse", "weight": 0.05, "mean_weight": 0.1, "tolerance": 1e-8, "max_iterations": 5000}  # fmt: skip
    x = METHODS.build(settings)(kspace, maps, mask)
    start = METHODS.build({"name": "temporal_average"})(kspace, maps, mask)
    threshold = 0.05 * jnp.max(jnp.abs(start))
    gradient = sense.adjoint(sense.forward(x, maps, mask) - kspace, maps, mask)
    slope = jnp.fft.fft(gradient, axis=0, norm="ortho") / threshold
    spectrum = jnp.fft.fft(x, axis=0, norm="ortho")
    away = spectrum[0] - jnp.sum(start, axis=0) / np.sqrt(8)
    np.testing.assert_allclose(threshold * slope[0], -0.1 * away, atol=2e-3)
    assert jnp.abs(away).max() > 0.1
    active = jnp.abs(spectrum[1:]) > 1e-3
    assert 0.01 < active.mean() < 0.9 and jnp.abs(slope[1:]).max() < 1.02
    wanted = -spectrum[1:] / jnp.abs(spectrum[1:])
    np.testing.assert_allclose(slope[1:][active], wanted[active], atol=3e-2)


def test_shrinking_frequencies_spares_the_mean_or_pulls_it(key):
    cine, other = complex_normal(key, (6, 4, 5)), complex_normal(key, (4, 5))
    np.testing.assert_allclose(shrink_frequencies(cine, 0.0, other, 0.0), cine, atol=1e-5)
    mean = jnp.mean(cine, axis=0)
    spared = shrink_frequencies(cine, 1e3, other, 0.0)
    np.testing.assert_allclose(spared, jnp.broadcast_to(mean, cine.shape), atol=1e-5)
    pulled = shrink_frequencies(cine, 1e3, other, 3.0)[2]
    np.testing.assert_allclose(pulled, mean / 4 + 3 / 4 * other / np.sqrt(6), atol=1e-5)
