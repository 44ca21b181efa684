"""Low rank plus sparse: a background of few components, and changes of few temporal frequencies."""

import jax.numpy as jnp
from jax import lax

from jdmri.classical import proximal, solvers
from jdmri.classical.low_rank import shrink_rank, singular_values
from jdmri.classical.method import METHODS, Iterative
from jdmri.classical.problem import (
    Measured,
    Minimiser,
    Problem,
    check_settings,
    gradient,
    measured,
    misfit,
    restored,
)
from jdmri.errors import InputError
from jdmri.ops.solution import Solution
from jdmri.typing import Cine, Scalar

_OTAZO_TOLERANCE, _OTAZO_ITERATIONS = 2.5e-3, 50


@METHODS.register("l_plus_s")
def l_plus_s(
    *,
    low_rank_weight: float = 0.004,
    sparse_weight: float = 0.01,
    rule: str = "converged",
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
    iterations: int = 0,
) -> Iterative:
    """Minimise ``½‖E (L + S) − y‖² + λ_L ‖C L‖_* + λ_S Σ |F_t S|``; the cine is L + S.

    Otazo et al. 2015, doi:10.1002/mrm.25240, by POGM as Lin & Fessler 2019 (doi:10.1109/TCI.2018.2882089). The gradient in (L, S)
    has the Lipschitz constant 2 ‖E‖², so that steps are ½. λ_S must be so large that the still part is cheaper in L: otherwise
    L = 0, and S, whose mean is penalised like any frequency, does not prefer a still image; at λ_L = 0.01 and
    λ_S = 0.0025, the published numbers, the minimum for a phantom of 12×64×64 at R = 4 is 10 dB below view sharing.

    Args:
        low_rank_weight: λ_L as a fraction of the largest singular value of the temporal average.
        sparse_weight: λ_S as a fraction of the largest magnitude of the temporal average.
        rule: ``converged``, or ``otazo`` for the iteration of the code that came with the paper, from zero-filling
            and with its rule: until M = L + S changes by less than 2.5e-3 of its norm, at most 50 times. That is
            far from a minimum, and dB below. Its λ_L is relative to the largest singular value of each iterate.
        tolerance: of the residual of `solvers.proximal_gradient`; unused by ``otazo``.
        max_iterations: stop in any case; unused by ``otazo``.
        iterations: stop after exactly so many instead; 0: do not; unused by ``otazo``.

    Raises:
        InputError: a setting out of range.
    """
    limits = dict(tolerance=tolerance, max_iterations=max_iterations, iterations=iterations)
    weights = dict(low_rank_weight=low_rank_weight, sparse_weight=sparse_weight)
    check_settings("l_plus_s", **weights, **limits)
    if rule not in ("converged", "otazo"):
        raise InputError(f"l_plus_s knows the rules converged and otazo, got {rule!r}.")
    if rule == "otazo":
        return _otazo(low_rank_weight, sparse_weight)

    def build(series: Measured) -> Problem:
        _, _, start, scale = series
        rank_threshold = low_rank_weight * jnp.max(singular_values(start))
        sparse_threshold = sparse_weight * scale

        def descent(parts):
            return jnp.broadcast_to(gradient(series, _cine(parts)), parts.shape)

        def prox(parts, step):
            low_rank = shrink_rank(parts[0], step * rank_threshold)
            return jnp.stack([low_rank, shrink_spectrum(parts[1], step * sparse_threshold)])

        def objective(parts):
            rank = rank_threshold * jnp.sum(singular_values(parts[0]))
            sparse = sparse_threshold * jnp.sum(jnp.abs(_spectrum(parts[1])))
            return misfit(series, _cine(parts)) + rank + sparse

        parts = jnp.stack([start, jnp.zeros_like(start)])
        algorithm = solvers.proximal_gradient(descent, prox, parts, lipschitz=2.0)
        return Problem(algorithm, objective, _cine)

    return Minimiser(build, **limits)


def shrink_spectrum(cine: Cine, threshold: Scalar) -> Cine:
    """Shrink the temporal frequencies of ``[frame, y, x]`` towards zero, the mean too."""
    taken = proximal.project_magnitude(_spectrum(cine), threshold)
    return cine - jnp.fft.ifft(taken, axis=0, norm="ortho")


def _otazo(low_rank_weight: float, sparse_weight: float) -> Iterative:
    """The published iteration; its residual is the last relative change of M."""

    def solve(kspace, maps, mask):
        series = measured(kspace, maps, mask)
        known = series.encoding.adjoint(series.data)

        def advance(state):
            image, low_rank, sparse, _, count = state
            difference = image - sparse
            largest = jnp.max(singular_values(difference))
            new_low_rank = shrink_rank(difference, low_rank_weight * largest)
            # S takes the previous L, as in the code; the paper's L and S alternate likewise.
            sparse = shrink_spectrum(image - low_rank, sparse_weight * series.scale)
            total = new_low_rank + sparse
            new = total - gradient(series, total)
            change = jnp.linalg.norm(new - image) / jnp.maximum(jnp.linalg.norm(image), 1e-30)
            return new, new_low_rank, sparse, change, count + 1

        unfinished = lambda s: (s[3] > _OTAZO_TOLERANCE) & (s[4] < _OTAZO_ITERATIONS)
        start = (known, known, jnp.zeros_like(known), jnp.float32(jnp.inf), jnp.int32(0))
        _, low_rank, sparse, change, count = lax.while_loop(unfinished, advance, start)
        converged = change <= _OTAZO_TOLERANCE
        return Solution(restored(low_rank + sparse, mask), count, change, converged)

    return Iterative(solve)


def _cine(parts) -> Cine:
    return parts[0] + parts[1]


def _spectrum(cine: Cine) -> Cine:
    return jnp.fft.fft(cine, axis=0, norm="ortho")
