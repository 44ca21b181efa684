"""Gated cascades: begin at adaptive total variation, keep the symmetries of the data, and learn in every part."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri import models
from jdmri.classical import METHODS
from jdmri.classical.adaptive_tv import AdaptiveTV
from jdmri.errors import InputError
from jdmri.models.unrolled import gated, tv_family
from jdmri.models.unrolled.gate_body import depth_to_space, space_to_depth
from jdmri.ops import consistency, sense
from tests.helpers import networks
from tests.helpers.arrays import complex_normal

SIZE = (9, 7)
QUICK = jax.random.key(0, impl="rbg")  # initial parameters from it compile in half the time
example = jax.jit(partial(networks.example, size=SIZE), static_argnames=("frames", "num_coils"))


def build(**changes):
    return models.build(dict(name="gated", width=4, num_cascades=2) | changes)


def same(got, expected):
    np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())


def moved(variables, by=0.02):
    """Parameters of a network that has learnt something: the last layers are zero at first."""
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda p: p + np.float32(by) * rng.normal(size=p.shape).astype(np.float32), variables)  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    """Data, parameters, and the compiled network."""
    data = jax.device_get(example(jax.random.key(0)))
    network = build()
    variables = jax.device_get(jax.jit(network.init)(QUICK, *data))
    return data, variables, jax.jit(network.apply)


def test_untrained_it_is_adaptive_total_variation_with_data_consistency(trained):
    data, variables, apply = trained
    kspace, maps, mask = data
    expected = METHODS.build({"name": "adaptive_tv"})(*data)
    encoding, folded = jax.jit(sense.fold)(kspace, maps, mask)
    for _ in range(2):
        expected = consistency.soft(expected, folded, encoding, 0.3)
    np.testing.assert_allclose(apply(variables, *data), expected, atol=1e-5)


def test_it_follows_a_global_phase_and_a_roll_of_frames_and_nothing_else(trained):
    (kspace, maps, mask), variables, apply = trained
    variables = moved(variables)
    plain = np.asarray(apply(variables, kspace, maps, mask))
    assert np.abs(plain - apply(moved(variables), kspace, maps, mask)).max() > 1e-2
    turn = np.complex64(np.exp(0.9j))
    same(apply(variables, turn * kspace, maps, mask), turn * plain)
    rolled = apply(variables, np.roll(kspace, 2, 1), maps, np.roll(mask, 2, 1))
    same(rolled, np.roll(plain, 2, 1))
    order = [1, 0, 2, 3, 4]
    swapped = apply(variables, kspace[:, order], maps, mask[:, order])
    assert np.abs(swapped - plain[:, order]).max() > 0.1 * np.abs(plain).max()


def test_it_follows_a_static_phase_but_for_differences_in_space(trained, monkeypatch):
    """Neighbouring pixels of another phase differ more: total variation in space sees it, and so do the updates to neighbours."""
    (kspace, maps, mask), variables, _ = trained
    without = lambda k, m, s, settings: tv_family.tv_family(k, m, s, AdaptiveTV(spatial_weight=0.0))
    monkeypatch.setattr(gated, "tv_family", without)
    apply, variables = jax.jit(build().apply), moved(variables)
    in_space = [2 + 7 + i for i in range(4)]
    for index in range(2):
        gates = variables["params"][f"body_{index}"]["gates"]
        for name in ("kernel", "bias"):
            by_pixel = gates[name].reshape(*gates[name].shape[:-1], 4, -1)
            by_pixel[..., in_space] = 0
    turn = np.exp(1j * np.asarray(jax.random.normal(jax.random.key(2), SIZE))).astype(np.complex64)
    plain = apply(variables, kspace, maps, mask)
    turned = apply(variables, kspace, maps * turn.conj(), mask)
    same(turned, np.asarray(plain) * turn)


def test_gradients_reach_all_parameters_and_equal_finite_differences(trained):
    data, variables, _ = trained
    params = moved(variables)["params"]
    target = complex_normal(jax.random.key(4), (1, 5, *SIZE))
    loss = lambda p: jnp.mean(jnp.abs(build().apply({"params": p}, *data) - target) ** 2)
    both = jax.jit(jax.value_and_grad(loss))
    _, gradient = both(params)
    assert all(np.isfinite(g).all() and np.any(g) for g in jax.tree.leaves(gradient))
    size = np.sqrt(sum(np.sum(g**2) for g in jax.tree.leaves(gradient)))
    along = lambda h: jax.tree.map(lambda p, g: p + np.float32(h / size) * g, params, gradient)
    slope = (both(along(3e-3))[0] - both(along(-3e-3))[0]) / 6e-3
    np.testing.assert_allclose(slope, size, rtol=0.03)


def test_a_batch_is_its_members_and_no_gradient_flows_through_the_family(trained):
    (kspace, maps, mask), _, _ = trained
    other = jax.device_get(example(jax.random.key(7)))
    fewer = other[2] & (np.arange(9) % 4 == 0).reshape(1, 1, -1, 1)
    batch = [np.concatenate(p) for p in zip((kspace, maps, mask), (*other[:2], fewer), strict=True)]

    @jax.jit
    def family(kspace, maps, mask):
        total = lambda k: jnp.sum(jnp.abs(tv_family.tv_family(k, maps, mask, AdaptiveTV())))
        return tv_family.tv_family(kspace, maps, mask, AdaptiveTV()), jax.grad(total)(kspace)

    both, gradient = family(*batch)
    assert both.shape == (2, 4, 5, *SIZE) and not np.any(gradient)
    alone = METHODS.build({"name": "adaptive_tv"})
    np.testing.assert_allclose(both[:, 0], alone(*batch), atol=1e-5)
    shared = METHODS.build({"name": "view_sharing"})(*batch)
    np.testing.assert_allclose(both[:, 3], shared, atol=1e-5)
    rough = np.abs(np.diff(both, axis=2)).sum(axis=(2, 3, 4))
    assert np.all(rough[:, 2] < rough[:, 0]) and np.all(rough[:, 0] < rough[:, 1])


@pytest.mark.parametrize(
    ("frames", "num_coils", "fields"),
    [(1, 3, dict(cyclic=False)), (6, 1, dict(precision="bfloat16")), (4, 2, dict(depth=1, num_cascades=1))],
)  # fmt: skip
def test_any_frames_coils_and_settings_trace_in_float32(key, frames, num_coils, fields):
    data = example(key, frames=frames, num_coils=num_coils)
    cine, variables = jax.eval_shape(build(**fields).init_with_output, key, *data)
    assert cine.shape == (1, frames, *SIZE) and cine.dtype == jnp.complex64
    assert all(p.dtype == jnp.float32 for p in jax.tree.leaves(variables))


def test_a_full_mask_is_taken(key):
    kspace, maps, mask = example(key)
    points = jnp.broadcast_to(mask, (1, 5, *SIZE))
    cine, _ = jax.eval_shape(build().init_with_output, key, kspace, maps, points)
    assert cine.shape == (1, 5, *SIZE)


def test_parameters_do_not_depend_on_the_data(key):
    shapes = [
        jax.eval_shape(build().init, key, *example(key, frames=f, num_coils=n))
        for f, n in ((5, 1), (8, 4))
    ]
    assert shapes[0] == shapes[1]


def test_differences_end_where_time_does(key):
    x = complex_normal(key, (1, 3, 4, 5))
    before, after, *space = gated.to_neighbours(x, cyclic=False)
    np.testing.assert_array_equal(before[:, 0], 0)
    np.testing.assert_array_equal(after[:, -1], 0)
    np.testing.assert_allclose(before[:, 1], x[:, 0] - x[:, 1], atol=1e-6)
    np.testing.assert_allclose(after[:, 1], x[:, 2] - x[:, 1], atol=1e-6)
    assert len(space) == 4
    around, _ = gated.to_neighbours(x, cyclic=True)[:2]
    np.testing.assert_allclose(around[:, 0], x[:, -1] - x[:, 0], atol=1e-6)


def test_blocks_of_pixels_come_back(key):
    x = jax.random.normal(key, (3, 4, 6, 2))
    assert space_to_depth(x).shape == (3, 2, 3, 8)
    np.testing.assert_array_equal(depth_to_space(space_to_depth(x)), x)


def test_an_unknown_field_is_refused():
    with pytest.raises(InputError, match="does not take denoiser"):
        models.build(dict(name="gated", denoiser=dict(name="spacetime_cnn", width=4)))
