"""Temporal-average fill: unsampled points take the mean of the frames that sampled them."""

import jax.numpy as jnp

from jdmri.classical.method import METHODS, Method, filled
from jdmri.typing import KSpace, Mask


def fill_temporal_average(kspace: KSpace, mask: Mask) -> KSpace:
    """Fill with ``Σ_t m_t y_t / Σ_t m_t``; points that no frame sampled stay 0.

    Args:
        kspace: ``[*batch, frame, coil, ky, kx]``, zero where not sampled (``x`` for hybrid data).
        mask: ``[*batch, frame, ky, kx or 1]``.
    """
    count = jnp.sum(mask, axis=-3, keepdims=True)[..., None, :, :]
    mean = jnp.sum(kspace, axis=-4, keepdims=True) / jnp.maximum(count, 1)
    return jnp.where(mask[..., None, :, :], kspace, mean)


@METHODS.register("temporal_average")
def temporal_average() -> Method:
    """Fill each frame with the temporal mean of k-space ("composite" image)."""
    return filled(fill_temporal_average)
