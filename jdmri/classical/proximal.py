"""Proximal operators, ``argmin_x ½‖x − v‖² + γ g(x)``, and projections onto dual balls.

By Moreau ``v = prox_g(v) + prox_g*(v)``: for a norm, shrinking takes away the projection onto the ball of its
dual norm. Where a transform comes between, take away that projection instead of transforming back what is
left: it is small, and so is its rounding, which ends the progress of a solver.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Complex, Float

from jdmri.typing import Array

Values = Complex[Array, "..."]
Threshold = Float[Array, "..."] | float


def soft_threshold(values: Values, threshold: Threshold) -> Values:
    """Shrink magnitudes by ``threshold`` and keep phases: g = Σ |x|.

    Args:
        values: v.
        threshold: γ ≥ 0, one number or an array that broadcasts to ``values``.
    """
    return values * _shrink_factor(jnp.abs(values), threshold)


def group_soft_threshold(values: Values, threshold: Threshold, *, axes: tuple[int, ...]) -> Values:
    """Shrink the norm of each group by ``threshold``: g = Σ_groups ‖x‖₂.

    Args:
        values: v.
        threshold: γ ≥ 0; it broadcasts to ``values`` with ``axes`` of length 1.
        axes: what forms a group.
    """
    square = values.real**2 + values.imag**2
    return values * _shrink_factor(jnp.sqrt(jnp.sum(square, axis=axes, keepdims=True)), threshold)


def project_magnitude(values: Values, radius: Threshold) -> Values:
    """Clip magnitudes at ``radius``: the dual ball of Σ |x|, for total variation."""
    return values * jnp.minimum(1, radius / jnp.maximum(jnp.abs(values), _TINY))


def singular_value_threshold(
    matrix: Complex[Array, "*batch row column"], threshold: Threshold
) -> Complex[Array, "*batch row column"]:
    """Shrink singular values by ``threshold``: g = ‖X‖_*, the sum of singular values.

    Args:
        matrix: V, one or many.
        threshold: γ ≥ 0, a number.
    """
    return matrix - project_spectral(matrix, threshold)


def project_spectral(
    matrix: Complex[Array, "*batch row column"], radius: Threshold
) -> Complex[Array, "*batch row column"]:
    """Clip singular values at ``radius``: the dual ball of the nuclear norm."""
    wide = _wide(matrix)
    vectors, rows = _decompose(wide)
    projected = _product(vectors, _product(_clipping(rows, radius), rows))
    return projected if wide is matrix else _adjoint(projected)


def singular_values(matrix: Complex[Array, "*batch row column"]) -> Float[Array, "*batch small"]:
    """Return the singular values, ascending, as many as the shorter side is long."""
    return jnp.linalg.norm(_decompose(_wide(matrix))[1], axis=-1)


def _decompose(wide):
    """U and UᴴX of a wide X, from the small matrix X Xᴴ = U S² Uᴴ.

    The squares mix what is below √ε of the largest, in float32 3e-4: such singular values are found as some
    numbers of that size. The norms of the rows of UᴴX = S Vᴴ are nearer than the roots of the eigenvalues, which are off
    by ε / 2s, and none is negative. Thresholds are a percent of the largest.
    """
    _, vectors = jnp.linalg.eigh(_product(wide, _adjoint(wide)))
    return vectors, _product(_adjoint(vectors), wide)


def _clipping(rows, radius):
    """Return f(Y Yᴴ), f(λ) = min(1, radius / √λ), for rows Y that are nearly orthogonal.

    U is off by ε s₁² / s_i s_j, so that weak rows are not quite orthogonal: with f of their norms alone, solvers stall
    at that error, 1e-3 of a threshold of a percent. The first order of f, by its divided differences f[λ_i, λ_j] (Daleckii & Krein
    1965; Higham, Functions of Matrices, 2008, theorem 3.11), leaves the square of it.
    """
    norms = jnp.maximum(jnp.linalg.norm(rows, axis=-1), _TINY)
    directions = rows / norms[..., None]
    cosines = _product(directions, _adjoint(directions))
    one, other = norms[..., :, None], norms[..., None, :]
    low, high = jnp.minimum(one, other), jnp.maximum(one, other)
    # √λ_i λ_j f[λ_i, λ_j], where both are clipped, and where only the larger one is.
    both = -radius / (low + high)
    larger = -(high - radius) / jnp.maximum(high - low, _TINY) * (low / (low + high))
    slope = jnp.where(low >= radius, both, jnp.where(high > radius, larger, 0))
    diagonal = jnp.minimum(1, radius / norms)[..., None]
    return jnp.where(jnp.eye(rows.shape[-2], dtype=bool), diagonal, slope * cosines)


def _wide(matrix):
    return matrix if matrix.shape[-2] <= matrix.shape[-1] else _adjoint(matrix)


def _adjoint(matrix):
    return jnp.conj(jnp.swapaxes(matrix, -1, -2))


def _product(a, b):
    # Accelerators would otherwise multiply with ten bits of mantissa.
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)


def _shrink_factor(magnitude, threshold):
    """Return (|v| − γ)₊ / |v|, 0 at v = 0 unless γ = 0 too."""
    return jnp.maximum(1 - threshold / jnp.maximum(magnitude, _TINY), 0)


_TINY = 1e-30
