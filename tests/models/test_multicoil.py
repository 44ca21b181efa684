"""Data consistency and reconstruction with many coils: conjugate gradients, MoDL, VarNet, CG-SENSE.

Small problems of few shapes, everything compiled as a whole: the time goes into compilation.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri import models
from jdmri.classical import METHODS
from jdmri.errors import InputError
from jdmri.models.unrolled.refine_maps import RefineMaps, normalise
from jdmri.ops import conjugate_gradient as cg
from jdmri.ops import consistency, sense
from tests.helpers import arrays, networks
from tests.helpers.arrays import complex_normal, unit_maps
from tests.helpers.networks import CASES

UNROLLED = {
    "cascade": dict(name="cascade", consistency="cg", num_iterations=4),
    "modl": dict(name="modl", num_iterations=4),
    "varnet": dict(name="varnet", maps_width=4),
    "varnet fixed": dict(name="varnet", refine_maps=False),
}
ARGUMENTS = ("cine", "kspace", "weight", "maps")
SIZE = (9, 8)

QUICK = jax.random.key(0, impl="rbg")  # initial parameters from it compile in half the time

fold = jax.jit(sense.fold)
example = jax.jit(partial(networks.example, size=SIZE), static_argnames=("frames", "num_coils"))


@partial(jax.jit, static_argnames=("size", "frames", "num_coils", "line_mask"))
def problem(key, size=SIZE, frames=3, num_coils=3, line_mask=True):
    """Cine, maps, mask, and k-space that does not belong to them, zero where not sampled."""
    cine, maps, mask, kspace = arrays.problem(key, size, num_coils, frames, line_mask)
    return cine, maps, mask, jnp.where(mask[:, None], kspace, 0)


def dense(operator, shape):
    """The matrix of a linear operator on ``shape``."""
    basis = jnp.eye(np.prod(shape), dtype=jnp.complex64).reshape(-1, *shape)
    return jax.vmap(operator)(basis).reshape(len(basis), -1).T


def build(case, **changes):
    denoiser = dict(name="spacetime_cnn", width=4, depth=1)
    return models.build(UNROLLED[case] | dict(denoiser=denoiser, num_cascades=2) | changes)


# The solver


@pytest.mark.parametrize(("size", "line_mask"), [(SIZE, True), ((6, 7), False)])
def test_conjugate_gradients_equal_a_dense_solution(key, size, line_mask):
    cine, maps, mask, kspace = problem(key, size, line_mask=line_mask)

    @jax.jit
    def solutions():
        plain = sense.encoding(maps, mask)
        normal = lambda x: plain.normal(x) + 0.1 * x
        b = plain.adjoint(kspace) + 0.1 * cine
        found_all = [jnp.linalg.solve(dense(normal, cine.shape), b.ravel()).reshape(b.shape)]
        for axes in (cg.SERIES_AXES, (-2, -1)):
            found = cg.solve(normal, b, num_iterations=60, axes=axes)
            found_all += [found.value, found.residual / jnp.linalg.norm(b)]
        for encoding, data in ((plain, kspace), sense.fold(kspace, maps, mask)):
            found_all.append(consistency.conjugate_gradient(cine, data, encoding, 0.1, 60))
        return found_all

    expected, series, residual, frames, residuals, plain, folded = solutions()
    for found in (series, frames, plain, folded):
        np.testing.assert_allclose(found, expected, atol=1e-4)
    assert residual.size == 1 and residuals.size == len(cine)
    assert np.all(residual < 1e-5) and np.all(residuals < 1e-5)


def test_each_iteration_lowers_the_energy_and_smaller_systems_lower_it_more(key):
    """Of the error in the norm of A, which conjugate gradients minimise over the Krylov space."""
    _, maps, mask, kspace = problem(key)

    @jax.jit
    def energies():
        encoding, data = sense.fold(kspace, maps, mask)
        normal = lambda x: encoding.normal(x) + 0.05 * x
        solve = partial(cg.iterate, normal, encoding.adjoint(data))
        solution = solve(num_iterations=60, axes=encoding.axes).value

        def energy(count, axes):
            error = solve(num_iterations=count, axes=axes).value - solution
            return jnp.vdot(error, normal(error)).real

        return [[energy(n, a) for n in range(4)] for a in (cg.SERIES_AXES, encoding.axes)]

    series, columns = np.asarray(energies())
    assert np.all(np.diff(series) < 0) and np.all(columns[1:] < series[1:])


def test_a_starting_image_is_improved_and_the_residual_is_the_true_one(key):
    cine, maps, mask, kspace = problem(key)

    @jax.jit
    def distances():
        encoding = sense.encoding(maps, mask)
        normal = lambda x: encoding.normal(x) + 0.1 * x
        b = encoding.adjoint(kspace)
        solution = cg.solve(normal, b, num_iterations=100).value
        near = solution + 0.01 * cine
        cold = cg.solve(normal, b, num_iterations=3)
        warm = cg.solve(normal, b, num_iterations=3, initial=near)
        true = [jnp.linalg.norm(b - normal(found.value)) for found in (cold, warm)]
        far = [jnp.linalg.norm(x - solution) for x in (cold.value, near, warm.value)]
        return true, [cold.residual, warm.residual], far

    true, residual, (cold, near, warm) = distances()
    np.testing.assert_allclose(np.ravel(residual), true, rtol=1e-3)
    assert warm < 0.5 * near < 0.1 * cold


def test_series_do_not_disturb_each_other(key):
    """A series of zeros stays zero, one of huge data changes nothing for the others."""
    cine, maps, mask, _ = problem(key)
    kspace = sense.forward(cine, maps, mask)
    data = np.stack([kspace * scale for scale in (1.0, 0.0, 1e6)])
    batch = lambda a: np.stack([a] * 3)

    @jax.jit
    def solve(data, maps, mask):
        start = jnp.zeros((*data.shape[:-3], *data.shape[-2:]), data.dtype)
        encoding = sense.encoding(maps, mask)
        found = consistency.conjugate_gradient(start, data, encoding, 0.1, 30)
        return jnp.sum(jnp.abs(found)), found

    gradient, together = jax.grad(solve, has_aux=True)(data, batch(maps), batch(mask))
    _, alone = solve(kspace, maps, mask)
    np.testing.assert_allclose(together[0], alone, atol=1e-5)
    np.testing.assert_allclose(together[2], alone * 1e6, atol=10)
    assert not np.any(together[1]) and np.isfinite(gradient).all()


def test_each_frame_has_its_own_mask(key):
    cine, maps, mask, kspace = problem(key)
    assert len({bytes(np.asarray(m)) for m in mask}) == 3

    def solve(cine, kspace, mask):
        encoding, data = fold(kspace, maps, mask)
        return consistency.conjugate_gradient(cine, data, encoding, 0.1, 20)

    together = solve(cine, kspace, mask)
    for t in range(3):
        alone = solve(*(np.asarray(a)[t : t + 1] for a in (cine, kspace, mask)))
        np.testing.assert_allclose(together[t : t + 1], alone, atol=1e-5)


# Its gradient


def loss(solve, num_iterations, mask, target, cine, kspace, weight, maps):
    """A real function of the minimum of ``‖E x - y‖² + λ ‖x - z‖²``."""
    encoding, data = sense.fold(kspace, maps, mask)
    normal = lambda x: encoding.normal(x) + weight * x
    b = encoding.adjoint(data) + weight * cine
    x = solve(normal, b, num_iterations=num_iterations, axes=encoding.axes).value
    return jnp.sum(jnp.abs(x - target) ** 2 + jnp.real(x * target))


def test_the_implicit_gradient_equals_the_unrolled_one_and_finite_differences(key):
    """JAX's gradient g of a real loss obeys dL = Re Σ g dz, without a conjugate. In float64."""
    cine, maps, mask, kspace = (np.asarray(a) for a in problem(key))
    target = np.asarray(complex_normal(jax.random.key(1), cine.shape))
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        cine, kspace, maps, target = (a.astype(complex) for a in (cine, kspace, maps, target))
        point = cine, kspace, np.float64(0.3), maps
        implicit = jax.jit(
            jax.value_and_grad(partial(loss, cg.solve, 20, mask, target), argnums=range(4))
        )
        unrolled = jax.jit(jax.grad(partial(loss, cg.iterate, 20, mask, target), argnums=range(4)))
        _, gradient = implicit(*point)
        for i, name, ours, theirs in zip(
            range(4), ARGUMENTS, gradient, unrolled(*point), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9, err_msg=name)
            shift = rng.normal(size=np.shape(ours))
            if np.iscomplexobj(ours):
                shift = shift + 1j * rng.normal(size=np.shape(ours))
            moved = [point[i] + h * shift for h in (1e-5, -1e-5)]
            ahead, behind = (implicit(*point[:i], m, *point[i + 1 :])[0] for m in moved)
            slope = (ahead - behind) / 2e-5
            assert abs(slope) > 1e-2, name
            np.testing.assert_allclose(np.sum(ours * shift).real, slope, rtol=1e-6, err_msg=name)


