"""The registry of classical methods, and how a k-space filling or a solver becomes one."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jdmri.ops import sense
from jdmri.ops.solution import Solution
from jdmri.runtime.registry import Registry
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


class Iterative:
    """A method that solves a problem for one series; batches by `jax.vmap`."""

    def __init__(
        self, solve: Callable[[KSpace, CoilMaps, Mask], Solution], *, stopped_early: bool = False
    ):
        """Take the solver of one series.

        Args:
            solve: one series.
            stopped_early: whether a fixed number of iterations ends it on purpose, so that nothing has to converge.
        """
        self._one = solve
        self.stopped_early = stopped_early
        self._solve = jax.jit(self._folded)

    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask) -> Cine:
        """Reconstruct."""
        return self.solve(kspace, maps, mask).value

    def solve(self, kspace: KSpace, maps: CoilMaps, mask: Mask) -> Solution:
        """Reconstruct, and say how it ended."""
        return self._solve(kspace, maps, mask)

    def _folded(self, kspace, maps, mask):
        batched = self._one
        for _ in range(kspace.ndim - 4):
            batched = jax.vmap(batched)
        return batched(kspace, maps, mask)


def reconstruct(method: Method, data: tuple[KSpace, CoilMaps, Mask]) -> Solution:
    """Apply any method to one series, and give the numbers of its end as Python numbers.

    Args:
        method: iterative or not.
        data: k-space, maps and mask.

    Returns:
        The cine as ``value``. A method without iterations has converged, with NaN iterations and residual.
    """
    if not isinstance(method, Iterative):
        return Solution(method(*data), float("nan"), float("nan"), True)
    cine, iterations, residual, converged = method.solve(*data)
    return Solution(cine, float(iterations), float(residual), bool(converged))
