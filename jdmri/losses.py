"""Training losses: factories of pure functions ``(estimate, reference, step) -> scalar``.

For one series ``[frame, y, x]``, complex, in the network's scale (bright tissue about 1); batch by
`jax.vmap`. Each is zero at equality and has a finite gradient there.
"""

from collections.abc import Callable

import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.registry import Registry
from jdmri.typing import Cine, Scalar

LOSSES = Registry("loss")
Loss = Callable[[Cine, Cine, Scalar], Scalar]


@LOSSES.register("l1")
def l1(*, domain: str = "complex") -> Loss:
    """Mean absolute error: mean |x - g|, or mean ||x| - |g|| with ``domain="magnitude"``."""
    difference = _difference(domain)
    return lambda estimate, reference, step: jnp.mean(jnp.abs(difference(estimate, reference)))


@LOSSES.register("l2")
def l2(*, domain: str = "complex") -> Loss:
    """Mean squared error: mean |x - g|², or mean (|x| - |g|)² with ``domain="magnitude"``."""
    difference = _difference(domain)

    def loss(estimate, reference, step):
        error = difference(estimate, reference)
        return jnp.mean(error.real**2 + error.imag**2)

    return loss


def _difference(domain: str) -> Callable[[Cine, Cine], Cine]:
    if domain == "complex":
        return lambda estimate, reference: estimate - reference
    if domain == "magnitude":
        return lambda estimate, reference: jnp.abs(estimate) - jnp.abs(reference)
    raise InputError(f"loss.domain must be 'complex' or 'magnitude', got {domain!r}.")
