"""Convolutions as XLA runs them fast on a CPU, and the plain ones.

There the weight gradient is a product over strips of rows that stay in the cache: XLA's own is up to twice as slow on large
images, and 15–70 times inside a loop; and a 3-D convolution is a sum of 2-D ones.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

_NHWC = ("NHWC", "HWIO", "NHWC")
_NDHWC = ("NDHWC", "DHWIO", "NDHWC")
_FEW, _NARROW = 4, 16  # channels: of a result, of an image
_STRIP_BYTES = 2**20  # of the shifted copies of a strip: about the cache of a core
_AT_ONCE = 2  # strips


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


def shifted(x: Float[Array, "..."], axis: int, width: int) -> list[Array]:
    """Return the ``width`` windows of ``n - width + 1`` elements that lie in the n along an axis, the first one first."""
    length = x.shape[axis] - width + 1
    return [lax.slice_in_dim(x, i, i + length, axis=axis) for i in range(width)]


def general(x: Array, kernel: Array, strides: tuple[int, ...], padding: object, **options) -> Array:
    """Stand in for `lax.conv_general_dilated` in `flax.linen.Conv`: `conv2d` where it applies."""
    plain = all(d == 1 for k in ("lhs_dilation", "rhs_dilation") for d in options[k])
    same = list(padding) == [(size // 2, size // 2) for size in kernel.shape[:2]]
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
    return _conv(x, kernel)


def _forward(x, kernel):
    return _conv(x, kernel), (x, kernel)


def _backward(saved, gradient):
    x, kernel = saved
    (to_x,) = jax.linear_transpose(partial(_conv, kernel=kernel), x)(gradient)
    return to_x, weight_gradient(x[:, None], gradient[:, None], (1, *kernel.shape[:2]))[0]


_conv_in_strips.defvjp(_forward, _backward)


def weight_gradient(
    x: Float[Array, "b t y x c"], gradient: Float[Array, "b t2 y x f"], size: tuple[int, int, int]
) -> Float[Array, "k j i c f"]:
    """Sum shifted image × gradient over strips: some rows of a frame.

    The image is copied for shifts along time and x, the gradient for those along y: one product of these copies holds all pairs, and
    3 + 3 copies are fewer than the 9 of one side. Two strips at a time, as each copy is made by one core.
    """
    frames, height, width = size
    starts, rows = _strips(x, gradient, size)
    below = int(starts[..., 2].max()) + rows - x.shape[2]
    x = jnp.pad(x, ((0, 0), (0, 0), (0, below), (width // 2, width // 2), (0, 0)))
    rim = (height // 2, height // 2 + below)
    gradient = jnp.pad(gradient, ((0, 0), (0, 0), rim, (0, 0), (0, 0)))
    channels, features = x.shape[-1], gradient.shape[-1]

    def product(start):
        place = (*start, *np.zeros(2, np.int32))  # with 64 bits plain zeros would be longer
        cut = lambda a, *shape: lax.dynamic_slice(a, place, (1, *shape, *a.shape[3:]))[0]
        image, part = cut(x, frames, rows), cut(gradient, 1, rows + height - 1)[0]
        windows = [w for frame in image for w in shifted(frame, 1, width)]
        # Down in the kernel is up in the gradient.
        sides = shifted(part, 0, height)[::-1], windows
        contracted = (((0, 1), (0, 1)), ((), ()))
        joined = (jnp.concatenate(side, axis=-1) for side in sides)
        return lax.dot_general(*joined, contracted, preferred_element_type=wide)

    def add(total, several):
        return total + sum(product(start) for start in several), None

    wide = jnp.promote_types(x.dtype, jnp.float32)
    zero = jnp.zeros((height * features, frames * width * channels), wide)
    total, _ = lax.scan(add, zero, jnp.asarray(starts))
    total = total.reshape(height, features, frames, width, channels)
    return total.transpose(2, 0, 3, 4, 1).astype(x.dtype)


def _strips(x: Array, gradient: Array, size: tuple[int, int, int]) -> tuple[np.ndarray, int]:
    """Divide the gradient's frames: the (image, frame, row) where strips begin, ``_AT_ONCE`` in a row, and their height."""
    frames, height, width = size
    batch, times, lines, columns, features = gradient.shape
    copies = frames * width * x.shape[-1] + height * features
    most = max(1, _STRIP_BYTES // (columns * copies * x.dtype.itemsize))
    count = -(-lines // most)
    count += batch * times * count % _AT_ONCE
    rows = -(-lines // count)
    starts = np.indices((batch, times, count), np.int32).reshape(3, -1).T * [1, 1, rows]
    return starts.reshape(-1, _AT_ONCE, 3).astype(np.int32), rows
