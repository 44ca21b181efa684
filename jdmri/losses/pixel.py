"""Losses that compare pixel with pixel."""

import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.losses.family import LOSSES, Loss, difference


@LOSSES.register("l1")
def l1(*, domain: str = "complex") -> Loss:
    """Mean absolute error: mean |x - g|, or mean ||x| - |g|| with ``domain="magnitude"``."""
    compare = difference(domain)
    return lambda estimate, reference, step: jnp.mean(jnp.abs(compare(estimate, reference)))


@LOSSES.register("l2")
def l2(*, domain: str = "complex") -> Loss:
    """Mean squared error: mean |x - g|², or mean (|x| - |g|)² with ``domain="magnitude"``."""
    compare = difference(domain)

    def loss(estimate, reference, step):
        error = compare(estimate, reference)
        return jnp.mean(error.real**2 + error.imag**2)

    return loss


@LOSSES.register("charbonnier")
def charbonnier(*, epsilon: float = 1e-3, domain: str = "complex") -> Loss:
    """Smooth L1: mean √(|x - g|² + ε²) - ε (Charbonnier et al. 1994, doi:10.1109/ICIP.1994.413553).

    Raises:
        InputError: ``epsilon`` is not positive.
    """
    if epsilon <= 0:
        raise InputError(f"epsilon must be positive, got {epsilon:g}.")
    compare = difference(domain)

    def loss(estimate, reference, step):
        error = compare(estimate, reference)
        return jnp.mean(jnp.sqrt(error.real**2 + error.imag**2 + epsilon**2)) - epsilon

    return loss
