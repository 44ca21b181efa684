"""The convolutions for a CPU and the plain ones: equal in value and gradient, with the same parameters; precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jdmri import models
from jdmri.errors import InputError
from jdmri.models.layers import convolution, weight_gradient
from jdmri.models.layers.precision import compute_in
from tests.helpers.networks import CASES, example

# The dual UNet is dear to compile; its layers are those of the others.
LIGHT = [pytest.param(c, marks=[pytest.mark.slow] * c.startswith("dual")) for c in CASES]


def close(a, b):
    np.testing.assert_allclose(a, b, atol=1e-5 * np.abs(b).max())


def pulled(convolve, pull):
    """Compile a convolution and its gradients, anew: tests change what it is traced with."""

    def both(*arguments):
        result, back = jax.vjp(convolve, *arguments)
        return result, back(pull)

    return jax.jit(both)


@pytest.mark.parametrize(
    ("rows", "size", "image"),  # all pairs
    [
        (1, (3, 3), (9, 8)), (1, (7, 5), (12, 13)), (1, (1, 1), (9, 8)),
        (4, (3, 3), (12, 13)), (4, (7, 5), (9, 8)), (4, (1, 1), (12, 13)),
        (100, (3, 3), (9, 8)), (100, (7, 5), (12, 13)), (100, (1, 1), (9, 8)),
    ],
)  # fmt: skip
def test_the_weight_gradient_in_strips_is_the_plain_one(key, monkeypatch, rows, size, image):
    # So many rows fill the cache.
    strip = 4 * image[1] * (3 * size[1] + 5 * size[0]) * rows
    monkeypatch.setattr(weight_gradient, "_STRIP_BYTES", strip)
    keys = jax.random.split(key, 3)
    x = jax.random.normal(keys[0], (2, *image, 3))
    kernel = jax.random.normal(keys[1], (*size, 3, 5))
    weight = jax.random.normal(keys[2], (2, *image, 5))
    padding = [(s // 2, s // 2) for s in size]
    plain = lambda x, k: lax.conv_general_dilated(
        x, k, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    jax.tree.map(
        close, *(pulled(convolve, weight)(x, kernel) for convolve in (convolution.conv2d, plain))
    )


@pytest.mark.parametrize(
    ("strip", "shape", "kernel", "channels"),  # all pairs
    [
        (1, (2, 3, 9, 8), (3, 3, 3), (3, 20)), (3000, (1, 1, 13, 6), (3, 3, 3), (17, 5)), (1, (1, 1, 13, 6), (3, 3, 3), (17, 2)),
        (3000, (1, 1, 13, 6), (1, 5, 3), (3, 20)), (1, (2, 3, 9, 8), (1, 5, 3), (17, 5)), (3000, (2, 3, 9, 8), (1, 5, 3), (17, 2)),
        (1, (2, 3, 9, 8), (5, 1, 1), (3, 20)), (3000, (1, 1, 13, 6), (5, 1, 1), (17, 5)), (1, (1, 1, 13, 6), (5, 1, 1), (17, 2)),
    ],
)  # fmt: skip
def test_a_3d_convolution_by_frames_is_the_plain_one(
    key, monkeypatch, strip, shape, kernel, channels
):
    monkeypatch.setattr(weight_gradient, "_STRIP_BYTES", strip)
    batch, frames, *image = shape
    keys = jax.random.split(key, 3)
    x = jax.random.normal(keys[0], (batch, frames + kernel[0] - 1, *image, channels[0]))
    weights = jax.random.normal(keys[1], (*kernel, *channels))
    pull = jax.random.normal(keys[2], (*shape, channels[1]))

    ours, theirs = convolution.conv3d_by_frames, convolution.conv3d
    jax.tree.map(close, *(pulled(convolve, pull)(x, weights) for convolve in (ours, theirs)))


def test_strips_are_as_good_under_vmap_and_in_a_loop(key):
    x = jax.random.normal(key, (3, 2, 10, 8, 4))
    kernel = jax.random.normal(key, (3, 3, 4, 4))

    def by(convolve):
        mapped = lambda k: jnp.sum(jax.vmap(lambda one: convolve(one, k))(x) ** 2)
        looped = lambda k: jnp.sum(lax.scan(lambda a, _: (convolve(a, k), None), x[0], length=2)[0])
        return jax.grad(mapped)(kernel), jax.grad(looped)(kernel)

    plain = lambda x, k: lax.conv_general_dilated(
        x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    jax.tree.map(close, by(convolution.conv2d), by(plain))


@pytest.mark.parametrize("case", LIGHT)
def test_every_denoiser_is_the_same_on_a_cpu_and_on_an_accelerator(key, monkeypatch, case):
    network = models.build(dict(name="denoise", denoiser=CASES[case]))
    data = example(key, size=(12, 14))
    variables = jax.jit(network.init)(key, *data)
    params = jax.tree.map(lambda p: p + 0.05 * jax.random.normal(key, p.shape), variables["params"])
    rest = {k: v for k, v in variables.items() if k != "params"}

    def value_and_gradient():
        loss = lambda p: jnp.sum(jnp.abs(network.apply({"params": p, **rest}, *data)) ** 2)
        return jax.jit(jax.value_and_grad(loss))(params)

    fast = value_and_gradient()
    monkeypatch.setattr(convolution, "on_cpu", lambda: False)
    plain_shapes = jax.eval_shape(network.init, key, *data)
    assert jax.tree.map(jnp.shape, variables) == jax.tree.map(jnp.shape, plain_shapes)
    scale = max(np.abs(g).max() for g in jax.tree.leaves(fast[1]))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * scale),
        fast,
        value_and_gradient(),
    )


@pytest.mark.parametrize("case", LIGHT)
def test_bfloat16_changes_a_network_a_little_and_leaves_float32_outside(key, case):
    section = dict(name="denoise", denoiser=CASES[case])
    network = models.build(section)
    narrow = models.build(section, precision="bfloat16")
    data = example(key, size=(12, 14))
    variables = jax.tree.map(lambda p: p + 0.02, jax.jit(narrow.init)(key, *data))
    assert all(a.dtype == jnp.float32 for a in jax.tree.leaves(variables))
    full, half = (jax.jit(n.apply)(variables, *data) for n in (network, narrow))
    assert half.dtype == jnp.complex64
    error = np.linalg.norm(half - full) / np.linalg.norm(full)
    assert 1e-6 < error < 0.05


def test_bfloat16_reaches_the_convolutions(key):
    section = dict(name="cascade", num_cascades=1, denoiser=CASES["spacetime_cnn"])
    network = models.build(section, precision="bfloat16")
    data = example(key)
    variables = jax.eval_shape(network.init, key, *data)
    text = str(jax.make_jaxpr(network.apply)(variables, *data))
    assert "conv_general_dilated" in text and "bf16" in text


@pytest.mark.parametrize(("precision", "product"), [("float32", "HIGHEST"), ("tf32", "HIGH,")])
def test_products_on_an_accelerator_are_as_precise_as_told(key, monkeypatch, precision, product):
    monkeypatch.setattr(convolution, "on_cpu", lambda: False)
    network = models.build(dict(name="denoise", denoiser=CASES["cnn3d"]), precision=precision)
    data = example(key)
    variables = jax.eval_shape(network.init, key, *data)
    assert product in str(jax.make_jaxpr(network.apply)(variables, *data))


def test_an_unknown_precision_is_refused():
    with pytest.raises(InputError, match="precision must be one of"), compute_in("half"):
        pass
