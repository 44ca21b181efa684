"""k-t sparse reconstruction: a known solution, its optimality, its proximal operator."""

import jax
import jax.numpy as jnp
import numpy as np

from jdmri.classical import METHODS
from jdmri.classical.kt_sparse import shrink_frequencies
from jdmri.ops import sense
from tests.helpers.arrays import complex_normal, unit_maps


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
