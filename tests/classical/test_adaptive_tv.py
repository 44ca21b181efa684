"""Motion-adaptive total variation: the plain iteration where nothing adapts, its symmetries, and what it is worth."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri import masks, metrics, phantom
from jdmri.classical import METHODS, adaptive_tv, solvers
from jdmri.classical.problem import restored
from jdmri.classical.total_variation import variation_problem
from jdmri.errors import InputError
from jdmri.ops import sense
from tests.helpers.arrays import complex_normal, unit_maps


@functools.cache
def build(name="adaptive_tv", **settings):
    """One object for equal settings: it is compiled once a shape."""
    return METHODS.build({"name": name, **settings})


def problem(key, *, num_coils=2, size=(9, 8), frames=4):
    maps = unit_maps(key, num_coils, size)
    mask = jax.random.bernoulli(key, 0.6, (frames, size[0], 1)).at[0].set(True)
    kspace = sense.forward(complex_normal(key, (frames, *size)), maps, mask)
    return kspace, maps, mask


@pytest.fixture(scope="module")
def heart():
    keys = jax.random.split(jax.random.key(3), 3)
    scan = phantom.simulate(keys[0], num_frames=12, matrix=(64, 64), num_coils=1)
    mask = masks.variable_density(acceleration=5.0, num_center_lines=5)(keys[1], scan.cine.shape)
    sigma = 0.02 * float(jnp.percentile(jnp.abs(scan.cine), 99))
    kspace = sense.acquire(keys[2], scan.cine, scan.maps, mask, sigma)
    return np.asarray(scan.cine), (kspace, scan.maps, mask)


@pytest.mark.parametrize("num_coils", [1, 2])
@pytest.mark.parametrize("cyclic", [True, False])
def test_with_one_weight_it_is_the_plain_iteration(key, num_coils, cyclic):
    data = problem(key, num_coils=num_coils)
    mask = data[2]
    spatial = 2e-3 * mask.size / float(jnp.sum(mask))
    series = adaptive_tv.shared(*data, cyclic)
    weights = {0: 0.02, -2: spatial, -1: spatial}
    algorithm = variation_problem(weights, 0.0, cyclic, series).algorithm
    after = lambda count: solvers.trace(
        algorithm._replace(certify=lambda state: (state[0], 0)), num_iterations=count, measure=lambda x: x
    )  # fmt: skip
    expected = restored(after(35)[-1], mask)
    settings = dict(weight=0.02, spatial_weight=2e-3, iterations=5, cyclic=cyclic)
    for same in (dict(power=0.0), dict(cap=1.0)):
        got = build(**settings, **same).solve(*data)
        np.testing.assert_allclose(got.value, expected, atol=1e-5)
        assert got.iterations == 35 and not got.converged and got.residual > 0


def test_a_line_mask_is_a_special_mask_of_points(key):
    kspace, maps, mask = problem(key)
    points = jnp.broadcast_to(mask, (*mask.shape[:2], 8))
    np.testing.assert_allclose(build()(kspace, maps, mask), build()(kspace, maps, points), atol=1e-4)  # fmt: skip


def test_a_batch_is_its_members_each_with_its_own_iterations(key):
    one, other = problem(key), problem(jax.random.key(5))
    other = (other[0], other[1], other[2] & (jnp.arange(9) == 4)[None, :, None])  # R 9 and more
    batch = [jnp.stack(pair) for pair in zip(one, other, strict=True)]
    both = build().solve(*batch)
    assert both.iterations[0] == 50 < both.iterations[1] <= 190
    for i, data in enumerate((one, other)):
        np.testing.assert_allclose(both.value[i], build()(*data), atol=1e-4)


@pytest.mark.parametrize(("accelerated", "count"), [(1.0, 20), (8.0, 20), (10.0, 61), (12.5, 160)])
def test_the_first_iterations_grow_beyond_eight(accelerated, count):
    assert int(adaptive_tv.AdaptiveTV().first_iterations(accelerated)) == count


def test_acceleration_is_that_of_the_mask(key):
    mask = jnp.zeros((4, 12, 1), bool).at[:, ::3].set(True)
    assert float(adaptive_tv.acceleration(mask)) == pytest.approx(3)


@pytest.mark.parametrize("size", [(9, 8), (8, 7)])
def test_full_sampling_without_noise_gives_the_image_back(key, size):
    maps, cine = unit_maps(key, 2, size), complex_normal(key, (4, *size))
    mask = jnp.ones((4, size[0], 1), bool)
    kspace = sense.forward(cine, maps, mask)
    exact = build(weight=0.0, spatial_weight=0.0)(kspace, maps, mask)
    np.testing.assert_allclose(exact, cine, atol=2e-5)
    largest = np.abs(cine).max()
    assert np.abs(build()(kspace, maps, mask) - cine).max() < 0.1 * largest
    nothing = build()(jnp.zeros_like(kspace), maps, mask)
    np.testing.assert_array_equal(nothing, 0)


def test_units_and_the_phase_of_the_data_do_not_matter(key):
    kspace, maps, mask = problem(key)
    got = build()(kspace, maps, mask)
    assert got.dtype == jnp.complex64
    for factor in (1000.0, np.exp(0.7j)):
        changed = build()((factor * kspace).astype(jnp.complex64), maps, mask)
        np.testing.assert_allclose(changed, factor * got, atol=3e-4 * abs(factor))


def test_it_knows_whether_the_heart_beats_on(key):
    kspace, maps, mask = problem(key)
    shift = lambda a: jnp.roll(a, 1, axis=0)
    for cyclic in (True, False):
        moved = build(cyclic=cyclic)(shift(kspace), maps, shift(mask))
        same = np.allclose(moved, shift(build(cyclic=cyclic)(kspace, maps, mask)), atol=1e-4)
        assert same == cyclic


@pytest.mark.parametrize("cyclic", [True, False])
def test_one_frame_is_reconstructed(key, cyclic):
    kspace, maps, mask = problem(key, frames=1)
    assert np.isfinite(build(cyclic=cyclic)(kspace, maps, mask)).all()


def test_more_motion_gets_less_weight():
    cine = jnp.zeros((4, 32, 32), jnp.complex64).at[::2, :8].set(1.0)
    weight = np.asarray(adaptive_tv.AdaptiveTV().weight_map(cine, 1.0))
    assert weight.shape == (1, 32, 32) and weight[0, 2, 5] < 0.0055 < weight[0, 28, 5]
    np.testing.assert_allclose([weight.min(), weight.max()], [0.0055 / 2, 0.0055 * 2], rtol=1e-5)


def test_it_beats_one_weight_converged_or_stopped_early(heart):
    cine, data = heart
    region = (slice(None), *metrics.heart_region(cine))
    psnr = lambda x: metrics.METRICS.build({"name": "psnr"})(np.asarray(x)[region], cine[region])
    adaptive = psnr(build()(*data))
    assert adaptive > psnr(build(power=0.0)(*data)) > psnr(build("view_sharing")(*data)) + 1
    assert adaptive > psnr(build("spatiotemporal_tv", weight=0.0055, iterations=300)(*data))


@pytest.mark.parametrize(
    "setting", [dict(weight=-1.0), dict(power=float("nan")), dict(blur=0.0), dict(cap=0.5), dict(iterations=0), dict(iterations=200), dict(map_iterations=0), dict(num_maps=-1)]
)  # fmt: skip
def test_bad_settings_are_refused_in_one_line(setting):
    with pytest.raises(InputError, match=r"^adaptive_tv needs .*got[^\n]*$"):
        METHODS.build({"name": "adaptive_tv", **setting})
