"""The end of an iteration with a stopping rule: the one record of all solvers."""

from typing import NamedTuple

from jaxtyping import Bool, Complex, Float, Int

from jdmri.typing import Array


class Solution(NamedTuple):
    """The result of an iteration, and how it ended.

    Attributes:
        value: the solution; of a reconstruction, the cine ``[*batch, frame, y, x]``.
        iterations: how many were run.
        residual: relative residual at ``value``, of the optimality conditions or of a linear system; the
            solver says which.
        converged: whether the residual reached the tolerance; otherwise the most iterations ended it.
    """

    value: Complex[Array, "..."]
    iterations: Int[Array, "*batch"]
    residual: Float[Array, "*batch"]
    converged: Bool[Array, "*batch"]
