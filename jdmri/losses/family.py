"""What all losses share: their registry, their type, and the domain they compare in."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.registry import Registry
from jdmri.typing import Cine, Scalar

LOSSES = Registry("loss")
Loss = Callable[[Cine, Cine, Scalar], Scalar]


def magnitude(image: jax.Array) -> jax.Array:
    """Magnitude with gradient zero, not NaN, where a pixel is exactly zero."""
    power = image.real**2 + image.imag**2
    return jnp.where(power > 0, jnp.sqrt(jnp.where(power > 0, power, 1.0)), 0.0)


def difference(domain: str) -> Callable[[Cine, Cine], jax.Array]:
    """Return what is subtracted: complex images, or their magnitudes.

    Raises:
        InputError: another domain.
    """
    if domain == "complex":
        return lambda estimate, reference: estimate - reference
    if domain == "magnitude":
        return lambda estimate, reference: magnitude(estimate) - magnitude(reference)
    raise InputError(f"loss.domain must be 'complex' or 'magnitude', got {domain!r}.")
