"""Convolutions as XLA runs them fast on a CPU, and the plain ones.

There the weight gradient is that of `weight_gradient`; a 3-D convolution is a sum of 2-D ones; and few channels of a result are doubled, by
two columns at a time.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jdmri.models.layers.weight_gradient import shifted, weight_gradient

_NHWC = ("NHWC", "HWIO", "NHWC")
_NDHWC = ("NDHWC", "DHWIO", "NDHWC")
# XLA's products run at half their speed or less when one side has few channels: up to _NARROW, frames or columns stand side by side.
# Results of up to _FEW channels, those of last layers, are cheap to shift and add.
_FEW, _NARROW = 4, 16


def on_cpu() -> bool:
    """Whether the formulations for a CPU are to be used."""
    return jax.default_backend() == "cpu"


def conv3d(
    x: Float[Array, "b t y x c"], kernel: Float[Array, "k j i c f"], stride: int = 1
) -> Float[Array, "b t2 v u f"]:
    """Convolve over frame, y and x; padded along y and x only.

    Args:
        x: frames with those that the kernel needs on both sides.
        kernel: odd sizes.
        stride: the step along y and x.
    """
    padding = [(0, 0), *((size // 2, size // 2) for size in kernel.shape[1:3])]
    steps = (1, stride, stride)
    return lax.conv_general_dilated(x, kernel, steps, padding, dimension_numbers=_NDHWC)


def conv3d_by_frames(
    x: Float[Array, "b t y x c"], kernel: Float[Array, "k j i c f"], stride: int = 1
) -> Float[Array, "b t2 v u f"]:
    """Compute `conv3d` as a sum of 2-D convolutions; with few channels on one side as one, in which they stand side by side."""
    if x.shape[-1] <= _NARROW:
        stacked = jnp.concatenate(shifted(x, 1, len(kernel)), axis=-1)
        joint = jnp.moveaxis(kernel, 0, 2).reshape(*kernel.shape[1:3], -1, kernel.shape[-1])
        return _by_frame(partial(conv2d, kernel=joint, stride=stride), stacked)
    if kernel.shape[-1] <= _FEW:
        return _sum_of_channels(x, kernel, stride)
    return _sum_over_frames(x, kernel, stride) if stride > 1 else _sum_in_strips(x, kernel)


def general(x: Array, kernel: Array, strides: tuple[int, ...], padding: object, **options) -> Array:
    """Stand in for `lax.conv_general_dilated` in `flax.linen.Conv`: `conv2d` where it applies."""
    plain = all(d == 1 for k in ("lhs_dilation", "rhs_dilation") for d in options[k])
    odd = all(size % 2 for size in kernel.shape[:2])
    same = odd and list(padding) == [(size // 2, size // 2) for size in kernel.shape[:2]]
    if plain and same and set(strides) == {1} and options["feature_group_count"] == 1:
        return conv2d(x, kernel)
    return lax.conv_general_dilated(x, kernel, strides, padding, **options)


def conv2d(
    x: Float[Array, "n y x c"], kernel: Float[Array, "j i c f"], stride: int = 1
) -> Float[Array, "n v u f"]:
    """Convolve with padding ``size // 2`` on each side, as `lax.conv_general_dilated`.

    Args:
        x: images, channels last.
        kernel: odd sizes.
        stride: the step along y and x; the strips are for 1.
    """
    return _conv(x, kernel, stride) if stride > 1 else _conv_in_strips(x, kernel)


def _conv(x: Array, kernel: Array, stride: int = 1) -> Array:
    padding = [(size // 2, size // 2) for size in kernel.shape[:2]]
    return lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=_NHWC)


def _conv_of_stride_1(x: Array, kernel: Array) -> Array:
    """Choose the faster form; measured for 2 to 48 channels, results of 2 to 64, 20 frames of 96×96 and 192×192."""
    width, channels, features = kernel.shape[1:]
    few = features <= _NARROW and channels <= max(_NARROW, 2 * features)
    return _by_pairs_of_columns(x, kernel) if few and width > 1 else _conv(x, kernel)


def _by_pairs_of_columns(x: Array, kernel: Array) -> Array:
    """Convolve in steps of two columns by a kernel that is one wider: its result has both columns side by side.

    That is (w + 1) / w times the arithmetic, but products with few columns, here the channels of the result, run at half the speed.
    """
    sides = [jnp.pad(kernel, ((0, 0), (i, 1 - i), (0, 0), (0, 0))) for i in (0, 1)]
    height, width, _, features = kernel.shape
    columns = x.shape[2]
    padding = [(height // 2, height // 2), (width // 2, width // 2 + columns % 2)]
    both = jnp.concatenate(sides, axis=-1)
    pairs = lax.conv_general_dilated(x, both, (1, 2), padding, dimension_numbers=_NHWC)
    return pairs.reshape(*x.shape[:2], -1, features)[:, :, :columns]


def _by_frame(function: Callable[[Array], Array], x: Array) -> Array:
    """Apply a function of images ``[n, y, x, c]`` to ``[b, t, y, x, c]``."""
    y = function(x.reshape(-1, *x.shape[2:]))
    return y.reshape(*x.shape[:2], *y.shape[1:])


def _sum_of_channels(x: Array, kernel: Array, stride: int) -> Array:
    """Convolve every frame with all frames of the kernel, and add what belongs to the same output."""
    joint = jnp.moveaxis(kernel, 0, 3).reshape(*kernel.shape[1:4], -1)
    parts = jnp.split(_by_frame(partial(conv2d, kernel=joint, stride=stride), x), len(kernel), -1)
    frames = x.shape[1] - len(kernel) + 1
    return sum(lax.slice_in_dim(p, i, i + frames, axis=1) for i, p in enumerate(parts))


def _sum_over_frames(x: Array, kernel: Array, stride: int = 1) -> Array:
    convolve = lambda k: partial(_conv, kernel=k, stride=stride)
    windows = shifted(x, 1, len(kernel))
    return sum(_by_frame(convolve(k), w) for w, k in zip(windows, kernel, strict=True))


@jax.custom_vjp
def _sum_in_strips(x: Array, kernel: Array) -> Array:
    return _sum_over_frames(x, kernel)


def _sum_forward(x, kernel):
    return _sum_over_frames(x, kernel), (x, kernel)


def _sum_backward(saved, gradient):
    x, kernel = saved
    (to_x,) = jax.linear_transpose(partial(_sum_over_frames, kernel=kernel), x)(gradient)
    return to_x, weight_gradient(x, gradient, kernel.shape[:3])


_sum_in_strips.defvjp(_sum_forward, _sum_backward)


@jax.custom_vjp
def _conv_in_strips(x: Array, kernel: Array) -> Array:
    return _conv_of_stride_1(x, kernel)


def _forward(x, kernel):
    return _conv_of_stride_1(x, kernel), (x, kernel)


def _backward(saved, gradient):
    x, kernel = saved
    to_x = _conv_of_stride_1(gradient, jnp.swapaxes(kernel[::-1, ::-1], 2, 3))
    return to_x, weight_gradient(x[:, None], gradient[:, None], (1, *kernel.shape[:2]))[0]


_conv_in_strips.defvjp(_forward, _backward)
