"""Compressed sensing with sparsity along temporal frequency (k-t SPARSE)."""

import jax
import jax.numpy as jnp
from jax import lax

from jdmri.classical.method import METHODS, Method
from jdmri.classical.temporal_average import fill_temporal_average
from jdmri.ops import sense
from jdmri.typing import Cine, Scalar


@METHODS.register("kt_sparse")
def kt_sparse(
    *, weight: float = 0.005, tolerance: float = 1e-4, max_iterations: int = 300
) -> Method:
    """Minimise ``½‖E x − y‖² + λ Σ_{f≠0} |F_t x|`` by FISTA with restarts.

    After k-t SPARSE (Lustig et al., ISMRM 2006) and FISTA (Beck & Teboulle 2009, doi:10.1137/080716542)
    with the restart of O'Donoghue & Candès (2015, doi:10.1007/s10208-013-9150-3).

    Args:
        weight: λ as a fraction of the largest magnitude of the temporal average.
        tolerance: stop when ‖Δx‖ / ‖x‖ falls below.
        max_iterations: stop in any case.
    """

    @jax.jit
    def method(kspace, maps, mask):
        if kspace.ndim > 4:
            return jax.vmap(method)(kspace, maps, mask)
        encoding, data = sense.fold(kspace, maps, mask)
        start = encoding.combine(fill_temporal_average(data, encoding.mask))
        threshold = weight * jnp.max(jnp.abs(start))

        def descend(state):
            x, ahead, momentum, _, count = state
            gradient = encoding.adjoint(encoding.transform(ahead) - data)
            new = soft_threshold_frequencies(ahead - gradient, threshold)
            step = new - x
            uphill = jnp.real(jnp.vdot(ahead - new, step)) > 0
            momentum = jnp.where(uphill, 1.0, momentum)
            following = (1 + jnp.sqrt(1 + 4 * momentum**2)) / 2
            change = jnp.linalg.norm(step) / jnp.maximum(jnp.linalg.norm(new), 1e-30)
            ahead = new + (momentum - 1) / following * step
            return new, ahead, following, change, count + 1

        unfinished = lambda state: (state[3] > tolerance) & (state[4] < max_iterations)
        initial = (start, start, jnp.float32(1), jnp.float32(jnp.inf), 0)
        return lax.while_loop(unfinished, descend, initial)[0]

    return method


def soft_threshold_frequencies(cine: Cine, threshold: Scalar) -> Cine:
    """Shrink the temporal frequencies of ``[frame, y, x]`` towards zero, all but the mean."""
    spectrum = jnp.fft.fft(cine, axis=-3, norm="ortho")
    magnitude = jnp.abs(spectrum)
    kept = jnp.maximum(1 - threshold / jnp.maximum(magnitude, 1e-30), 0)
    kept = kept.at[..., :1, :, :].set(1)
    return jnp.fft.ifft(spectrum * kept, axis=-3, norm="ortho")
