"""A small network that corrects given coil maps by the data they should explain."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from jdmri.models.layers.basic import conv2d, from_channels, to_channels
from jdmri.ops import fourier
from jdmri.ops.filling import fill_temporal_average
from jdmri.typing import CoilMaps, KSpace, Mask


class RefineMaps(nn.Module):
    """Add the output of a CNN to each map, and normalise.

    After the sensitivity estimation of Sriram et al. 2020, arXiv:2004.06688, which sees the coils one by one with one
    set of weights, so that any number fits; here it starts from given maps. For each coil the network sees the map S,
    the temporal average c of the coil's image, and what the maps make of it, ``S · Σ conj(S) c``. Its last layer
    starts at zero: untrained, normalised maps come back as they are. A single map does so always.

    Attributes:
        width: channels inside.
        depth: number of 3×3 convolutions, at least 2.
    """

    width: int = 8
    depth: int = 4

    @nn.compact
    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask) -> CoilMaps:
        """Refine ``maps [batch, coil, y, x]`` by undersampled ``kspace [batch, frame, coil, ky, kx]``."""
        maps = jnp.asarray(maps)
        measured = fourier.ifftc(jnp.mean(fill_temporal_average(kspace, mask), axis=-4))
        explained = maps * jnp.sum(maps.conj() * measured, axis=-3, keepdims=True)
        x = jnp.concatenate([to_channels(a) for a in (maps, measured, explained)], axis=-1)
        x = x.reshape(-1, *x.shape[-3:])
        for _ in range(self.depth - 1):
            x = nn.relu(conv2d(self.width)(x))
        change = from_channels(conv2d(2, kernel_init=nn.initializers.zeros)(x))
        return normalise(maps + change.reshape(maps.shape), maps)


def normalise(maps: CoilMaps, given: CoilMaps) -> CoilMaps:
    """Scale to Σ_coil |S|² = 1 and give ``Σ conj(S_given) S`` the phase 0; stay 0 where ``given`` is.

    A phase common to all coils cannot be told from that of the image: the convention of the given maps
    is kept, so that the image keeps its phase.
    """
    known = _power(given) > 0
    maps = jnp.where(known, maps, given)
    overlap = jnp.sum(given.conj() * maps, axis=-3, keepdims=True)
    return maps * _unit(overlap).conj() / jnp.sqrt(_or_one(_power(maps)))


def _unit(x: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """Divide by the magnitude; 1 where that is 0."""
    return jnp.where(x == 0, 1, x) / jnp.sqrt(_or_one(x.real**2 + x.imag**2))


def _or_one(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Replace 0 by 1, so that neither a division nor its gradient fails there."""
    return jnp.where(x > 0, x, 1)


def _power(maps: CoilMaps) -> Float[Array, "..."]:
    return jnp.sum(maps.real**2 + maps.imag**2, axis=-3, keepdims=True)
