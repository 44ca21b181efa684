"""Data consistency: bring an image series back to the measured k-space.

All functions take ``(cine, kspace, encoding)``, for any number of coils.
"""

import jax
import jax.numpy as jnp

from jdmri.ops.sense import Encoding
from jdmri.typing import Cine, KSpace, Scalar


@jax.jit
def hard(cine: Cine, kspace: KSpace, encoding: Encoding) -> Cine:
    """Replace the sampled points of each coil's k-space by the measured ones.

    ``combine(mask · y + (1 - mask) · F(maps · cine))``. Where the maps are zero, so is the result.
    It copies the measured noise: right for (nearly) noise-free data.
    """
    mask = encoding.mask[..., :, None, :, :]
    return encoding.combine(jnp.where(mask, kspace, encoding.transform(cine)))


@jax.jit
def soft(cine: Cine, kspace: KSpace, encoding: Encoding, weight: Scalar) -> Cine:
    """Take one gradient step of ``½‖E x - y‖²`` of length μ = λ / (1 + λ).

    With one coil this is exactly the weighted mean ``(k + λ y) / (1 + λ)`` at the sampled points
    (Schlemper et al. 2018, doi:10.1109/TMI.2017.2760978, eq. 8); μ < 1 converges for any number of coils.

    Args:
        cine: ``[*batch, frame, y, x]``.
        kspace: measured data y.
        encoding: E.
        weight: λ ≥ 0. 0 leaves the image as it is, ∞ replaces the sampled points.
    """
    step = weight / (1 + weight)
    return cine - step * encoding.adjoint(encoding.transform(cine) - kspace)
