"""Layers in the formulation that is fast on the device at hand, equal to the plain definitions, with the same parameters.

Channels are last: ``[batch, y, x, channel]``, in 3-D ``[batch, frame, y, x, channel]``. The plain Flax convolution in 3-D, transposed
convolution and max-pooling are 3–60 times slower on a CPU; elsewhere 3-D convolutions stay what they are.
"""

import math
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float

from jdmri.models.layers import convolution, time_convolution
from jdmri.models.layers.precision import dtype, narrow, wide
from jdmri.typing import Scalar

# Batch statistics are taken over those of these mapped axes that are bound: samples and devices in
# the training step, none in a notebook.
BATCH_AXES = ("sample", "data")

kernel_init = nn.initializers.variance_scaling(2.0, "fan_out", "normal")  # Kaiming, as S0


class Conv3D(nn.Module):
    """3-D convolution; on a CPU as a sum of 2-D convolutions over shifted frames.

    Padding is symmetric, ``kernel // 2`` on each side as in PyTorch.

    Attributes:
        features: output channels.
        kernel: sizes in (frame, y, x), odd.
        stride: the step along y and x.
        cyclic: whether time wraps around; otherwise it is padded with zeros.
        zero_init: begin with weights of zero, for the last layer of a residual network.
    """

    features: int
    kernel: Sequence[int] = (3, 3, 3)
    stride: int = 1
    use_bias: bool = True
    cyclic: bool = False
    zero_init: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "b t y x c"]) -> Float[Array, "b t v u f"]:
        """Convolve over frame, y and x."""
        shape = (*self.kernel, x.shape[-1], self.features)
        init = nn.initializers.zeros if self.zero_init else kernel_init
        kernel = self.param("kernel", init, shape)
        x, kernel = narrow(x), narrow(kernel)
        convolve = convolution.conv3d_by_frames if convolution.on_cpu() else convolution.conv3d
        y = convolve(
            time_convolution.pad_frames(x, self.kernel[0], self.cyclic), kernel, self.stride
        )
        if self.use_bias:
            bias = narrow(self.param("bias", nn.initializers.zeros, (self.features,)))
            y = y + bias.reshape(1, 1, 1, 1, -1)
        return y


class TimeConv(nn.Module):
    """Convolution along frames alone; see `time_convolution`.

    Attributes:
        features: output channels.
        width: frames in the kernel, odd.
        cyclic: whether time wraps around; otherwise it is padded with zeros.
    """

    features: int
    width: int = 3
    cyclic: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "b t y x c"]) -> Float[Array, "b t y x f"]:
        """Convolve over frames."""
        channels = x.shape[-1]
        kernel = self.param("kernel", kernel_init, (self.width * channels, self.features))
        kernel = narrow(kernel).reshape(self.width, channels, self.features)
        bias = narrow(self.param("bias", nn.initializers.zeros, (self.features,)))
        return time_convolution.convolve(narrow(x), kernel, self.cyclic) + bias.reshape(
            1, 1, 1, 1, -1
        )


class UpSample2x(nn.Module):
    """Transposed 2×2 convolution with stride 2, as a matrix product and depth-to-space."""

    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "b y x c"]) -> Float[Array, "b 2*y 2*x f"]:
        """Double height and width."""
        batch, height, width, _ = x.shape
        up = nn.DenseGeneral(
            (2, 2, self.features),
            use_bias=False,
            kernel_init=kernel_init,
            dtype=dtype(),
            name="up",
        )
        bias = narrow(self.param("bias", nn.initializers.zeros, (self.features,)))
        x = up(x) + bias.reshape(1, 1, 1, 1, 1, -1)
        return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, 2 * height, 2 * width, self.features)