def test_data_consistency_has_the_gradient_of_its_least_squares_problem(key):
    """In single precision, through `consistency.conjugate_gradient`, against the dense solution."""
    cine, maps, mask, kspace = problem(key)

    def iterative(cine, kspace, weight, maps):
        encoding, data = sense.fold(kspace, maps, mask)
        return consistency.conjugate_gradient(cine, data, encoding, weight, 30)

    def direct(cine, kspace, weight, maps):
        encoding = sense.encoding(maps, mask)
        matrix = dense(lambda x: encoding.normal(x) + weight * x, cine.shape)
        b = encoding.adjoint(kspace) + weight * cine
        return jnp.linalg.solve(matrix, b.ravel()).reshape(cine.shape)

    @jax.jit
    def gradients(*point):
        squares = lambda solve: lambda *a: jnp.sum(jnp.abs(solve(*a) - 1j) ** 2)
        return [jax.grad(squares(s), argnums=range(4))(*point) for s in (iterative, direct)]

    for name, ours, theirs in zip(ARGUMENTS, *gradients(cine, kspace, 0.3, maps), strict=True):
        tolerance = 1e-3 * np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, atol=tolerance, err_msg=name)


@pytest.mark.optimised
def test_memory_of_the_backward_pass_does_not_grow_with_the_iterations(key):
    """The unrolled gradient keeps every iteration."""
    cine, maps, mask, kspace = problem(key)

    def temporary(solve, count):
        gradient = jax.jit(jax.grad(partial(loss, solve, count, mask, cine), argnums=range(4)))
        compiled = gradient.lower(cine, kspace, jnp.float32(0.3), maps).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    assert temporary(cg.solve, 50) == temporary(cg.solve, 5)
    assert temporary(cg.iterate, 50) > 4 * temporary(cg.iterate, 5)


