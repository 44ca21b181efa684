"""The registry of classical methods, and how a k-space filling becomes one."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jdmri.ops import sense
from jdmri.registry import Registry
from jdmri.typing import Cine, CoilMaps, KSpace, Mask

METHODS = Registry("method")
Method = Callable[[KSpace, CoilMaps, Mask], Cine]


def filled(fill: Callable[[KSpace, Mask], KSpace]) -> Method:
    """Make a method from a filling: fill k-space, transform back, combine the coils."""

    @jax.jit
    def method(kspace, maps, mask):
        everywhere = jnp.ones_like(mask)
        return sense.adjoint(fill(kspace, mask), maps, everywhere)

    return method
