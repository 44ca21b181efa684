"""Solvers on problems with known answers, what their residual certifies, and the wavelet transform."""

import jax
import jax.numpy as jnp
import numpy as np

from jdmri.classical import proximal, solvers
from tests.helpers.arrays import complex_normal

TIGHT = dict(tolerance=1e-6, max_iterations=3000)


def pogm(matrix, data, prox, **options):
    """½‖A x − y‖² + g(x)."""
    gradient = lambda x: matrix.conj().T @ (matrix @ x - data)
    lipschitz = float(np.linalg.norm(np.asarray(matrix), 2) ** 2)
    start = jnp.zeros(matrix.shape[1], jnp.complex64)
    return solvers.proximal_gradient(gradient, prox, start, lipschitz=options.get("lipschitz", lipschitz))  # fmt: skip


def lasso_terms(matrix, data, weight, step):
    adjoint = matrix.conj().T
    return [
        solvers.least_squares(lambda x: matrix @ x, lambda p: adjoint @ p, data, step),
        solvers.Term(
            lambda x: x, lambda p: p, lambda p, _: proximal.project_magnitude(p, weight), step
        ),
    ]


def lasso_dual(matrix, data, weight, step):
    """The same lasso for the primal–dual solver."""
    terms = lasso_terms(matrix, data, weight, step)
    bound = step * (np.linalg.norm(np.asarray(matrix), 2) ** 2 + 1)
    return solvers.primal_dual(terms, lambda x: x / bound, jnp.zeros(matrix.shape[1], data.dtype))


def test_a_weight_of_the_data_divides_that_of_the_penalty(key):
    """w/2 ‖A x − y‖² + λ |x| has the minimum of ½‖A x − y‖² + λ/w |x|."""
    matrix, _ = jnp.linalg.qr(complex_normal(key, (9, 6)))
    data = complex_normal(jax.random.key(1), (9,))
    adjoint = matrix.conj().T
    term = solvers.least_squares(lambda x: matrix @ x, lambda p: adjoint @ p, data, 0.5, weight=0.3)
    penalty = lasso_terms(matrix, data, 0.3 * 0.8, 0.5)[1]
    algorithm = solvers.primal_dual([term, penalty], lambda x: x, jnp.zeros(6, data.dtype))
    expected = proximal.soft_threshold(adjoint @ data, 0.8)
    np.testing.assert_allclose(solvers.solve(algorithm, **TIGHT).value, expected, atol=1e-5)


def test_lasso_with_an_orthogonal_design_is_a_soft_threshold(key):
    matrix, _ = jnp.linalg.qr(complex_normal(key, (9, 6)))
    data = complex_normal(jax.random.key(1), (9,))
    expected = proximal.soft_threshold(matrix.conj().T @ data, 0.8)
    assert 0 < np.count_nonzero(expected) < 6
    prox = lambda v, step: proximal.soft_threshold(v, 0.8 * step)
    for algorithm in (pogm(matrix, data, prox), lasso_dual(matrix, data, 0.8, 0.5)):
        found = solvers.solve(algorithm, **TIGHT)
        np.testing.assert_allclose(found.value, expected, atol=1e-5)
        assert found.residual < 1e-5


def test_both_solvers_meet_at_the_optimality_conditions_of_a_lasso(key):
    matrix = complex_normal(key, (12, 20))
    data = complex_normal(jax.random.key(1), (12,))
    prox = lambda v, step: proximal.soft_threshold(v, 3.0 * step)
    first = solvers.solve(pogm(matrix, data, prox), **TIGHT)
    second = solvers.solve(lasso_dual(matrix, data, 3.0, 0.1), **TIGHT)
    np.testing.assert_allclose(first.value, second.value, atol=1e-4)
    x = np.asarray(first.value)
    slope = np.asarray(matrix.conj().T @ (matrix @ x - data)) / 3.0
    active = np.abs(x) > 1e-4
    assert 3 < active.sum() < 20 and np.abs(slope).max() < 1 + 1e-4
    np.testing.assert_allclose(slope[active], -x[active] / np.abs(x[active]), atol=1e-3)


def test_least_squares_are_solved(key):
    matrix = complex_normal(key, (10, 4))
    data = complex_normal(jax.random.key(1), (10,))
    expected, *_ = np.linalg.lstsq(np.asarray(matrix), np.asarray(data))
    found = solvers.solve(pogm(matrix, data, lambda v, _: v), **TIGHT)
    np.testing.assert_allclose(found.value, expected, atol=1e-4)


