"""Compressed sensing with sparsity along temporal frequency (k-t SPARSE)."""

import jax.numpy as jnp
import numpy as np

from jdmri.classical import proximal
from jdmri.classical.method import METHODS, Iterative
from jdmri.classical.problem import Measured, Minimiser, Problem, check_settings, penalised
from jdmri.typing import Cine, Scalar


@METHODS.register("kt_sparse")
def kt_sparse(
    *, weight: float = 0.01, tolerance: float = 2e-5, max_iterations: int = 2000
) -> Iterative:
    """Minimise ``½‖E x − y‖² + λ Σ_{f≠0} |F_t x|`` by POGM.

    After k-t SPARSE (Lustig et al., ISMRM 2006, p. 2420). F_t is orthonormal; the mean of the frames, f = 0, is not penalised.

    Stopped early it scores higher than at its minimum: on phantoms with noise of 2 % by 1 to 2 dB after some 30
    iterations, whatever the weight, because the start is a temporal average and lines that few frames sampled leave
    it last. ``max_iterations`` is then a second weight; it is to be tuned, and stated, as one.

    Args:
        weight: λ as a fraction of the largest magnitude of the temporal average.
        tolerance: of the residual of `solvers.proximal_gradient`.
        max_iterations: stop in any case.

    Raises:
        InputError: a setting out of range.
    """
    limits = dict(tolerance=tolerance, max_iterations=max_iterations)
    check_settings("kt_sparse", weight=weight, **limits)

    def build(series: Measured) -> Problem:
        threshold = weight * series.scale
        prox = lambda cine, step: soft_threshold_frequencies(cine, step * threshold)
        penalty = lambda cine: threshold * jnp.sum(jnp.abs(_spectrum(cine)[1:]))
        return penalised(series, prox, penalty)

    return Minimiser(build, **limits)


def soft_threshold_frequencies(cine: Cine, threshold: Scalar) -> Cine:
    """Shrink the temporal frequencies of ``[frame, y, x]`` towards zero, all but the mean."""
    penalised = (np.arange(len(cine)) > 0)[:, None, None]
    taken = proximal.project_magnitude(_spectrum(cine), threshold * penalised)
    return cine - jnp.fft.ifft(taken, axis=0, norm="ortho")


def _spectrum(cine: Cine) -> Cine:
    return jnp.fft.fft(cine, axis=0, norm="ortho")