def test_the_implicit_gradient_under_vmap_is_that_of_each_series(key):
    cine, maps, mask, kspace = problem(key)
    gradient = jax.grad(partial(loss, cg.solve, 10, mask, cine), argnums=range(4))
    points = [np.stack([a, 2 * a]) for a in map(np.asarray, (cine, kspace, np.float32(0.3), maps))]
    together = jax.jit(jax.vmap(gradient))(*points)
    one = jax.jit(gradient)
    for i in range(2):
        for name, ours, alone in zip(
            ARGUMENTS, together, one(*(p[i] for p in points)), strict=True
        ):
            tolerance = 1e-4 * np.abs(alone).max()
            np.testing.assert_allclose(ours[i], alone, atol=tolerance, err_msg=name)


# Consistency


def test_a_gradient_step_goes_down_the_gradient(key):
    cine, maps, mask, kspace = problem(key)
    half = lambda x: jnp.sum(jnp.abs(sense.forward(x, maps, mask) - kspace) ** 2) / 2
    expected = cine - 0.7 * np.conj(jax.jit(jax.grad(half))(cine))
    encoding, data = fold(kspace, maps, mask)
    got = consistency.gradient_step(cine, data, encoding, 0.7)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_with_one_coil_the_minimum_is_the_soft_step(key):
    cine, _, mask, kspace = problem(key)

    @jax.jit
    def both():
        encoding, data = sense.fold(kspace[:, :1], jnp.ones((1, *SIZE), jnp.complex64), mask)
        minimum = consistency.conjugate_gradient(cine, data, encoding, 1 / 2.5, 5)
        return minimum, consistency.soft(cine, data, encoding, 2.5)

    np.testing.assert_allclose(*both(), atol=1e-5)


# CG-SENSE


def cg_sense(**settings):
    return METHODS.build({"name": "cg_sense", **settings})


@pytest.mark.parametrize(("size", "line_mask"), [(SIZE, True), ((6, 7), False)])
def test_cg_sense_solves_the_normal_equations(key, size, line_mask):
    _, maps, mask, kspace = problem(key, size, line_mask=line_mask)

    @jax.jit
    def expected():
        encoding = sense.encoding(maps, mask)
        b = encoding.adjoint(kspace)
        matrix = dense(lambda x: encoding.normal(x) + 0.05 * x, b.shape)
        return jnp.linalg.solve(matrix, b.ravel()).reshape(b.shape)

    got = cg_sense(weight=0.05, tolerance=1e-6, max_iterations=100)(kspace, maps, mask)
    np.testing.assert_allclose(got, expected(), atol=1e-4)


