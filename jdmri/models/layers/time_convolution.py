"""Convolution along frames alone, a sum of matrix products: as a CPU likes it, and otherwise."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jdmri.models.layers import convolution
from jdmri.models.layers.weight_gradient import shifted, weight_gradient


def convolve(
    x: Float[Array, "b t y x c"], kernel: Float[Array, "k c f"], cyclic: bool
) -> Float[Array, "b t y x f"]:
    """Convolve over frames.

    Args:
        x: frames, channels last.
        kernel: of an odd number of frames.
        cyclic: whether time wraps around; otherwise it is padded with zeros.
    """
    common = jnp.promote_types(x.dtype, kernel.dtype)
    formulation = _sum_of_shifted if convolution.on_cpu() else _product_of_stacked
    return formulation(x.astype(common), kernel.astype(common), cyclic)


def pad_frames(x: Array, width: int, cyclic: bool) -> Array:
    """Add ``width // 2`` frames on both sides, zeros or those of the cycle."""
    pad = [(0, 0)] * x.ndim
    pad[1] = (width // 2, width // 2)
    return jnp.pad(x, pad, mode="wrap" if cyclic else "constant")


def _product_of_stacked(x: Array, kernel: Array, cyclic: bool) -> Array:
    """One product with the neighbours of a frame side by side: on a CPU, their copies take longer than the product."""
    windows = shifted(pad_frames(x, len(kernel), cyclic), 1, len(kernel))
    return jnp.dot(jnp.concatenate(windows, axis=-1), kernel.reshape(-1, kernel.shape[-1]))


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _sum_of_shifted(x: Array, kernel: Array, cyclic: bool) -> Array:
    """A product for each frame of the kernel, shifted in the sum, which XLA fuses with what follows."""
    middle = len(kernel) // 2
    return sum(_shift(jnp.dot(x, k), middle - i, cyclic) for i, k in enumerate(kernel))


def _forward(x, kernel, cyclic):
    return _sum_of_shifted(x, kernel, cyclic), (x, kernel)


def _backward(cyclic, saved, gradient):
    x, kernel = saved
    to_x = _sum_of_shifted(gradient, jnp.swapaxes(kernel, 1, 2)[::-1], cyclic)
    padded = pad_frames(x, len(kernel), cyclic)
    to_kernel = weight_gradient(padded, gradient, (len(kernel), 1, 1))
    return to_x, to_kernel.reshape(kernel.shape)


_sum_of_shifted.defvjp(_forward, _backward)


def _shift(x: Array, by: int, cyclic: bool) -> Array:
    """Move frames to later ones."""
    if cyclic:
        return jnp.roll(x, by, axis=1)
    pad = [(0, 0, 0)] * x.ndim
    pad[1] = (by, -by, 0)
    return lax.pad(x, jnp.zeros((), x.dtype), pad)
