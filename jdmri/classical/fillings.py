"""View sharing: unsampled points take what neighbouring frames sampled at the same place of k-space."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from jdmri.classical.method import METHODS, Method, filled
from jdmri.errors import InputError
from jdmri.typing import Array, KSpace, Mask

_NEVER = 1 << 20  # farther away than any frame


def fill_view_sharing(kspace: KSpace, mask: Mask, *, cyclic: bool, mode: str = "linear") -> KSpace:
    """Fill each point from the previous and the next frame that sampled it, in time.

    Args:
        kspace: ``[*batch, frame, coil, ky, kx]``, zero where not sampled (``x`` for hybrid data).
        mask: ``[*batch, frame, ky, kx or 1]``.
        cyclic: the last frame is followed by the first. Otherwise the ends take the nearest sample.
        mode: ``linear``, ``nearest`` or ``sliding_window``, see `view_sharing`.

    Points that no frame sampled stay 0.
    """
    back = _frames_since_sample(mask, cyclic)
    ahead = jnp.flip(_frames_since_sample(jnp.flip(mask, axis=-3), cyclic), axis=-3)
    weight = _WEIGHTS[mode](back, ahead)
    # A neighbour that does not exist gets no weight, and a sampled point is its own neighbour.
    weight = jnp.where(back >= _NEVER, 0.0, jnp.where(ahead >= _NEVER, 1.0, weight))
    weight = jnp.where(back + ahead == 0, 1.0, weight)[..., None, :, :]
    num_frames = mask.shape[-3]
    frame = _frame_index(mask)
    previous = _take_frames(kspace, (frame - back) % num_frames)
    following = _take_frames(kspace, (frame + ahead) % num_frames)
    shared = weight * previous + (1 - weight) * following
    return jnp.where(mask[..., None, :, :], kspace, shared)


@METHODS.register("view_sharing")
def view_sharing(*, mode: str = "linear", cyclic: bool = True) -> Method:
    """View sharing (Foo et al. 1995, doi:10.1148/radiology.195.2.7724769): borrow lines in time.

    Args:
        mode: what an unsampled point takes.
            ``linear``: the straight line between its previous and its next sample.
            ``nearest``: the sample nearest in time, of two equally near ones the earlier.
            ``sliding_window``: the newest sample, as in MR fluoroscopy (Riederer et al. 1988,
            doi:10.1002/mrm.1910080102). It needs nothing from the future and lags behind. The window reaches
            back until each point is found: R frames when a uniform mask moves on by one line a frame.
        cyclic: the last frame is followed by the first, as in gated series.

    Raises:
        InputError: an unknown mode.
    """
    if mode not in _WEIGHTS:
        raise InputError(f"view_sharing knows the modes {', '.join(_WEIGHTS)}, got mode={mode!r}.")
    return filled(functools.partial(fill_view_sharing, cyclic=cyclic, mode=mode))


def _linear(back: Int[Array, "..."], ahead: Int[Array, "..."]) -> Float[Array, "..."]:
    """The weight of a neighbour is the other's share of the gap."""
    return ahead / jnp.maximum(back + ahead, 1)


# The weight of the previous sample, from the frames back to it and ahead to the next.
_WEIGHTS = {
    "linear": _linear,
    "nearest": lambda back, ahead: jnp.where(back <= ahead, 1.0, 0.0),
    "sliding_window": lambda back, ahead: jnp.ones_like(back, float),
}


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
