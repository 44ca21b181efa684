"""Optimizers and learning-rate schedules, from optax, by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import optax

from jdmri.errors import InputError
from jdmri.runtime.registry import Registry

OPTIMIZERS = Registry("optimizer")
SCHEDULES = Registry("schedule")


@SCHEDULES.register("constant")
def constant(*, learning_rate: float) -> optax.Schedule:
    """Keep the learning rate."""
    return optax.constant_schedule(learning_rate)


@SCHEDULES.register("warmup_cosine")
def warmup_cosine(*, learning_rate: float, num_steps: int, warmup: float = 0.05) -> optax.Schedule:
    """Rise linearly from 1e-7 over a fraction ``warmup`` of the steps, then fall to 0 as a cosine (S0)."""
    if not 0 <= warmup < 1:
        raise InputError(f"schedule.warmup is a fraction of the steps in [0, 1), got {warmup:g}.")
    rise = round(warmup * num_steps)
    return optax.warmup_cosine_decay_schedule(1e-7, learning_rate, rise, max(num_steps, rise + 1))


@SCHEDULES.register("step")
def step(
    *,
    learning_rate: float,
    num_steps: int,
    milestones: Sequence[float] = (0.5, 0.75),
    factor: float = 0.1,
) -> optax.Schedule:
    """Multiply the learning rate by ``factor`` at each of ``milestones``, fractions of the steps."""
    if any(not 0 < m < 1 for m in milestones):
        raise InputError(
            f"schedule.milestones are fractions of the steps in (0, 1), got {tuple(milestones)}."
        )
    falls = {round(m * num_steps): factor for m in milestones}
    return optax.piecewise_constant_schedule(learning_rate, falls)


@SCHEDULES.register("geometric")
def geometric(*, learning_rate: float, num_steps: int, start: float = 1e-6) -> optax.Schedule:
    """Rise from ``start`` to the learning rate by a constant factor: the range test (Smith 2017)."""
    return lambda count: start * (learning_rate / start) ** (count / max(num_steps - 1, 1))


@OPTIMIZERS.register("adam")
def adam(*, schedule: optax.Schedule, weight_decay: float = 0.0) -> optax.GradientTransformation:
    """Adam with coupled decay: the gradient of ``½ w‖θ‖²`` enters the moments (S0).

    As PyTorch's Adam, but only kernels decay, not biases and norms.
    """
    return optax.chain(
        optax.add_decayed_weights(weight_decay, mask=_decayed),
        optax.scale_by_adam(),
        optax.scale_by_learning_rate(schedule),
    )


@OPTIMIZERS.register("adamw")
def adamw(*, schedule: optax.Schedule, weight_decay: float = 1e-4) -> optax.GradientTransformation:
    """Adam with decoupled decay (Loshchilov & Hutter 2019)."""
    return optax.adamw(schedule, weight_decay=weight_decay, mask=_decayed)


@OPTIMIZERS.register("sgd")
def sgd(*, schedule: optax.Schedule, momentum: float = 0.0) -> optax.GradientTransformation:
    """Gradient descent, with heavy-ball momentum if it is not 0."""
    return optax.sgd(schedule, momentum=momentum or None)


@OPTIMIZERS.register("adagrad")
def adagrad(*, schedule: optax.Schedule) -> optax.GradientTransformation:
    """Adagrad (Duchi et al. 2011)."""
    return optax.adagrad(schedule)


@OPTIMIZERS.register("rmsprop")
def rmsprop(*, schedule: optax.Schedule, decay: float = 0.9) -> optax.GradientTransformation:
    """RMSProp, ``decay`` of the mean square (S3: rate 0.001, decay 0.9)."""
    return optax.rmsprop(schedule, decay=decay)


def build(
    section: Mapping[str, Any], num_steps: int
) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """Build the optimizer of a config section, with clipping by the global norm before it.

    Args:
        section: ``name``, ``learning_rate``, ``clip_norm`` (0: none), ``schedule`` (a section), and the
            arguments of the optimizer.
        num_steps: steps of the whole run.

    Raises:
        InputError: unknown names or arguments.
    """
    section = dict(section)
    rate, clip_norm = section.pop("learning_rate"), section.pop("clip_norm")
    schedule = SCHEDULES.build(section.pop("schedule"), learning_rate=rate, num_steps=num_steps)
    optimizer = OPTIMIZERS.build(section | {"schedule": schedule})
    clip = optax.clip_by_global_norm(clip_norm) if clip_norm > 0 else optax.identity()
    return optax.chain(clip, optimizer), schedule


def _decayed(params):
    """Kernels decay; biases, norms and λ, which have at most one axis, do not."""
    return jax.tree.map(lambda p: p.ndim > 1, params)
