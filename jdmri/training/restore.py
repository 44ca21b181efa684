"""Reconstructing measured data with a trained network."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jdmri.models import scale
from jdmri.training import build, workdir
from jdmri.typing import Cine, CoilMaps, KSpace, Mask


def restore(
    folder: str | Path, checkpoint: str = "best"
) -> Callable[[KSpace, CoilMaps, Mask], Cine]:
    """Restore the network of a workdir; see `jdmri.restore`."""
    config = workdir.load_config(Path(folder))
    state, _ = build.restore_state(config, Path(folder), checkpoint)
    return reconstructor(build.build_model(config), jax.device_put(state.variables))


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
