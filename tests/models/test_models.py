"""Networks and their layers: equal to plain definitions, gradients, counts, contracts."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jdmri import models
from jdmri.errors import InputError
from jdmri.models.layers import basic, convolution
from jdmri.models.unrolled import rounds
from jdmri.ops import sense
from tests.helpers.arrays import complex_normal
from tests.helpers.networks import CASES, count, example

# The dual UNet is dear to compile, and one of its forms is enough for every day.
DEAR = ("dual_unet single",)
EVERY = [pytest.param(c, marks=[pytest.mark.slow] * (c in DEAR)) for c in CASES]
FIXED_FRAMES = [case for case, fields in CASES.items() if "num_frames" in fields]


@pytest.mark.parametrize(
    ("channels", "features", "cyclic", "kernel", "stride"),  # all pairs
    [
        (2, 5, True, (3, 3, 3), 1), (2, 5, False, (3, 7, 7), 2), (2, 5, True, (1, 3, 3), 1),
        (6, 5, False, (3, 3, 3), 1), (6, 5, True, (3, 7, 7), 2), (6, 5, False, (1, 3, 3), 1),
        (6, 2, True, (3, 3, 3), 1), (6, 2, False, (3, 7, 7), 2), (6, 2, True, (1, 3, 3), 1),
    ],
)  # fmt: skip
def test_conv3d_equals_the_plain_one(key, channels, features, cyclic, kernel, stride):
    x = jax.random.normal(key, (2, 5, 8, 9, channels))
    layer = basic.Conv3D(features, kernel, stride, cyclic=cyclic)
    variables = jax.jit(layer.init)(key, x)

    def plain(kernel_values):
        pad = [(0, 0), (kernel[0] // 2,) * 2, (kernel[1] // 2,) * 2, (kernel[2] // 2,) * 2, (0, 0)]
        wrapped = jnp.pad(
            x,
            [p if i == 1 else (0, 0) for i, p in enumerate(pad)],
            mode="wrap" if cyclic else "constant",
        )
        return lax.conv_general_dilated(
            wrapped, kernel_values, (1, stride, stride), [(0, 0), pad[2], pad[3]],
            dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
        )  # fmt: skip

    def both(convolve):
        """Value and gradient of its sum of squares."""
        value, back = jax.vjp(convolve, variables["params"]["kernel"])
        return value, back(2 * value)[0]

    ours = lambda k: layer.apply({"params": variables["params"] | {"kernel": k}}, x)
    (value, gradient), expected = jax.jit(lambda: (both(ours), both(plain)))()
    np.testing.assert_allclose(value, expected[0], atol=1e-4)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(
    ("frames", "width", "cyclic", "cpu"),  # all pairs
    [(5, 3, True, True), (5, 3, False, False), (6, 5, True, False), (6, 5, False, True), (1, 3, True, True), (1, 3, False, False)],
)  # fmt: skip
def test_time_conv_equals_conv3d(key, monkeypatch, cyclic, cpu, frames, width):
    x = jax.random.normal(key, (2, frames, 3, 4, 6))
    layer = basic.TimeConv(4, width, cyclic=cyclic)
    kernel = layer.init(key, x)["params"]["kernel"].reshape(width, 6, 4)
    conv = basic.Conv3D(4, (width, 1, 1), use_bias=False, cyclic=cyclic)
    bias = jax.random.normal(key, (4,))
    plain = lambda x, k: (
        conv.apply({"params": {"kernel": k[:, None, None]}}, x) + bias.reshape(1, 1, 1, 1, 4)
    )
    ours = lambda x, k: layer.apply({"params": {"kernel": k.reshape(-1, 4), "bias": bias}}, x)

    def both(convolve):
        """Value and gradients of its sum of squares."""
        value, back = jax.vjp(convolve, x, kernel)
        return value, back(2 * value)

    expected = jax.jit(lambda: both(plain))()
    monkeypatch.setattr(convolution, "on_cpu", lambda: cpu)
    value, gradients = jax.jit(lambda: both(ours))()
    np.testing.assert_allclose(value, expected[0], atol=1e-5)
    for a, b in zip(gradients, expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_up_sampling_equals_the_transposed_convolution(key):
    x = jax.random.normal(key, (2, 4, 5, 6))
    layer = basic.UpSample2x(3)
    variables = layer.init(key, x)
    kernel = variables["params"]["up"]["kernel"].transpose(1, 2, 0, 3)[::-1, ::-1]  # y x c f
    expected = lax.conv_transpose(
        x, kernel, (2, 2), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    np.testing.assert_allclose(layer.apply(variables, x), expected, atol=1e-5)


def test_pooling_equals_flax(key):
    x = jax.random.normal(key, (2, 4, 6, 3))
    np.testing.assert_array_equal(basic.max_pool2x(x), nn.max_pool(x, (2, 2), (2, 2)))
    ours = jax.grad(lambda x: (basic.max_pool2x(x) ** 2).sum())(x)
    theirs = jax.grad(lambda x: (nn.max_pool(x, (2, 2), (2, 2)) ** 2).sum())(x)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    v = jax.random.normal(key, (2, 3, 4, 6, 3))
    np.testing.assert_array_equal(basic.max_pool3(v), nn.max_pool(v, (3, 3, 3), padding="SAME"))


def test_batch_norm_equals_flax(key):
    x = 3 + 2 * jax.random.normal(key, (4, 5, 6, 3))
    ours, theirs = basic.BatchNorm(), nn.BatchNorm(momentum=0.9, use_running_average=False)
    y, ours_state = ours.init_with_output(key, x, True)
    z, theirs_state = theirs.init_with_output(key, x)
    np.testing.assert_allclose(y, z, atol=1e-4)
    y, ours_state = ours.apply(ours_state, x, True, mutable=["batch_stats"])
    _, theirs_state = theirs.apply(theirs_state, x, mutable=["batch_stats"])
    for name in ("mean", "var"):
        np.testing.assert_allclose(
            ours_state["batch_stats"][name], theirs_state["batch_stats"][name], rtol=1e-4
        )


def test_channels_round_trip(key):
    cine = complex_normal(key, (2, 3, 4, 5))
    np.testing.assert_array_equal(basic.from_channels(basic.to_channels(cine)), cine)


@pytest.mark.parametrize(("faithful", "stride"), [(True, 2), (False, 1)])
def test_dual_unet_has_the_published_size(key, faithful, stride):
    denoiser = dict(name="dual_unet", num_frames=20, faithful=faithful, head_stride=stride)
    model = models.build(dict(name="denoise", denoiser=denoiser))
    shapes = jax.eval_shape(model.init, key, *example(key, frames=20, size=(16, 16), num_coils=1))
    assert count(shapes) / 1e6 == pytest.approx(63.3, abs=0.2)


@pytest.mark.parametrize(
    ("denoiser", "published", "tolerance"),
    [
        (dict(name="unet"), 1.3e6, 0.1),  # S3
        (dict(name="resnet"), 0.1e6, 0.2),  # S3: "100,000", "less than 0.1 million"
        (dict(name="cnn3d", depth=5, width=64), 0.34e6, 0.02),  # Schlemper, one cascade
    ],
)
def test_published_parameter_counts(key, denoiser, published, tolerance):
    model = models.build(dict(name="denoise", denoiser=denoiser))
    shapes = jax.eval_shape(model.init, key, *example(key, size=(16, 16), num_coils=1))
    assert count(shapes) == pytest.approx(published, rel=tolerance)


@pytest.mark.parametrize("case", EVERY)
def test_an_untrained_denoiser_returns_its_input(key, case):
    network = models.DENOISERS.build(CASES[case])
    cine = complex_normal(key, (1, 5, 11, 14))
    result, _ = jax.jit(network.init_with_output)(key, cine)
    np.testing.assert_allclose(result, cine, atol=1e-5)


@pytest.mark.parametrize("name", ["unet", "resnet"])
def test_magnitude_networks_keep_the_phase_and_see_single_frames(key, name):
    network = models.DENOISERS.build(CASES[name])
    cine = complex_normal(key, (1, 5, 12, 8))
    variables = jax.tree.map(lambda p: p + 0.02, jax.jit(network.init)(key, cine))
    apply = jax.jit(network.apply)
    result = apply(variables, cine)
    assert np.abs(result - cine).max() > 1e-3
    real = np.asarray(result * jnp.conj(cine))
    np.testing.assert_allclose(real.imag, 0, atol=1e-4)
    swapped = apply(variables, cine[:, ::-1])
    np.testing.assert_allclose(swapped[:, ::-1], result, atol=1e-5)


def test_every_denoiser_is_tested():
    assert {fields["name"] for fields in CASES.values()} == set(models.DENOISERS)


@pytest.mark.parametrize(
    ("case", "model"),
    [
        *(pytest.param(*one.values, "denoise", marks=one.marks) for one in EVERY),
        ("frames_cnn", "cascade"),
        ("unet", "cascade"),
    ],
)
def test_every_network_has_finite_gradients_and_reaches_all_parameters(key, case, model):
    extra = dict(num_cascades=1 if "unet" in case else 2) if model == "cascade" else {}
    network = models.build(dict(name=model, denoiser=CASES[case], **extra))
    data = example(key)
    variables = jax.jit(network.init)(key, *data)
    # Zero-initialised outputs would hide gradients of what lies before them.
    params = jax.tree.map(lambda p: p + 0.1 * jax.random.normal(key, p.shape), variables["params"])
    rest = {k: v for k, v in variables.items() if k != "params"}

    def loss(params):
        cine = network.apply({"params": params, **rest}, *data)
        return jnp.sum(jnp.abs(cine - 1) ** 2)

    grads = jax.tree_util.tree_leaves_with_path(jax.jit(jax.grad(loss))(params))
    for path, g in grads:
        assert np.isfinite(g).all(), path
        assert np.any(g), jax.tree_util.keystr(path)


@pytest.mark.parametrize("case", EVERY)
def test_output_is_a_complex_cine_of_any_size(key, case):
    network = models.build(dict(name="cascade", num_cascades=1, denoiser=CASES[case]))
    data = example(key)
    variables = jax.jit(network.init)(key, *data)
    apply = jax.jit(network.apply)
    cine = apply(variables, *data)
    assert cine.shape == (1, 5, 18, 17) and cine.dtype == jnp.complex64
    larger = example(key, size=(24, 20))
    assert apply(variables, *larger).shape == (1, 5, 24, 20)


@pytest.mark.parametrize("case", FIXED_FRAMES)
def test_wrong_number_of_frames_is_refused(key, case):
    network = models.build(dict(name="denoise", denoiser=CASES[case]))
    with pytest.raises(InputError, match="built for 5 frames, the series has 8"):
        network.init(key, *example(key, frames=8))


def test_spacetime_cnn_takes_any_number_of_frames(key):
    network = models.build(dict(name="cascade", denoiser=dict(name="spacetime_cnn", width=4)))
    variables = jax.eval_shape(network.init, key, *example(key))
    longer = jax.eval_shape(network.apply, variables, *example(key, frames=8))
    assert longer.shape[1] == 8


def test_spacetime_cnn_commutes_with_a_roll_of_cyclic_frames(key):
    denoiser = models.SpaceTimeCNN(width=4)
    cine = complex_normal(key, (1, 6, 9, 8))
    variables = jax.jit(denoiser.init)(key, cine)
    variables = jax.tree.map(lambda p: p + 0.1, variables)
    apply = jax.jit(denoiser.apply)
    rolled = apply(variables, jnp.roll(cine, 2, axis=1))
    np.testing.assert_allclose(rolled, jnp.roll(apply(variables, cine), 2, axis=1), atol=1e-4)


@pytest.mark.parametrize("memory", rounds.MEMORY)
def test_shared_cascade_repeats_one_denoiser(key, memory):
    section = dict(
        name="cascade", num_cascades=3, denoiser=dict(name="frames_cnn", num_frames=5, width=4)
    )
    data = example(key)
    shapes = lambda **fields: jax.eval_shape(models.build(section | fields).init, key, *data)
    shared, own = shapes(shared=True, memory=memory), shapes(shared=False)
    assert set(shared["params"]) == {"denoiser", "weight_0", "weight_1", "weight_2"}
    assert count(own) - 3 == 3 * (count(shared) - 3)


@pytest.mark.parametrize("memory", ["remat", "scan_remat"])
@pytest.mark.parametrize("name", ["cascade", "modl", "varnet"])
def test_a_memory_policy_changes_nothing_but_memory(key, name, memory):
    section = dict(name=name, num_cascades=2, denoiser=dict(name="spacetime_cnn", width=4))
    data = example(key)
    plain, saving = models.build(section), models.build(section | dict(memory=memory))
    variables = jax.jit(plain.init)(key, *data)
    variables = jax.tree.map(lambda p: p + 0.05, variables)
    loss = lambda m: lambda v: jnp.sum(jnp.abs(m.apply(v, *data)) ** 2)
    gradient = lambda m: jax.jit(jax.grad(loss(m)))(variables)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * np.abs(a).max()),
        gradient(plain),
        gradient(saving),
    )


def test_a_scan_trains_with_dropout_and_draws_anew_in_each_round(key):
    denoiser = dict(name="cnn3d", width=4, depth=2, dropout=0.5)
    section = dict(name="cascade", num_cascades=2, denoiser=denoiser, memory="scan_remat")
    network, data = models.build(section), example(key)
    variables = jax.tree.map(lambda p: p + 0.1, jax.jit(network.init)(key, *data))

    @jax.jit
    def trained(number):
        rngs = {"dropout": jax.random.key(number)}
        options = dict(train=True, rngs=rngs, mutable=["batch_stats"])
        return network.apply(variables | {"batch_stats": {}}, *data, **options)[0]

    np.testing.assert_array_equal(trained(1), trained(1))
    assert np.abs(trained(1) - trained(2)).max() > 1e-3


def test_a_scan_over_batch_statistics_is_refused(key):
    denoiser = dict(name="cnn3d", width=4, batch_norm=True)
    section = dict(name="cascade", num_cascades=2, denoiser=denoiser)
    data = example(key)
    variables = jax.eval_shape(models.build(section).init, key, *data)
    with pytest.raises(InputError, match="without batch normalisation; use remat"):
        jax.eval_shape(models.build(section | dict(memory="scan_remat")).apply, variables, *data)


@pytest.mark.parametrize("start", ["zero_filled", "temporal_average", "view_sharing"])
def test_untrained_hard_cascade_is_consistent_and_starts_where_told(key, start):
    from jdmri.classical import METHODS

    denoiser = dict(name="frames_cnn", num_frames=5, width=4)
    network = models.build(
        dict(name="cascade", consistency="hard", start=start, denoiser=denoiser, num_cascades=1)
    )
    kspace, maps, mask = example(key, num_coils=1)
    maps = jnp.ones_like(maps)
    variables = jax.jit(network.init)(key, kspace, maps, mask)
    cine = jax.jit(network.apply)(variables, kspace, maps, mask)
    expected = METHODS.build({"name": start})(kspace, maps, mask)
    np.testing.assert_allclose(cine, expected, atol=1e-5)
    np.testing.assert_allclose(sense.forward(cine, maps, mask), kspace, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(name="cascada"), "Did you mean 'cascade'"),
        (dict(num_cascade=2), "does not take num_cascade"),
        (dict(start="zeros"), "unknown start 'zeros'"),
        (dict(consistency="firm"), "soft or hard"),
        (dict(denoiser=dict(name="unet3")), "unknown denoiser"),
        (dict(denoiser=dict(name="frames_cnn")), "needs num_frames"),
        (
            dict(denoiser=dict(name="dual_unet", num_frames=5, attention="some")),
            "attention must be one of",
        ),
    ],
)
def test_wrong_settings_are_refused_with_what_exists(key, change, message):
    section = dict(name="cascade", denoiser=dict(name="spacetime_cnn", width=4)) | change
    with pytest.raises(InputError, match=message):
        models.build(section).init(key, *example(key))
