"""One scale factor a series, from the measured data only, undone at the output."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.ops import sense
from jdmri.ops.filling import temporal_mean
from jdmri.typing import CoilMaps, KSpace, Mask


def signal_level(kspace: KSpace, maps: CoilMaps, mask: Mask) -> Float[Array, "*batch"]:
    """Return the largest magnitude of the temporal-average image, one number a series.

    From the measured data only: it is the same at training and test time, and for any units.
    """
    everywhere = jnp.ones_like(mask[..., :1, :, :])
    level = jnp.max(
        jnp.abs(sense.adjoint(temporal_mean(kspace, mask), maps, everywhere)), axis=(-3, -2, -1)
    )
    return jnp.where(level > 0, level, 1.0)


def apply(
    model: nn.Module,
    variables: Mapping[str, Any],
    kspace: KSpace,
    maps: CoilMaps,
    mask: Mask,
    **options: Any,
) -> Any:
    """Scale the data by their level, apply the network, and undo the scale.

    Args:
        model: with the call signature ``(kspace, maps, mask)``.
        variables: ``params`` and ``batch_stats``.
        kspace: ``[batch, frame, coil, ky, kx]``, zero where not sampled.
        maps: ``[batch, coil, y, x]``.
        mask: ``[batch, frame, ky, kx or 1]``.
        **options: for ``model.apply``: ``train``, ``rngs``, ``mutable``.

    Returns:
        The cine ``[batch, frame, y, x]``; with ``mutable`` a pair of it and the changed variables.
    """
    level = signal_level(kspace, maps, mask)
    scaled = kspace / level[:, None, None, None, None]
    output = model.apply(variables, scaled, maps, mask, **options)
    cine, *changed = output if options.get("mutable") else (output,)
    cine = cine * level[:, None, None, None]
    return (cine, *changed) if changed else cine
