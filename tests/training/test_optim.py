"""Optimizers and schedules by their formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri.errors import InputError
from jdmri.training import optim


def test_adam_couples_the_decay_and_spares_biases():
    section = dict(
        name="adam",
        learning_rate=0.1,
        weight_decay=0.5,
        clip_norm=0.0,
        schedule=dict(name="constant"),
    )
    optimizer, schedule = optim.build(section, 10)
    params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    zero = jax.tree.map(jnp.zeros_like, params)
    updates, _ = optimizer.update(zero, optimizer.init(params), params)
    # With a zero gradient the coupled decay is normalised by Adam to a full step.
    np.testing.assert_allclose(updates["kernel"], -0.1, rtol=1e-4)
    np.testing.assert_array_equal(updates["bias"], 0)
    assert schedule(3) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("section", "first", "second"),
    [  # parameter after one and two steps with gradients 2 and 1, from 0
        (dict(name="sgd"), -0.2, -0.3),
        (dict(name="sgd", momentum=0.9), -0.2, -0.2 - 0.1 * (0.9 * 2 + 1)),
        (dict(name="rmsprop", decay=0.9), -0.1 * 2 / np.sqrt(0.4), -0.1 * (2 / np.sqrt(0.4) + 1 / np.sqrt(0.46))),
        (dict(name="adagrad"), -0.1 * 2 / np.sqrt(4.1), -0.1 * (2 / np.sqrt(4.1) + 1 / np.sqrt(5.1))),
    ],
)  # fmt: skip
def test_optimizers_by_formula(section, first, second):
    section |= dict(learning_rate=0.1, clip_norm=0.0, schedule=dict(name="constant"))
    optimizer, _ = optim.build(section, 10)
    params, state = jnp.zeros(()), optimizer.init(jnp.zeros(()))
    for gradient, wanted in ((2.0, first), (1.0, second)):
        updates, state = optimizer.update(jnp.float32(gradient), state, params)
        params = params + updates
        np.testing.assert_allclose(params, wanted, rtol=1e-4)


def test_schedules_by_formula():
    step = optim.step(learning_rate=1.0, num_steps=100, milestones=(0.5, 0.75), factor=0.1)
    np.testing.assert_allclose(
        [step(0), step(49), step(51), step(80)], [1, 1, 0.1, 0.01], rtol=1e-5
    )
    rise = optim.geometric(learning_rate=1.0, num_steps=101, start=1e-4)
    np.testing.assert_allclose([rise(0), rise(50), rise(100)], [1e-4, 1e-2, 1], rtol=1e-4)
    with pytest.raises(InputError, match="milestones are fractions"):
        optim.step(learning_rate=1.0, num_steps=10, milestones=(5,))


def test_warmup_cosine_rises_and_falls_to_zero():
    schedule = optim.warmup_cosine(learning_rate=1.0, num_steps=100, warmup=0.1)
    assert schedule(0) == pytest.approx(1e-7, abs=1e-7) and schedule(10) == pytest.approx(1)
    assert schedule(100) == pytest.approx(0, abs=1e-6) and schedule(55) == pytest.approx(0.5)
