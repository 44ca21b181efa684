"""3-D ResNet: residual convolutions over frame, y and x, the head of S0."""

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from jdmri.models.layers.basic import BatchNorm, Conv3D, max_pool3


class ResNet3D(nn.Module):
    """(3,7,7) convolution, 3×3×3 maximum, one residual block, linear up-sampling to full size.

    S0 fed the frames as channels with depth 1, so that its kernels had no temporal extent; here
    the caller decides what the frame axis is.

    Attributes:
        width: channels.
        stride: of the first convolution along y and x (2 in S0).
        cyclic: whether time wraps around.
    """

    width: int = 32
    stride: int = 1
    cyclic: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "b t y x c"], train: bool) -> Float[Array, "b t y x f"]:
        """Map ``x`` to ``width`` features of the same size; the caller projects them."""
        shape = (*x.shape[:-1], self.width)
        x = self._conv((3, 7, 7), self.stride)(x)
        x = max_pool3(nn.relu(BatchNorm()(x, train)))
        y = nn.relu(BatchNorm()(self._conv()(x), train))
        x = nn.relu(x + BatchNorm()(self._conv()(y), train))
        return jax.image.resize(x, shape, "linear") if self.stride > 1 else x

    def _conv(self, kernel=(3, 3, 3), stride=1):
        return Conv3D(self.width, kernel, stride, use_bias=False, cyclic=self.cyclic)
