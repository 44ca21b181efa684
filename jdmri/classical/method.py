"""The registry of classical methods, and how a k-space filling or a solver becomes one."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from jdmri.ops import sense
from jdmri.runtime.registry import Registry
from jdmri.typing import Array, Cine, CoilMaps, KSpace, Mask

METHODS = Registry("method")
Method = Callable[[KSpace, CoilMaps, Mask], Cine]


def filled(fill: Callable[[KSpace, Mask], KSpace]) -> Method:
    """Make a method from a filling: fill k-space, transform back, combine the coils."""

    @jax.jit
    def method(kspace, maps, mask):
        everywhere = jnp.ones_like(mask)
        return sense.adjoint(fill(kspace, mask), maps, everywhere)

    return method


class Solution(NamedTuple):
    """An iterative reconstruction, and how it ended.

    Attributes:
        cine: ``[*batch, frame, y, x]``.
        iterations: of the solver, one number a series.
        residual: of the optimality conditions where it stopped, one number a series; the method says which.
        converged: whether the residual reached the method's tolerance; otherwise the most iterations ended it.
    """

    cine: Cine
    iterations: Int[Array, "*batch"]
    residual: Float[Array, "*batch"]
    converged: Bool[Array, "*batch"]


class Iterative:
    """A method that solves a problem for one series; batches by `jax.vmap`."""

    def __init__(self, solve: Callable[[KSpace, CoilMaps, Mask], Solution]):
        """Take the solver of one series."""
        self._one = solve
        self._solve = jax.jit(self._folded)

    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask) -> Cine:
        """Reconstruct."""
        return self.solve(kspace, maps, mask).cine

    def solve(self, kspace: KSpace, maps: CoilMaps, mask: Mask) -> Solution:
        """Reconstruct, and say how it ended."""
        return self._solve(kspace, maps, mask)

    def _folded(self, kspace, maps, mask):
        batched = self._one
        for _ in range(kspace.ndim - 4):
            batched = jax.vmap(batched)
        return batched(kspace, maps, mask)
