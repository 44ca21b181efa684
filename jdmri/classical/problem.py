"""Reconstruction as a minimum: one series as the solvers see it, and a method that minimises."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Complex, Float

from jdmri.classical import solvers
from jdmri.classical.method import Iterative
from jdmri.errors import InputError
from jdmri.ops import sense
from jdmri.ops.filling import fill_temporal_average
from jdmri.ops.sense import Encoding
from jdmri.typing import Array, Cine, CoilMaps, KSpace, Mask, Scalar


class Measured(NamedTuple):
    """One measured series. With line masks its image axes are swapped: y is last.

    Attributes:
        encoding: E, ‖E‖ ≤ 1.
        data: y, what E gives.
        start: the temporal average of k-space, filled in: where every iteration starts.
        scale: the largest magnitude of ``start``, the unit of all weights.
    """

    encoding: Encoding
    data: KSpace
    start: Cine
    scale: Float[Array, ""]


class Problem(NamedTuple):
    """An objective, and the solver that minimises it.

    Attributes:
        algorithm: the solver, at its start.
        objective: of a value of the solver.
        cine: of a value of the solver.
    """

    algorithm: solvers.Algorithm
    objective: Callable[[solvers.Variable], Scalar]
    cine: Callable[[solvers.Variable], Cine] = lambda value: value


class Minimiser(Iterative):
    """A method that minimises an objective until its optimality residual is small."""

    def __init__(
        self,
        build: Callable[[Measured], Problem],
        *,
        tolerance: float,
        max_iterations: int,
        iterations: int = 0,
    ):
        """Take the problem of one series, and when to stop; see `solvers.solve`.

        Args:
            build: makes the problem.
            tolerance: stop when the residual is as small, and call it converged.
            max_iterations: stop in any case.
            iterations: stop after exactly so many, whatever the residual, which regularises, too; 0: do not.
        """
        self._build = build

        def one(kspace, maps, mask):
            problem = build(measured(kspace, maps, mask))
            limits = dict(tolerance=tolerance, max_iterations=max_iterations)
            if iterations:
                limits = dict(tolerance=-1.0, max_iterations=iterations)
            minimum = solvers.solve(problem.algorithm, **limits)
            cine = restored(problem.cine(minimum.value), mask)
            return minimum._replace(value=cine, converged=minimum.residual <= tolerance)

        super().__init__(one, stopped_early=iterations > 0)
        self._trace = jax.jit(self._record, static_argnames=("num_iterations", "measure"))

    def trace(
        self,
        kspace: KSpace,
        maps: CoilMaps,
        mask: Mask,
        *,
        num_iterations: int,
        measure: Callable[[Cine], Any] = lambda cine: None,
    ) -> tuple[Float[Array, " iteration"], Any]:
        """Return the objective and ``measure(cine)`` after each iteration, for curves.

        Args:
            kspace: of one series, ``[frame, coil, ky, kx]``.
            maps: ``[coil, y, x]``.
            mask: ``[frame, ky, kx or 1]``.
            num_iterations: how many; nothing stops earlier.
            measure: e.g. an error; compiled. The same function object is compiled once.
        """
        return self._trace(kspace, maps, mask, num_iterations=num_iterations, measure=measure)

    def _record(self, kspace, maps, mask, num_iterations, measure):
        problem = self._build(measured(kspace, maps, mask))
        both = lambda v: (problem.objective(v), measure(restored(problem.cine(v), mask)))
        return solvers.trace(problem.algorithm, num_iterations=num_iterations, measure=both)


def measured(kspace: KSpace, maps: CoilMaps, mask: Mask) -> Measured:
    """Prepare one series. An FFT along the last axis takes a quarter of the time of one along y."""
    encoding, data = sense.fold(kspace, maps, mask)
    start = encoding.combine(fill_temporal_average(data, mask))
    if _has_lines(mask):
        maps, data, start = (jnp.swapaxes(a, -1, -2) for a in (encoding.maps, data, start))
        encoding = dataclasses.replace(
            encoding, maps=maps, mask=jnp.swapaxes(mask, -1, -2), axes=(-1,)
        )
    return Measured(encoding, data, start, jnp.max(jnp.abs(start)))


def restored(cine: Complex[Array, "frame row column"], mask: Mask) -> Complex[Array, "frame y x"]:
    """Undo the swap of `measured`."""
    return jnp.swapaxes(cine, -1, -2) if _has_lines(mask) else cine


def penalised(
    series: Measured,
    prox: Callable[[Cine, Scalar], Cine],
    penalty: Callable[[Cine], Scalar],
) -> Problem:
    """Make ``½‖E x − y‖² + g(x)`` a problem for `solvers.proximal_gradient`.

    Args:
        series: E and y.
        prox: of g.
        penalty: g.
    """
    descent = lambda x: gradient(series, x)
    algorithm = solvers.proximal_gradient(descent, prox, series.start)
    return Problem(algorithm, lambda x: misfit(series, x) + penalty(x))


def gradient(series: Measured, cine: Cine) -> Cine:
    """Return ``Eᴴ(E x − y)``, the gradient of `misfit`.

    Not as EᴴE x − Eᴴy, whose rounding is as large as that of x: it would leak into lines that no frame sampled, and
    add up there where no penalty holds them either.
    """
    return series.encoding.adjoint(series.encoding.transform(cine) - series.data)


def misfit(series: Measured, cine: Cine) -> Float[Array, ""]:
    """Return ``½‖E x − y‖²``."""
    difference = series.encoding.forward(cine) - series.data
    return jnp.sum(difference.real**2 + difference.imag**2) / 2


def check_settings(
    name: str, *, tolerance: float, max_iterations: int, iterations: int = 0, **weights: float
) -> None:
    """Refuse a negative weight and a rule that never or always stops.

    Raises:
        InputError: in one line.
    """
    for setting, value in weights.items():
        if not value >= 0:
            raise InputError(f"{name} needs {setting} >= 0, got {value:g}.")
    if not (tolerance > 0 and max_iterations >= 1):
        raise InputError(
            f"{name} needs tolerance > 0 and max_iterations >= 1, "
            f"got {tolerance:g} and {max_iterations}."
        )
    if iterations < 0:
        raise InputError(f"{name} needs iterations >= 0 (0: until it converges), got {iterations}.")


def _has_lines(mask: Mask) -> bool:
    return mask.shape[-1] == 1
