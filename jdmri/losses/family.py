"""The registry of losses, their type, and the domain they compare in."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.runtime.registry import Registry
from jdmri.typing import Cine, Scalar

LOSSES = Registry("loss")
Loss = Callable[[Cine, Cine, Scalar], Scalar]


def difference(domain: str) -> Callable[[Cine, Cine], jax.Array]:
    """Return what is subtracted: complex images, or their magnitudes.

    Raises:
        InputError: another domain.
    """
    if domain == "complex":
        return lambda estimate, reference: estimate - reference
    if domain == "magnitude":
        return lambda estimate, reference: jnp.abs(estimate) - jnp.abs(reference)
    raise InputError(f"domain must be 'complex' or 'magnitude', got {domain!r}.")