class BatchNorm(nn.Module):
    """Batch normalisation over samples and devices: scale (x - mean) / √(var + ε) + bias.

    The statistics are synchronised over `BATCH_AXES`. `flax.linen.BatchNorm` cannot reduce over a
    vmapped and a device axis in one call (jax 0.10.2).
    """

    momentum: float = 0.9  # PyTorch's default, there called 0.1
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: Float[Array, "*space c"], train: bool) -> Float[Array, "*space c"]:
        """Normalise with the batch's statistics (``train``), or with the running ones."""
        size = x.shape[-1]
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, size)
        running_var = self.variable("batch_stats", "var", jnp.ones, size)
        mean, var = running_mean.value, running_var.value
        if train:
            mean, var = _batch_moments(wide(x))
            if not self.is_initializing():
                running_mean.value = _blend(running_mean.value, mean, self.momentum)
                running_var.value = _blend(running_var.value, var, self.momentum)
        scale = self.param("scale", nn.initializers.ones, (size,)) * lax.rsqrt(var + self.epsilon)
        bias = self.param("bias", nn.initializers.zeros, (size,)) - mean * scale
        broadcast = (1,) * (x.ndim - 1) + (size,)
        return x * narrow(scale).reshape(broadcast) + narrow(bias).reshape(broadcast)


def conv2d(features: int, size: int = 3, **options) -> nn.Conv:
    """Make a 2-D convolution with Kaiming initialisation."""
    options = {"kernel_init": kernel_init, "dtype": dtype()} | options
    convolve = convolution.general if convolution.on_cpu() else None
    return nn.Conv(
        features, (size, size), padding=size // 2, conv_general_dilated=convolve, **options
    )


def dense(features: int, **options) -> nn.Dense:
    """Make a product with a matrix over the channels."""
    return nn.Dense(features, dtype=dtype(), **options)


def positive(owner: nn.Module, name: str, initial: float) -> Scalar:
    """Learn a positive number: softplus of a parameter.

    Args:
        owner: of the parameter; the call stands inside its compact method.
        name: of the parameter.
        initial: first value of the number, > 0.
    """
    inverse_softplus = math.log(math.expm1(initial))
    return jax.nn.softplus(owner.param(name, nn.initializers.constant(inverse_softplus), ()))


def max_pool2x(x: Float[Array, "b y x c"]) -> Float[Array, "b y//2 x//2 c"]:
    """Take the maximum of each 2×2 block; the gradient is shared among equal maxima."""
    batch, height, width, channels = x.shape
    blocks = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
    return blocks.max(axis=(2, 4))


def max_pool3(x: Float[Array, "b t y x c"]) -> Float[Array, "b t y x c"]:
    """Take the maximum over 3×3×3 neighbours with stride 1, one axis after the other."""
    for axis in (1, 2, 3):
        pad = [(0, 0)] * x.ndim
        pad[axis] = (1, 1)
        padded = jnp.pad(x, pad, constant_values=-jnp.inf)
        shifted = [lax.slice_in_dim(padded, i, i + x.shape[axis], axis=axis) for i in (0, 2)]
        x = jnp.maximum(x, jnp.maximum(*shifted))
    return x


def to_channels(cine: Complex[Array, "*batch y x"]) -> Float[Array, "*batch y x 2"]:
    """Split a complex image into real and imaginary channels."""
    return jnp.stack([cine.real, cine.imag], axis=-1)


def from_channels(x: Float[Array, "*batch y x 2"]) -> Complex[Array, "*batch y x"]:
    """Join real and imaginary channels."""
    x = wide(x)
    return lax.complex(x[..., 0], x[..., 1])


def _batch_moments(x: Array) -> tuple[Array, Array]:
    """Mean and (population) variance of each channel over everything else, all devices included."""
    axes = tuple(range(x.ndim - 1))
    moments = jnp.mean(x, axes), jnp.mean(x * x, axes)
    for axis in BATCH_AXES:
        if _is_bound(axis):
            moments = lax.pmean(moments, axis)
    mean, square = moments
    return mean, jnp.maximum(square - mean * mean, 0.0)


def _is_bound(axis: str) -> bool:
    try:
        lax.axis_size(axis)
    except NameError:
        return False
    return True


def _blend(old: Array, new: Array, momentum: float) -> Array:
    return momentum * old + (1 - momentum) * jax.lax.stop_gradient(new)