@pytest.mark.parametrize("num_coils", [1, 3])
def test_cg_sense_returns_a_fully_sampled_image(key, num_coils):
    cine, maps, mask, _ = problem(key, num_coils=num_coils)
    everywhere = np.ones(mask.shape, bool)
    kspace = sense.forward(cine, maps, everywhere)
    for weight in (0.0, 0.25):
        got = cg_sense(weight=weight)(kspace, maps, everywhere)
        np.testing.assert_allclose(got, np.asarray(cine) / (1 + weight), atol=1e-5)


def test_cg_sense_stops_at_the_tolerance_and_unfolds_what_coils_can(key):
    cine, _, _, _ = problem(key)
    maps = jax.jit(unit_maps, static_argnums=(1, 2))(key, 6, SIZE)
    mask = np.broadcast_to((np.arange(SIZE[0]) % 2 == 0).reshape(1, -1, 1), (3, SIZE[0], 1))
    kspace = sense.forward(cine, maps, mask)
    b = sense.adjoint(kspace, maps, mask)
    norm = lambda a: np.linalg.norm(a, axis=(1, 2))
    for tolerance in (1e-1, 1e-3):
        x = cg_sense(weight=0.01, tolerance=tolerance, max_iterations=200)(kspace, maps, mask)
        residual = norm(b - sense.normal(x, maps, mask) - np.float32(0.01) * x) / norm(b)
        assert np.all((0.02 * tolerance < residual) & (residual < 1.1 * tolerance))
    x = cg_sense(weight=0.0, tolerance=1e-6, max_iterations=200)(kspace, maps, mask)
    np.testing.assert_allclose(x, cine, atol=1e-3)


def test_cg_sense_frames_are_independent(key):
    _, maps, mask, kspace = problem(key)
    method = cg_sense()
    other = np.array(kspace)
    other[1] *= 100
    changed, unchanged = method(other, maps, mask), method(kspace, maps, mask)
    np.testing.assert_array_equal(changed[::2], unchanged[::2])


@pytest.mark.parametrize("change", [dict(weight=-1.0), dict(tolerance=0.0), dict(max_iterations=0)])
def test_cg_sense_refuses_wrong_settings(change):
    with pytest.raises(InputError, match="cg_sense needs"):
        cg_sense(**change)


# Coil maps


def test_normalised_maps_keep_support_and_phase(key):
    given = np.array(problem(key)[1])
    given[:, :2] = 0
    changed = given + 0.3 * np.asarray(complex_normal(jax.random.key(1), given.shape))

    @jax.jit
    def run(changed):
        maps = normalise(changed, given)
        return jnp.sum(jnp.abs(maps - 1) ** 2), maps

    gradient, maps = jax.grad(run, has_aux=True)(changed)
    assert not np.any(maps[:, :2])
    np.testing.assert_allclose(np.sum(np.abs(maps[:, 2:]) ** 2, axis=0), 1, atol=1e-5)
    overlap = np.sum(given.conj() * maps, axis=0)[2:]
    np.testing.assert_allclose(overlap.imag, 0, atol=1e-5)
    assert np.all(overlap.real > 0)
    np.testing.assert_allclose(run(np.complex64(2j) * changed)[1], maps, atol=1e-5)
    assert np.isfinite(gradient).all() and np.any(gradient)


def test_refined_maps_are_the_given_ones_until_trained(key):
    kspace, maps, mask = (np.asarray(a) for a in example(key, num_coils=4))
    network = RefineMaps(4)
    variables = jax.jit(network.init)(QUICK, kspace, maps, mask)
    refine = jax.jit(network.apply)
    np.testing.assert_allclose(refine(variables, kspace, maps, mask), maps, atol=1e-5)
    moved = jax.tree.map(lambda p: np.asarray(p) + np.float32(0.1), variables)
    refined = refine(moved, kspace, maps, mask)
    assert np.abs(refined - maps).max() > 1e-2
    swapped = refine(moved, kspace[:, :, ::-1], maps[:, ::-1], mask)
    np.testing.assert_allclose(swapped[:, ::-1], refined, atol=1e-5)
    one = kspace[:, :, :1], maps[:, :1] / np.abs(maps[:, :1]), mask
    np.testing.assert_allclose(refine(moved, *one), one[1], atol=1e-5)


