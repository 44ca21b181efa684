"""A network with its weights as a function of one series or a batch, as the methods without training are."""

from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jdmri.models import scale
from jdmri.typing import Cine, CoilMaps, KSpace, Mask


def reconstructor(
    model: nn.Module, variables: Mapping[str, Any]
) -> Callable[[KSpace, CoilMaps, Mask], Cine]:
    """Make a function ``(kspace, maps, mask) -> cine`` of a trained network, scale handled.

    It takes one series ``[frame, coil, ky, kx]`` or a batch of them, is compiled once a shape, and has
    the call signature of the classical methods.
    """

    @jax.jit
    def batched(kspace, maps, mask):
        return scale.apply(model, variables, kspace, maps, mask)

    def reconstruct(kspace, maps, mask):
        kspace, maps = jnp.asarray(kspace, jnp.complex64), jnp.asarray(maps, jnp.complex64)
        mask = jnp.asarray(mask, bool)
        if kspace.ndim == 4:
            return batched(kspace[None], maps[None], mask[None])[0]
        return batched(kspace, maps, mask)

    return reconstruct
