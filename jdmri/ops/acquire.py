"""Simulated acquisition: from a fully sampled series to what a scanner would have measured."""

import jax
import jax.numpy as jnp

from jdmri.ops import sense
from jdmri.typing import Cine, CoilMaps, KSpace, Mask, PRNGKey, Scalar


@jax.jit
def acquire(key: PRNGKey, cine: Cine, maps: CoilMaps, mask: Mask, sigma: Scalar) -> KSpace:
    """Measure ``mask · (F(maps · cine) + n)`` with complex white noise n, E|n|² = σ².

    The transform is orthonormal, so σ is also the noise of a fully sampled image of one coil.

    Args:
        key: of this sample; the same key gives the same noise.
        cine: ``[*batch, frame, y, x]``.
        maps: ``[*batch, coil, y, x]``.
        mask: ``[*batch, frame, ky, kx or 1]``.
        sigma: σ in the units of ``cine``; 0 adds nothing.
    """
    kspace = sense.encoding(maps, mask).transform(cine)
    real, imag = jax.random.normal(key, (2, *kspace.shape)) * (sigma / jnp.sqrt(2.0))
    return sense.encoding(maps, mask).select(kspace + jax.lax.complex(real, imag))