# Networks


@pytest.mark.parametrize("case", UNROLLED)
@pytest.mark.parametrize("num_coils", [1, 4])
def test_an_untrained_network_returns_a_fully_sampled_image(key, case, num_coils):
    cine, maps, mask, _ = problem(key, num_coils=num_coils)
    mask = np.ones(mask.shape, bool)
    data = (np.asarray(a)[None] for a in (sense.forward(cine, maps, mask), maps, mask))
    result, _ = jax.jit(build(case, num_cascades=1).init_with_output)(QUICK, *data)
    np.testing.assert_allclose(result[0], cine, atol=1e-4)


def test_untrained_networks_are_the_iterations_they_unroll(key):
    kspace, maps, mask = example(key, num_coils=4)
    encoding, data = fold(kspace, maps, mask)
    x = y = sense.adjoint(kspace, maps, mask)
    for _ in range(2):
        x = consistency.gradient_step(x, data, encoding, 1.0)
        y = consistency.conjugate_gradient(y, data, encoding, 0.05, 4)
    for case, expected, fields in (
        ("varnet", x, {}),
        ("modl", y, {}),
        ("cascade", y, dict(initial_weight=20.0)),  # of the data: 1 / 0.05
    ):
        network = build(case, start="zero_filled", **fields)
        result, _ = jax.jit(network.init_with_output)(QUICK, kspace, maps, mask)
        np.testing.assert_allclose(result, expected, atol=1e-4)


@pytest.mark.parametrize("case", UNROLLED)
def test_gradients_reach_all_parameters_and_equal_finite_differences(key, case):
    """In float64, with steps so small that hardly a ReLU changes its side."""
    converged = {} if "varnet" in case else dict(num_iterations=12)
    network, data = build(case, **converged), jax.device_get(example(key, num_coils=4))
    params = jax.device_get(jax.jit(network.init)(QUICK, *data)["params"])
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        data = [jnp.asarray(a if a.dtype == bool else a.astype(complex)) for a in data]
        params = jax.tree.map(lambda p: p + 0.1 * rng.normal(size=p.shape), params)
        loss = lambda p: jnp.sum(jnp.abs(network.apply({"params": p}, *data) - 1) ** 2)
        both = jax.jit(jax.value_and_grad(loss))
        _, gradient = both(params)
        for name in params:
            leaves = jax.tree.leaves(gradient[name])
            assert all(np.isfinite(g).all() and np.any(g) for g in leaves), name
            move = lambda h, name=name: {name: jax.tree.map(lambda p: p + h, params[name])}
            ahead, behind = (both(params | move(h))[0] for h in (1e-6, -1e-6))
            slope = sum(np.sum(g) for g in leaves)
            np.testing.assert_allclose((ahead - behind) / 2e-6, slope, rtol=1e-3, err_msg=name)


def test_modl_shares_its_weights_and_its_lambda(key):
    for count in (1, 3):
        init = build("modl", num_cascades=count).init
        shapes = jax.eval_shape(init, key, *example(key, num_coils=4))
        assert set(shapes["params"]) == {"denoiser", "weight"}


@pytest.mark.parametrize("model", [m for m in models.MODELS if m != "gated"])  # it has no denoiser
@pytest.mark.parametrize("case", CASES)
def test_every_network_of_the_registry_takes_three_coils(key, model, case):
    """Traced; the tests above run what depends on the number of coils."""
    rounds = {} if model == "denoise" else dict(num_cascades=1)
    network = models.build(dict(name=model, denoiser=CASES[case]) | rounds)
    data = example(key, num_coils=3)
    cine, _ = jax.eval_shape(network.init_with_output, key, *data)
    assert cine.shape == (1, 5, *SIZE) and cine.dtype == jnp.complex64


def test_parameters_of_one_number_of_coils_fit_another(key):
    network = build("varnet")
    few, many = (jax.eval_shape(network.init, key, *example(key, num_coils=n)) for n in (1, 4))
    assert few == many


@pytest.mark.optimised
def test_memory_of_a_network_does_not_grow_with_the_iterations(key):
    data = example(key, num_coils=4)

    def temporary(count):
        network = build("modl", num_cascades=1, num_iterations=count)
        variables = jax.eval_shape(network.init, key, *data)
        loss = lambda v: jnp.sum(jnp.abs(network.apply(v, *data)) ** 2)
        compiled = jax.jit(jax.grad(loss)).lower(variables).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    assert temporary(50) == temporary(5)
