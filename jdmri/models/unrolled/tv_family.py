"""A family of reconstructions without learning: adaptive total variation, less and more of it, and view sharing."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Complex

from jdmri.classical import adaptive_tv
from jdmri.classical.problem import restored
from jdmri.typing import Array, CoilMaps, KSpace, Mask

Family = Complex[Array, "*batch member frame y x"]

# Beside the start: factors of λ in time and in space, and the iterations that go on from it with them.
_FACTORS = ((1 / 3, 1 / 2), (3.0, 2.0))
_MORE_ITERATIONS = 8


def tv_family(
    kspace: KSpace, maps: CoilMaps, mask: Mask, settings: adaptive_tv.AdaptiveTV
) -> Family:
    """Reconstruct by four methods: adaptive total variation, with less, with more of it, and view sharing.

    No gradient flows back: the iterations of total variation would all have to be kept.

    Args:
        kspace: ``[*batch, frame, coil, ky, kx]``.
        maps: ``[*batch, coil, y, x]``.
        mask: ``[*batch, frame, ky, kx or 1]``; each series has the iterations of its own R.
        settings: of adaptive total variation.
    """
    one = partial(_of_one_series, settings)
    for _ in range(kspace.ndim - 4):
        one = jax.vmap(one)
    return one(lax.stop_gradient(kspace), lax.stop_gradient(maps), mask)


def _of_one_series(settings, kspace, maps, mask) -> Family:
    series = adaptive_tv.shared(kspace, maps, mask, settings.cyclic)
    state, weight, spatial, _ = settings.run(series, adaptive_tv.acceleration(mask))

    def neighbour(factors):
        time, space = factors
        more = settings.advance(series, state, time * weight, space * spatial, _MORE_ITERATIONS)
        return more[0]

    neighbours = lax.map(neighbour, jnp.asarray(_FACTORS, jnp.float32))
    members = jnp.concatenate([state[0][None], neighbours, series.start[None]])
    return jax.vmap(lambda cine: restored(cine, mask))(members)
