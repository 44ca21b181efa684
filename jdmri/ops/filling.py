"""Filling of k-space along time: what no frame sampled comes from the frames that did.

The functions are linear in k-space, so they work on hybrid (ky, x) data (`sense.fold`) as well.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Complex, Float, Int

from jdmri.typing import Array, KSpace, Mask

_NEVER = 1 << 20  # farther away than any frame


def temporal_mean(kspace: KSpace, mask: Mask) -> Complex[Array, "*batch 1 coil ky kx"]:
    """Return ``Σ_t m_t y_t / Σ_t m_t`` as one frame; points that no frame sampled are 0.

    Args:
        kspace: ``[*batch, frame, coil, ky, kx]``, zero where not sampled (``x`` for hybrid data).
        mask: ``[*batch, frame, ky, kx or 1]``.
    """
    count = jnp.sum(mask, axis=-3, keepdims=True)[..., None, :, :]
    return jnp.sum(kspace, axis=-4, keepdims=True) / jnp.maximum(count, 1)


def fill_temporal_average(kspace: KSpace, mask: Mask) -> KSpace:
    """Fill with `temporal_mean`; points that no frame sampled stay 0.

    Args:
        kspace: ``[*batch, frame, coil, ky, kx]``, zero where not sampled (``x`` for hybrid data).
        mask: ``[*batch, frame, ky, kx or 1]``.
    """
    return jnp.where(mask[..., None, :, :], kspace, temporal_mean(kspace, mask))


def _linear(back: Int[Array, "..."], ahead: Int[Array, "..."]) -> Float[Array, "..."]:
    """The weight of a neighbour is the other's share of the gap."""
    return ahead / jnp.maximum(back + ahead, 1)


# The weight of the previous sample, from the frames back to it and ahead to the next.
VIEW_SHARING_MODES = {
    "linear": _linear,
    "nearest": lambda back, ahead: jnp.where(back <= ahead, 1.0, 0.0),
    "sliding_window": lambda back, ahead: jnp.ones_like(back, float),
}


def fill_view_sharing(kspace: KSpace, mask: Mask, *, cyclic: bool, mode: str = "linear") -> KSpace:
    """Fill each point from the previous and the next frame that sampled it, in time.

    Args:
        kspace: ``[*batch, frame, coil, ky, kx]``, zero where not sampled (``x`` for hybrid data).
        mask: ``[*batch, frame, ky, kx or 1]``.
        cyclic: the last frame is followed by the first. Otherwise the ends take the nearest sample.
        mode: ``linear``, ``nearest`` or ``sliding_window``, see `jdmri.classical.view_sharing`.

    Points that no frame sampled stay 0.
    """
    back = _frames_since_sample(mask, cyclic)
    ahead = jnp.flip(_frames_since_sample(jnp.flip(mask, axis=-3), cyclic), axis=-3)
    weight = VIEW_SHARING_MODES[mode](back, ahead)
    # A neighbour that does not exist gets no weight, and a sampled point is its own neighbour.
    weight = jnp.where(back >= _NEVER, 0.0, jnp.where(ahead >= _NEVER, 1.0, weight))
    weight = jnp.where(back + ahead == 0, 1.0, weight)[..., None, :, :]
    num_frames = mask.shape[-3]
    frame = _frame_index(mask)
    previous = _take_frames(kspace, (frame - back) % num_frames)
    following = _take_frames(kspace, (frame + ahead) % num_frames)
    shared = weight * previous + (1 - weight) * following
    return jnp.where(mask[..., None, :, :], kspace, shared)


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
