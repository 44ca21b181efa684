"""What unrolled networks share: rounds of a denoiser and a return to the data, and learned numbers that stay positive."""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jdmri.errors import InputError
from jdmri.models.layers.precision import compute_in
from jdmri.typing import Cine, Scalar

MEMORY = ("plain", "remat", "scan_remat")
Denoiser = Callable[[Cine], Cine]


def rounds(
    network: nn.Module,
    cine: Cine,
    to_data: Callable[[Cine, Cine, Any], Cine],
    numbers: list[Any],
    *,
    train: bool,
    shared: bool,
) -> Cine:
    """Repeat ``cine ← to_data(denoised, cine, number)``; to be called inside the compact method of ``network``.

    Args:
        network: with the fields ``denoiser``, ``memory`` and ``precision``.
        cine: ``[batch, frame, y, x]``.
        to_data: the return to the measured data.
        numbers: what ``to_data`` learns, one for each round.
        train: whether dropout and batch statistics are on.
        shared: one set of weights for all rounds; otherwise a copy each, ``denoiser_0`` and on.

    Raises:
        InputError: ``memory`` is not known, or the denoiser has batch statistics, which a scan cannot gather.
    """
    if network.memory not in MEMORY:
        raise InputError(
            f"model.memory must be one of {', '.join(MEMORY)}, got {network.memory!r}."
        )
    if network.memory == "scan_remat" and not network.is_initializing():
        return _scan(network, cine, to_data, numbers, train, shared)
    for index, number in enumerate(numbers):
        denoised = _denoise(network, cine, _name(index, shared), train)
        cine = to_data(denoised, cine, number)
    return cine


def denoise(network: nn.Module, denoiser: nn.Module, cine: Cine, train: bool) -> Cine:
    """Apply a denoiser in the precision of ``network``."""
    with compute_in(network.precision):
        return denoiser(cine, train)


def positive(network: nn.Module, name: str, initial: float) -> Scalar:
    """Learn a number as softplus of a parameter of ``network``.

    Args:
        network: its owner, inside its compact method.
        name: of the parameter.
        initial: its first value, > 0.
    """
    inverse_softplus = math.log(math.expm1(initial))
    return jax.nn.softplus(network.param(name, nn.initializers.constant(inverse_softplus), ()))


def _name(index: int, shared: bool) -> str:
    return "denoiser" if shared else f"denoiser_{index}"


def _denoise(network: nn.Module, cine: Cine, name: str, train: bool) -> Cine:
    denoiser = network.denoiser
    if name != "denoiser":
        denoiser = denoiser.clone(parent=network, name=name)
    call = lambda module, image: denoise(network, module, image, train)
    return (nn.remat(call) if network.memory == "remat" else call)(denoiser, cine)


def _scan(network, cine, to_data, numbers, train, shared) -> Cine:
    """Run the rounds as one loop that keeps only the image of each, and recomputes the rest in the backward pass."""
    if network.variables.get("batch_stats"):
        raise InputError(
            "model.memory=scan_remat needs a denoiser without batch normalisation; use remat."
        )
    names = [_name(index, shared) for index in range(len(numbers))]
    weights = [network.variables["params"][name] for name in names]
    keys = [network.make_rng("dropout")] if network.has_rng("dropout") else []
    free = network.denoiser.clone(parent=None)

    @jax.checkpoint
    def one(image, inputs):
        own, number, index = inputs
        rngs = {"dropout": jax.random.fold_in(keys[0], index)} if keys else {}
        with compute_in(network.precision):
            denoised = free.apply({"params": own}, image, train, rngs=rngs)
        return to_data(denoised, image, number), None

    stacked = jax.tree.map(lambda *a: jnp.stack(a), *zip(weights, numbers, strict=True))
    return lax.scan(one, cine, (*stacked, jnp.arange(len(numbers))))[0]
