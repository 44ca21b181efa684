"""Each network can learn one series by heart: its squared error falls ten-fold in a stated number of steps."""

import jax
import jax.numpy as jnp
import optax
import pytest

from jdmri import masks, models, phantom
from jdmri.ops import sense

STEPS = 1200
NETWORKS = {
    "cnn3d": dict(name="cnn3d", width=24, depth=4),
    "cnn3d complex": dict(name="cnn3d", width=24, depth=8, downsample=True),
    "dual_unet": dict(name="dual_unet", num_frames=6, width=12, head_width=12, dropout=0.0),
    "frames_cnn": dict(name="frames_cnn", num_frames=6, width=48),
    "resnet": dict(name="resnet", num_blocks=4, width=32),
    "spacetime_cnn": dict(name="spacetime_cnn", width=32),
    "unet": dict(name="unet", width=16),
}


def test_every_denoiser_is_here():
    assert {fields["name"] for fields in NETWORKS.values()} == set(models.DENOISERS)


@pytest.mark.slow
@pytest.mark.parametrize("case", NETWORKS)
def test_overfits_one_phantom(case, key):
    cine, maps, *_ = phantom.simulate(key, num_frames=6, matrix=(32, 32))
    mask = masks.variable_density(acceleration=3.0, num_center_lines=4)(key, cine.shape)
    data = sense.forward(cine, maps, mask)[None], maps[None], mask[None]
    network = models.build(dict(name="denoise", denoiser=NETWORKS[case]))
    variables = network.init(key, *data)
    params, stats = variables["params"], variables.get("batch_stats", {})
    optimizer = optax.adam(optax.cosine_decay_schedule(3e-3, STEPS))

    def loss(params, stats):
        options = dict(train=True, mutable=["batch_stats"])
        estimate, changed = network.apply(
            {"params": params, "batch_stats": stats}, *data, **options
        )
        error = jnp.abs(estimate[0]) - jnp.abs(cine)  # what all of them can learn
        return jnp.mean(error**2), changed.get("batch_stats", {})

    @jax.jit
    def step(params, stats, state):
        (value, stats), grads = jax.value_and_grad(loss, has_aux=True)(params, stats)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), stats, state, value

    state, first = optimizer.init(params), None
    for _ in range(STEPS):
        params, stats, state, value = step(params, stats, state)
        first = value if first is None else first
    assert value < first / 10, (first, value)
