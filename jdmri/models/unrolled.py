"""What unrolled networks share: a denoiser in each round, and learned numbers that stay positive."""

import math

import flax.linen as nn
import jax

from jdmri.typing import Cine, Scalar


def denoise(
    network: nn.Module, cine: Cine, index: int, train: bool, *, shared: bool, remat: bool
) -> Cine:
    """Apply ``network.denoiser``; to be called inside the compact method of ``network``.

    Args:
        network: the unrolled network, with a field ``denoiser``.
        cine: ``[batch, frame, y, x]``.
        index: the round.
        train: whether dropout and batch statistics are on.
        shared: one set of weights for all rounds; otherwise a copy each, ``denoiser_0`` and on.
        remat: recompute in the backward pass.
    """
    denoiser = network.denoiser
    if not shared:
        denoiser = denoiser.clone(parent=network, name=f"denoiser_{index}")
    call = lambda module, image: module(image, train)
    return (nn.remat(call) if remat else call)(denoiser, cine)


def positive(network: nn.Module, name: str, initial: float) -> Scalar:
    """Learn a number as softplus of a parameter of ``network``.

    Args:
        network: its owner, inside its compact method.
        name: of the parameter.
        initial: its first value, > 0.
    """
    inverse_softplus = math.log(math.expm1(initial))
    return jax.nn.softplus(network.param(name, nn.initializers.constant(inverse_softplus), ()))
