"""Proximal operators against their definition: the minimum, its subgradients, and NumPy's SVD."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri.classical import proximal
from tests.helpers.arrays import complex_normal

# operator, g and its subgradient set's test, by name
NORMS = {
    "soft": (proximal.soft_threshold, lambda x: np.abs(x).sum()),
    "group": (
        lambda v, t: proximal.group_soft_threshold(v, t, axes=(0,)),
        lambda x: np.linalg.norm(x, axis=0).sum(),
    ),
    "nuclear": (
        proximal.singular_value_threshold,
        lambda x: np.linalg.svd(x, compute_uv=False).sum(),
    ),
}


@pytest.fixture(params=[(3, 5), (5, 3)])
def values(key, request):
    return complex_normal(key, request.param)


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("threshold", [0.0, 0.7, 2.0])
def test_nothing_near_or_far_is_better_than_the_proximal_point(values, name, threshold, rng):
    operator, norm = NORMS[name]
    v = np.asarray(values, np.complex128)
    cost = lambda x: 0.5 * np.sum(np.abs(x - v) ** 2) + threshold * norm(x)
    x = np.asarray(operator(values, threshold), np.complex128)
    for scale in (1e-2, 0.1, 1.0):
        for _ in range(5):
            other = x + scale * (rng.normal(size=v.shape) + 1j * rng.normal(size=v.shape))
            # Strong convexity: the cost rises by at least half of the squared distance.
            assert cost(other) > cost(x) + 0.49 * np.sum(np.abs(other - x) ** 2) - 1e-4
    assert cost(0 * x) >= cost(x) - 1e-4 and cost(v) >= cost(x) - 1e-4


@pytest.mark.parametrize("name", NORMS)
def test_zero_threshold_keeps_a_large_one_kills_and_zero_stays(values, name):
    operator, _ = NORMS[name]
    np.testing.assert_allclose(operator(values, 0.0), values, atol=2e-6)
    np.testing.assert_allclose(operator(values, 100.0), 0, atol=2e-6)
    np.testing.assert_array_equal(operator(0 * values, 0.5), 0)
    np.testing.assert_array_equal(operator(0 * values, 0.0), 0)


def test_soft_threshold_by_hand():
    got = proximal.soft_threshold(jnp.array([3 + 4j, -1, 0.5j]), 1.0)
    np.testing.assert_allclose(got, [2.4 + 3.2j, 0, 0], atol=1e-6)
    each = proximal.soft_threshold(jnp.array([3.0 + 0j, 3.0]), jnp.array([0.0, 2.0]))
    np.testing.assert_allclose(each, [3, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("shrink", "project"),
    [
        (proximal.soft_threshold, proximal.project_magnitude),
        (proximal.singular_value_threshold, proximal.project_spectral),
    ],
)
def test_moreau_shrinking_and_the_projection_add_up(values, shrink, project):
    for radius in (0.3, 2.0):
        np.testing.assert_allclose(
            shrink(values, radius) + project(values, radius), values, atol=5e-6
        )
    inside = project(values, 1e3)
    np.testing.assert_allclose(inside, values, atol=5e-6)
    np.testing.assert_array_equal(project(0 * values, 1.0), 0)


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (2, 6, 40)])
def test_singular_values_shrink_as_with_an_svd(key, shape):
    matrix = complex_normal(key, shape)
    u, s, vh = np.linalg.svd(np.asarray(matrix, np.complex128), full_matrices=False)
    expected = (u * np.maximum(s - 5, 0)[..., None, :]) @ vh
    got = jax.jit(proximal.singular_value_threshold)(matrix, 5.0)
    np.testing.assert_allclose(got, expected, atol=2e-5)
    np.testing.assert_allclose(proximal.singular_values(matrix), s[..., ::-1], rtol=1e-5)


def test_small_singular_values_survive_the_square(rng):
    """σ = 1 … 1e-3 is right in float32 although σ² is not; what is smaller stays small."""
    u, _ = np.linalg.qr(rng.normal(size=(6, 6)) + 1j * rng.normal(size=(6, 6)))
    v, _ = np.linalg.qr(rng.normal(size=(500, 6)) + 1j * rng.normal(size=(500, 6)))
    values = 10.0 ** -np.arange(6)
    matrix = jnp.asarray((u * values) @ v.conj().T, jnp.complex64)
    got = np.asarray(proximal.singular_values(matrix)[::-1])
    np.testing.assert_allclose(got[:4], values[:4], atol=5e-6)
    assert np.all(got[4:] < 3e-4)
    shrunk = proximal.singular_value_threshold(matrix, 5e-4)
    expected = (u * np.maximum(values - 5e-4, 0)) @ v.conj().T
    assert np.linalg.norm(shrunk - expected) < 1e-4


@pytest.mark.parametrize(
    "values", [(1, 0.3, 0.1, 0.03, 0.01, 0.003), (1, 0.02, 0.02, 0.01, 9e-3, 0)]
)
def test_what_a_weak_threshold_takes_is_right_although_the_square_mixes(rng, values):
    """The projection itself, not the small change that it makes to a large matrix: solvers stall at its error."""
    u, _ = np.linalg.qr(rng.normal(size=(6, 6)) + 1j * rng.normal(size=(6, 6)))
    v, _ = np.linalg.qr(rng.normal(size=(500, 6)) + 1j * rng.normal(size=(500, 6)))
    matrix = jnp.asarray((u * values) @ v.conj().T, jnp.complex64)
    for radius in (0.03, 0.002):
        expected = (u * np.minimum(values, radius)) @ v.conj().T
        error = np.linalg.norm(proximal.project_spectral(matrix, radius) - expected)
        assert error < 1e-4 * radius  # 1e-3 without the first order of the mixing
