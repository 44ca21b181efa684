"""3-D residual CNNs: a plain stack of convolutions, at full or at half resolution."""

import flax.linen as nn
import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.models.layers.basic import (
    BatchNorm,
    Conv3D,
    UpSample2x,
    dense,
    from_channels,
    to_channels,
)
from jdmri.models.layers.precision import narrow
from jdmri.models.registry import DENOISERS
from jdmri.typing import Cine


@DENOISERS.register("cnn3d")
class CNN3D(nn.Module):
    """``depth`` 3×3×3 convolutions of real and imaginary part, added to the input.

    S1's simple network is ``depth=4``; its complex one ``depth=8, downsample=True`` (a strided convolution
    before and an up-sampling after; Shen et al., ShanghaiTech course BME1312; widths are not printed).
    Schlemper's denoiser is ``depth=5, width=64`` (2018, doi:10.1109/TMI.2017.2760978). The last layer
    starts at zero, so that an untrained network returns its input.

    Attributes:
        width: channels inside.
        depth: number of convolutions, at least 2.
        downsample: work at half resolution in y and x; the input joins again before the last layer.
        dropout: rate after each activation.
        batch_norm: normalise before each activation.
        cyclic: whether time wraps around.
    """

    width: int = 32
    depth: int = 4
    downsample: bool = False
    dropout: float = 0.0
    batch_norm: bool = False
    cyclic: bool = True

    @nn.compact
    def __call__(self, cine: Cine, train: bool = False) -> Cine:
        """Improve a cine ``[batch, frame, y, x]``."""
        if self.depth < 2:
            raise InputError(f"cnn3d needs depth of 2 or more, got {self.depth}.")
        x = to_channels(cine)
        if self.downsample:
            return cine + from_channels(self._at_half_resolution(x, train))
        for _ in range(self.depth - 1):
            x = self._layer(x, train)
        last = Conv3D(2, cyclic=self.cyclic, zero_init=True)
        return cine + from_channels(last(x))

    def _at_half_resolution(self, x, train):
        height, width = x.shape[2:4]
        x = jnp.pad(x, ((0, 0), (0, 0), (0, height % 2), (0, width % 2), (0, 0)))
        skip = x
        x = self._layer(x, train, stride=2)
        for _ in range(self.depth):
            x = self._layer(x, train)
        frames = UpSample2x(self.width)(x.reshape(-1, *x.shape[2:]))
        x = nn.relu(frames).reshape(*skip.shape[:-1], self.width)
        x = dense(2, kernel_init=nn.initializers.zeros)(jnp.concatenate([x, narrow(skip)], axis=-1))
        return x[:, :, :height, :width]

    def _layer(self, x, train, stride=1):
        bias = not self.batch_norm
        x = Conv3D(self.width, stride=stride, use_bias=bias, cyclic=self.cyclic)(x)
        x = nn.relu(BatchNorm()(x, train) if self.batch_norm else x)
        return nn.Dropout(self.dropout, deterministic=not train)(x) if self.dropout else x
