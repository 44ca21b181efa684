"""Low rank of the series as a whole: frames by pixels, the Casorati matrix."""

import jax.numpy as jnp

from jdmri.classical import proximal
from jdmri.classical.method import METHODS, Iterative
from jdmri.classical.problem import Measured, Minimiser, Problem, check_settings, penalised
from jdmri.typing import Cine, Scalar


@METHODS.register("low_rank")
def low_rank(
    *,
    weight: float = 0.002,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    iterations: int = 0,
) -> Iterative:
    """Minimise ``½‖E x − y‖² + λ ‖C x‖_*`` by POGM, C x the matrix of frames by pixels.

    Singular value thresholding (Cai et al. 2010, doi:10.1137/080738970) of dynamic images as in Haldar & Liang 2010
    (doi:10.1109/ISBI.2010.5490156) and k-t SLR (Lingala et al. 2011, doi:10.1109/TMI.2010.2100850).

    Args:
        weight: λ as a fraction of the largest singular value of the temporal average.
        tolerance: of the residual of `solvers.proximal_gradient`.
        max_iterations: stop in any case.
        iterations: stop after exactly so many instead; 0: do not.

    Raises:
        InputError: a setting out of range.
    """
    limits = dict(tolerance=tolerance, max_iterations=max_iterations, iterations=iterations)
    check_settings("low_rank", weight=weight, **limits)

    def build(series: Measured) -> Problem:
        threshold = weight * jnp.max(singular_values(series.start))
        prox = lambda cine, step: shrink_rank(cine, step * threshold)
        return penalised(series, prox, lambda cine: threshold * jnp.sum(singular_values(cine)))

    return Minimiser(build, **limits)


def shrink_rank(cine: Cine, threshold: Scalar) -> Cine:
    """Shrink the singular values of the Casorati matrix of ``[frame, y, x]`` towards zero."""
    matrix = cine.reshape(len(cine), -1)
    return proximal.singular_value_threshold(matrix, threshold).reshape(cine.shape)


def singular_values(cine: Cine):
    """Return the singular values of the Casorati matrix."""
    return proximal.singular_values(cine.reshape(len(cine), -1))
