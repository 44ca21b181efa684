"""View sharing: unsampled points are interpolated in time between sampled neighbours."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Int

from jdmri.classical.method import METHODS, Method, filled
from jdmri.typing import Array, KSpace, Mask

_NEVER = 1 << 20  # farther away than any frame


def fill_view_sharing(kspace: KSpace, mask: Mask, *, cyclic: bool) -> KSpace:
    """Interpolate each point linearly between the previous and the next frame that sampled it.

    Args:
        kspace: ``[*batch, frame, coil, ky, kx]``, zero where not sampled (``x`` for hybrid data).
        mask: ``[*batch, frame, ky, kx or 1]``.
        cyclic: the last frame is followed by the first. Otherwise the ends take the nearest sample.

    Points that no frame sampled stay 0.
    """
    back = _frames_since_sample(mask, cyclic)
    ahead = jnp.flip(_frames_since_sample(jnp.flip(mask, axis=-3), cyclic), axis=-3)
    # The weight of a neighbour is the other's share of the gap; one that does not exist gets none.
    gap = jnp.maximum(back + ahead, 1)
    weight = jnp.where(back >= _NEVER, 0.0, jnp.where(ahead >= _NEVER, 1.0, ahead / gap))
    weight = jnp.where(back + ahead == 0, 1.0, weight)[..., None, :, :]
    num_frames = mask.shape[-3]
    frame = _frame_index(mask)
    previous = _take_frames(kspace, (frame - back) % num_frames)
    following = _take_frames(kspace, (frame + ahead) % num_frames)
    shared = weight * previous + (1 - weight) * following
    return jnp.where(mask[..., None, :, :], kspace, shared)


@METHODS.register("view_sharing")
def view_sharing(*, cyclic: bool = True) -> Method:
    """Linear view sharing (temporal interpolation of k-space)."""
    return filled(functools.partial(fill_view_sharing, cyclic=cyclic))


def _frames_since_sample(mask: Mask, cyclic: bool) -> Int[Array, "*batch frame ky kx"]:
    """Count the frames back to the last sample; `_NEVER` or more if there is none."""
    num_frames = mask.shape[-3]
    frame = _frame_index(mask)
    sampled_at = jnp.where(mask, frame, -_NEVER - num_frames)
    if cyclic:
        sampled_at = jnp.concatenate([sampled_at - num_frames, sampled_at], axis=-3)
    last = jax.lax.cummax(sampled_at, axis=mask.ndim - 3)
    return frame - last[..., -num_frames:, :, :]


def _frame_index(mask: Mask) -> Int[Array, "..."]:
    return jax.lax.broadcasted_iota(
        jnp.int32, (*(1,) * (mask.ndim - 3), mask.shape[-3], 1, 1), mask.ndim - 3
    )


def _take_frames(kspace: KSpace, frame: Int[Array, "*batch frame ky #kx"]) -> KSpace:
    """Gather ``kspace[frame[t, ky, kx], coil, ky, kx]``, the index broadcast over coils and kx."""
    return jnp.take_along_axis(kspace, frame[..., None, :, :], axis=-4)
