"""Methods that minimise: converged, and alike for every mask, batch and coil; `test_classical_peers` has other solvers."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri import masks, metrics, phantom
from jdmri.classical import METHODS
from jdmri.classical.llr import from_blocks, to_blocks
from jdmri.classical.wavelet import analyse, synthesise
from jdmri.errors import InputError
from jdmri.ops import sense
from tests.helpers.arrays import complex_normal, unit_maps

NAMES = ("kt_sparse", "temporal_tv", "spatiotemporal_tv", "wavelet", "low_rank", "l_plus_s", "llr")
# The others take minutes to compile: ./launch/test.sh -m slow
SOME = [
    n if n in ("kt_sparse", "temporal_tv") else pytest.param(n, marks=pytest.mark.slow)
    for n in NAMES
]
WEIGHTS = {name: ("weight",) for name in NAMES} | {
    "l_plus_s": ("low_rank_weight", "sparse_weight"),
    "kt_sparse": ("weight", "mean_weight"),
    "temporal_tv": ("weight", "mean_weight"),
    "spatiotemporal_tv": ("weight", "spatial_weight"),
}


@functools.cache
def build(name, **settings):
    """One object for equal settings: it is compiled once a shape."""
    return METHODS.build({"name": name, **settings})


def few(name, **settings):
    """The method after 20 iterations, when a mistake has had its effect."""
    return build(name, tolerance=1e-9, max_iterations=20, **settings)


def default(name, setting):
    return inspect.signature(METHODS[name]).parameters[setting].default


@pytest.fixture(scope="module")
def heart():
    return simulated()


def simulated(num_coils=1):
    """A phantom of 12×64×64, R = 5, noise of 2 %: cine, and k-space, maps, mask."""
    keys = jax.random.split(jax.random.key(3), 3)
    scan = phantom.simulate(keys[0], num_frames=12, matrix=(64, 64), num_coils=num_coils)
    sampler = masks.variable_density(acceleration=5.0, num_center_lines=5)
    mask = sampler(keys[1], scan.cine.shape)
    sigma = 0.02 * float(jnp.percentile(jnp.abs(scan.cine), 99))
    kspace = sense.acquire(keys[2], scan.cine, scan.maps, mask, sigma)
    return np.asarray(scan.cine), (kspace, scan.maps, mask)


def problem(key, *, num_coils=2, size=(9, 8), frames=4):
    maps = unit_maps(key, num_coils, size)
    mask = jax.random.bernoulli(key, 0.6, (frames, size[0], 1)).at[0].set(True)
    kspace = sense.forward(complex_normal(key, (frames, *size)), maps, mask)
    return kspace, maps, mask


def psnr(estimate, reference):
    return metrics.METRICS.build({"name": "psnr"})(np.asarray(estimate), reference)


@pytest.mark.parametrize("name", SOME)
def test_ten_times_the_tolerance_moves_the_image_by_less_than_a_twentieth_of_a_db(heart, name):
    cine, data = heart
    usual = build(name).solve(*data)
    limits = dict(
        tolerance=default(name, "tolerance") / 10,
        max_iterations=2 * default(name, "max_iterations"),
    )
    tight = build(name, **limits).solve(*data)
    assert abs(psnr(usual.value, cine) - psnr(tight.value, cine)) < 0.05
    assert usual.residual <= default(name, "tolerance")
    assert (
        0 < usual.iterations < default(name, "max_iterations")
        and usual.iterations < tight.iterations
    )


@pytest.mark.parametrize("name", SOME)
def test_a_line_mask_is_a_special_mask_of_points(key, name):
    kspace, maps, mask = problem(key)
    points = jnp.broadcast_to(mask, (*mask.shape[:2], 8))
    lines = few(name).solve(kspace, maps, mask)
    np.testing.assert_allclose(lines.value, few(name)(kspace, maps, points), atol=1e-4)
    assert lines.iterations.shape == lines.residual.shape == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_its_members(key, name):
    one, other = problem(key), problem(jax.random.key(5))
    batch = [jnp.stack(pair) for pair in zip(one, other, strict=True)]
    method = few(name)
    both = method.solve(*batch)
    assert both.iterations.shape == both.residual.shape == (2,)
    for i, data in enumerate((one, other)):
        alone = method.solve(*data)
        np.testing.assert_allclose(both.value[i], alone.value, atol=1e-4)
        assert int(both.iterations[i]) == int(alone.iterations) == 20


@pytest.mark.parametrize("name", NAMES)
def test_without_penalty_full_sampling_gives_the_image_back_and_nothing_gives_nothing(key, name):
    maps = unit_maps(key, 2, (9, 8))
    cine, mask = complex_normal(key, (4, 9, 8)), jnp.ones((4, 9, 1), bool)
    weightless = build(name, **dict.fromkeys(WEIGHTS[name], 0.0), max_iterations=200)
    got = weightless(sense.forward(cine, maps, mask), maps, mask)
    np.testing.assert_allclose(got, cine, atol=2e-3)
    np.testing.assert_array_equal(few(name)(jnp.zeros((4, 2, 9, 8), jnp.complex64), maps, mask), 0)


@pytest.mark.parametrize("name", NAMES)
def test_units_of_the_data_do_not_matter(key, name):
    kspace, maps, mask = problem(key)
    large = few(name)(1000 * kspace, maps, mask)
    np.testing.assert_allclose(large, 1000 * few(name)(kspace, maps, mask), atol=0.2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", [{0: -1.0}, {0: float("nan")}, dict(tolerance=0.0), dict(max_iterations=0)])  # fmt: skip
def test_bad_settings_are_refused_in_one_line(name, change):
    change = {WEIGHTS[name][k] if k == 0 else k: v for k, v in change.items()}
    with pytest.raises(InputError, match=f"^{name} needs .*got[^\n]*$"):
        build(name, **change)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (dict(name="wavelet", num_levels=0), "num_levels >= 1"),
        (dict(name="llr", block=4, num_shifts=5), "1 <= num_shifts <= block"),
        (dict(name="l_plus_s", rule="eager"), "converged and otazo"),
    ],
)
def test_settings_of_one_method_are_refused_too(section, message):
    with pytest.raises(InputError, match=message):
        METHODS.build(section)


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_falls_and_ends_where_the_solver_does(key, name):
    data = problem(key)
    method = few(name)
    costs, cines = method.trace(*data, num_iterations=20, measure=lambda cine: cine)
    np.testing.assert_allclose(cines[-1], method(*data), atol=1e-4)
    assert costs.shape == (20,) and costs[-1] < costs[0]


@pytest.mark.parametrize("name", ["kt_sparse", "temporal_tv", "spatiotemporal_tv"])
def test_eight_coils_do_not_fill_lines_that_nobody_sampled_with_noise(name):
    """There a free mean of the frames is the inverse of the maps, applied to noise: far below the average of frames."""
    cine, data = simulated(num_coils=8)
    converged = build(name).solve(*data)
    average = psnr(METHODS.build({"name": "temporal_average"})(*data), cine)
    assert converged.converged and psnr(converged.value, cine) > average


def test_total_variation_satisfies_the_optimality_conditions(key):
    """With g = Eᴴ(Ex − y) + μ F_0ᴴF_0 (x − x̄): sums of g up to a frame are λ times the sign of the next difference."""
    kspace, maps, mask = problem(key)
    limits = dict(tolerance=1e-7, max_iterations=20000)
    method = build("temporal_tv", weight=0.05, mean_weight=0.7, cyclic=False, **limits)
    x = method(kspace, maps, mask)
    start = METHODS.build({"name": "temporal_average"})(kspace, maps, mask)
    gradient = sense.adjoint(sense.forward(x, maps, mask) - kspace, maps, mask)
    gradient += 0.7 * jnp.mean(x - start, axis=0, keepdims=True)
    sums = jnp.cumsum(gradient, axis=0)[:-1] / (0.05 * jnp.max(jnp.abs(start)))
    steps = jnp.diff(x, axis=0)
    assert jnp.abs(sums).max() < 1.01
    moving = jnp.abs(steps) > 1e-3
    assert 0.01 < moving.mean() < 0.99
    np.testing.assert_allclose(sums[moving], (steps / jnp.abs(steps))[moving], atol=2e-2)


def test_what_is_stopped_early_says_so(key):
    assert not few("kt_sparse").solve(*problem(key)).converged


def test_a_fixed_number_of_iterations_is_run_whatever_the_residual(key):
    data = problem(key)
    ended = build("kt_sparse", iterations=13).solve(*data)
    assert ended.iterations == 13 and not ended.converged
    plain = build("kt_sparse", tolerance=1e-9, max_iterations=13)(*data)
    np.testing.assert_allclose(ended.value, plain, atol=1e-6)
    loose = build("kt_sparse", tolerance=10.0, iterations=3).solve(*data)
    assert loose.iterations == 3 and loose.converged
    with pytest.raises(InputError, match="iterations >= 0"):
        METHODS.build({"name": "llr", "iterations": -1})


def test_total_variation_knows_whether_the_heart_beats_on(key):
    kspace, maps, mask = problem(key)
    shift = lambda a: jnp.roll(a, 1, axis=0)
    for cyclic in (True, False):
        method = few("temporal_tv", weight=0.05, cyclic=cyclic)
        moved = method(shift(kspace), maps, shift(mask))
        same = np.allclose(moved, shift(method(kspace, maps, mask)), atol=1e-4)
        assert same == cyclic
    assert METHODS.build({"name": "temporal_tv"}, cyclic=False) is not None


def test_otazos_rule_stops_far_from_its_minimum(heart):
    cine, data = heart
    weights = dict(low_rank_weight=0.003, sparse_weight=0.01)
    early = build("l_plus_s", rule="otazo", **weights).solve(*data)
    late = build("l_plus_s", **weights).solve(*data)
    assert early.iterations <= 50 and early.residual < 5e-3
    assert psnr(late.value, cine) > psnr(early.value, cine) + 0.2


@pytest.mark.parametrize("size", [(8, 12), (9, 5)])
def test_wavelets_are_orthonormal_and_inverted(key, size):
    image, other = complex_normal(key, (3, *size)), complex_normal(jax.random.key(1), (3, *size))
    forth, back = (jax.jit(f, static_argnums=1) for f in (analyse, synthesise))
    coefficients = forth(image, 3)
    assert coefficients.shape == image.shape
    np.testing.assert_allclose(back(coefficients, 3), image, atol=1e-5)
    np.testing.assert_allclose(jnp.linalg.norm(coefficients), jnp.linalg.norm(image), rtol=1e-5)
    left, right = jnp.vdot(other, coefficients), jnp.vdot(back(other, 3), image)
    np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-4)


def test_wavelets_of_a_ramp_vanish_but_at_its_ends(key):
    """Four taps have two vanishing moments; periodic images wrap round."""
    ramp = jnp.broadcast_to(jnp.arange(16.0), (16, 16)) + 0j
    details = np.abs(analyse(ramp, 1))
    np.testing.assert_allclose(details[:8, 8:15], 0, atol=1e-5)
    assert details[0, 15] > 1


@pytest.mark.parametrize("shift", [0, 3])
def test_blocks_hold_every_pixel_once(key, shift):
    cine = complex_normal(key, (3, 9, 14))
    blocks = to_blocks(cine, 4, shift)
    assert blocks.shape == (12, 3, 16)
    np.testing.assert_array_equal(from_blocks(blocks, 4, shift, (9, 14)), cine)
    np.testing.assert_allclose(jnp.linalg.norm(blocks), jnp.linalg.norm(cine), rtol=1e-6)
    other = complex_normal(jax.random.key(1), blocks.shape)
    left = jnp.vdot(other, blocks)
    right = jnp.vdot(from_blocks(other, 4, shift, (9, 14)), cine)
    np.testing.assert_allclose(left, right, rtol=1e-4)