def test_total_variation_of_a_step_shrinks_it_towards_its_mean():
    """Closed form: with λ, n samples at 0 and n at h become λ/n and h − λ/n; the edge stays."""
    step = jnp.where(jnp.arange(10) < 5, 0, 2.0) + 0j
    difference = np.eye(10, k=1)[:9] - np.eye(10)[:9]
    operator = jnp.asarray(difference, jnp.complex64)
    terms = [
        solvers.least_squares(lambda x: x, lambda p: p, step, 0.3),
        solvers.Term(
            lambda x: operator @ x,
            lambda q: operator.T @ q,
            lambda q, _: proximal.project_magnitude(q, 1.5),
            0.3,
        ),
    ]
    inverse = jnp.asarray(np.linalg.inv(0.3 * (np.eye(10) + difference.T @ difference)), jnp.complex64)  # fmt: skip
    found = solvers.solve(
        solvers.primal_dual(terms, lambda x: inverse @ x, jnp.zeros_like(step)), **TIGHT
    )
    np.testing.assert_allclose(found.value, np.where(np.arange(10) < 5, 0.3, 1.7), atol=1e-4)


def test_nuclear_norm_denoising_shrinks_singular_values(key):
    noisy = complex_normal(key, (4, 7))
    u, s, vh = np.linalg.svd(np.asarray(noisy), full_matrices=False)
    expected = (u * np.maximum(s - 1.5, 0)) @ vh
    prox = lambda v, step: proximal.singular_value_threshold(v, 1.5 * step)
    # Half of the longest step, or one iteration would do.
    algorithm = solvers.proximal_gradient(lambda x: x - noisy, prox, jnp.zeros_like(noisy), lipschitz=2.0)  # fmt: skip
    found = solvers.solve(algorithm, **TIGHT)
    np.testing.assert_allclose(found.value, expected, atol=1e-4)


def test_pogm_needs_fewer_iterations_than_its_own_steps_without_momentum(key):
    matrix = complex_normal(key, (30, 40)) * jnp.linspace(0.05, 1, 40)[None]
    data = complex_normal(jax.random.key(1), (30,))
    prox = lambda v, step: proximal.soft_threshold(v, 0.1 * step)
    algorithm = pogm(matrix, data, prox)
    one = jnp.float32(1)
    still = lambda s: algorithm.advance(s._replace(theta=one, composite=s.value))
    limits = dict(tolerance=1e-3, max_iterations=20000)
    fast = solvers.solve(algorithm, **limits)
    slow = solvers.solve(algorithm._replace(advance=still), **limits)
    assert fast.residual <= 1e-3 and fast.iterations < 0.3 * slow.iterations


def test_a_weaker_penalty_does_not_make_the_residual_smaller(key):
    """The step of a nearly unpenalised problem is small anywhere: only the relative force tells."""
    matrix = jnp.zeros((1, 3), jnp.complex64).at[0, 0].set(1)
    data = jnp.ones(1, jnp.complex64)
    start = jnp.array([1, 5, 5j], jnp.complex64)
    for weight in (1e-1, 1e-2):
        prox = lambda v, step, w=weight: proximal.soft_threshold(v, w * step)
        gradient = lambda x: matrix.conj().T @ (matrix @ x - data)
        algorithm = solvers.proximal_gradient(gradient, prox, start)
        assert algorithm.certify(algorithm.start)[1] > 0.5


def test_start_at_the_minimum_stops_at_once_and_the_most_iterations_hold(key):
    matrix = complex_normal(key, (9, 6))
    data = matrix @ jnp.ones(6)
    algorithm = pogm(matrix, data, lambda v, _: v)
    assert solvers.solve(algorithm, tolerance=1e-9, max_iterations=23).iterations == 23
    found = solvers.solve(algorithm, tolerance=1e-4, max_iterations=2000)
    again = algorithm._replace(start=algorithm.start._replace(value=found.value))
    assert found.iterations % 10 == 0
    assert solvers.solve(again, tolerance=1e-3, max_iterations=23).iterations == 0


def test_each_member_of_a_batch_stops_by_itself(key):
    matrix = complex_normal(key, (9, 6))
    data = jnp.stack([0 * matrix[:, 0], complex_normal(key, (9,))])

    def one(y):
        prox = lambda v, step: proximal.soft_threshold(v, 0.5 * step)
        return solvers.solve(pogm(matrix, y, prox), tolerance=1e-4, max_iterations=500)

    both = jax.jit(jax.vmap(one))(data)
    np.testing.assert_array_equal(both.value[0], 0)
    assert both.iterations[0] == 0 < both.iterations[1] < 500
    np.testing.assert_allclose(both.value[1], one(data[1]).value, atol=1e-5)


def test_a_trace_ends_where_the_solver_does(key):
    matrix = complex_normal(key, (12, 20))
    data = complex_normal(jax.random.key(1), (12,))
    prox = lambda v, step: proximal.soft_threshold(v, 3.0 * step)
    cost = lambda x: 0.5 * jnp.sum(jnp.abs(matrix @ x - data) ** 2) + 3 * jnp.sum(jnp.abs(x))
    for algorithm in (pogm(matrix, data, prox), lasso_dual(matrix, data, 3.0, 0.1)):
        costs, values = solvers.trace(algorithm, num_iterations=60, measure=lambda x: (cost(x), x))
        found = solvers.solve(algorithm, tolerance=1e-30, max_iterations=60)
        np.testing.assert_allclose(values[-1], found.value, atol=1e-5)
        assert costs.shape == (60,) and costs[-1] < costs[0]
