"""Conjugate gradients for ``A x = b``, A Hermitian and positive definite, with an implicit gradient.

An array may hold many independent systems, e.g. the frames of a cine: ``axes`` are those along which
A couples the elements, and each system has step lengths of its own. So none waits for or disturbs
another, and each is at least as near to its solution as with step lengths common to all.

After Hestenes & Stiefel 1952, doi:10.6028/jres.049.044.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Bool, Complex, Float

from jdmri.ops.solution import Solution
from jdmri.typing import Array

SERIES_AXES = (-3, -2, -1)
Vector = Complex[Array, "..."]
Operator = Callable[[Vector], Vector]


class Iterate(NamedTuple):
    """The result of a fixed number of iterations, and how far it is from solving its systems.

    Attributes:
        value: x, like b.
        residual: ‖b − A x‖ as the iteration updates it, one number a system: the ``axes`` have
            length 1. No gradient flows through it.
    """

    value: Vector
    residual: Float[Array, "..."]


class State(NamedTuple):
    """State between two iterations.

    Attributes:
        value: x.
        residual: b − A x.
        direction: in which x moves next.
        square: ‖b − A x‖².
        floor: (ε ‖b‖)²: a system below is solved to rounding.
    """

    value: Vector
    residual: Vector
    direction: Vector
    square: Float[Array, "..."]
    floor: Float[Array, "..."]


def solve(
    normal: Operator,
    right_hand_side: Vector,
    *,
    num_iterations: int,
    axes: tuple[int, ...] = SERIES_AXES,
    initial: Vector | None = None,
) -> Iterate:
    """Solve ``A x = b``; the gradient solves once more instead of going back through the iterations.

    ``dx = A⁻¹(db − dA x)`` holds at the solution, so the backward pass is one solution with the transposed
    Aᵀ = conj(A) and one application of A: its memory does not grow with ``num_iterations``. It reaches b
    and all arrays that ``normal`` closes over. Before convergence it differs from the gradient of
    `iterate`, by about as much as x differs from the solution.

    Args:
        normal: A.
        right_hand_side: b.
        num_iterations: of the solution and of each backward pass.
        axes: along which A couples elements.
        initial: x₀, 0 if not given; only the correction ``A⁻¹(b − A x₀)`` is then solved for.
    """
    if initial is not None:
        right_hand_side = right_hand_side - normal(initial)
    iterations = lambda operator, b: tuple(
        iterate(operator, b, num_iterations=num_iterations, axes=axes)
    )
    # Not `symmetric`: that would mean Aᵀ = A, while a Hermitian A has Aᵀ = conj(A).
    value, residual = lax.custom_linear_solve(
        normal, right_hand_side, solve=iterations, transpose_solve=iterations, has_aux=True
    )
    return Iterate(value if initial is None else initial + value, residual)


def iterate(
    normal: Operator,
    right_hand_side: Vector,
    *,
    num_iterations: int,
    axes: tuple[int, ...] = SERIES_AXES,
) -> Iterate:
    """Run a fixed number of iterations from 0; differentiated iteration by iteration, all kept.

    Args:
        normal: A.
        right_hand_side: b.
        num_iterations: a Python number.
        axes: along which A couples elements.
    """
    step = lambda _, state: _advance(normal, state, axes)
    state = lax.fori_loop(0, num_iterations, step, _from_zero(right_hand_side, axes))
    return Iterate(state.value, jnp.sqrt(lax.stop_gradient(state.square)))


def iterate_until(
    normal: Operator,
    right_hand_side: Vector,
    *,
    tolerance: float,
    max_iterations: int,
    axes: tuple[int, ...] = SERIES_AXES,
) -> Solution:
    """Iterate from 0 until ``‖b − A x‖ ≤ tolerance · ‖b‖``, both over the whole array.

    Under `jax.vmap` each member stops by itself. Not for reverse-mode gradients. The residual of the solution is
    ``‖b − A x‖ / ‖b‖``, 0 where b is 0.

    Args:
        normal: A.
        right_hand_side: b.
        tolerance: of the relative residual.
        max_iterations: stop in any case.
        axes: along which A couples elements.
    """
    start = _from_zero(right_hand_side, axes)
    scale = jnp.sum(start.square)
    relative = lambda state: jnp.sqrt(_ratio(jnp.sum(state.square), scale, scale > 0))
    unfinished = lambda carry: (relative(carry[0]) > tolerance) & (carry[1] < max_iterations)
    step = lambda carry: (_advance(normal, carry[0], axes), carry[1] + 1)
    state, count = lax.while_loop(unfinished, step, (start, jnp.int32(0)))
    residual = relative(state)
    return Solution(state.value, count, residual, residual <= tolerance)


def _from_zero(right_hand_side: Vector, axes: tuple[int, ...]) -> State:
    square = _inner(right_hand_side, right_hand_side, axes)
    floor = jnp.finfo(square.dtype).eps ** 2 * square
    return State(jnp.zeros_like(right_hand_side), right_hand_side, right_hand_side, square, floor)


def _advance(normal: Operator, state: State, axes: tuple[int, ...]) -> State:
    """Take one step along the direction, and find the next direction; solved systems stay."""
    unsolved = state.square > state.floor
    image = normal(state.direction)
    length = _ratio(state.square, _inner(state.direction, image, axes), unsolved)
    residual = state.residual - length * image
    square = _inner(residual, residual, axes)
    direction = residual + _ratio(square, state.square, unsolved) * state.direction
    value = state.value + length * state.direction
    return State(value, residual, direction, square, state.floor)


def _inner(x: Vector, y: Vector, axes: tuple[int, ...]) -> Float[Array, "..."]:
    """Re xᴴy of each system; for a Hermitian A, ``xᴴA x`` is real up to rounding."""
    return jnp.sum(x.real * y.real + x.imag * y.imag, axis=axes, keepdims=True)


def _ratio(a: Float[Array, "..."], b: Float[Array, "..."], where: Bool[Array, "..."]):
    """Divide; 0 where not told to, or where b is not positive. No gradient fails there."""
    where = where & (b > 0)
    return jnp.where(where, a / jnp.where(where, b, 1), 0)
