"""2-D UNet: the branch network of S0 with four poolings, that of S3 with two."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.errors import InputError
from jdmri.models.layers.attention import Attention
from jdmri.models.layers.basic import (
    BatchNorm,
    UpSample2x,
    conv2d,
    max_pool2x,
)

ATTENTION = ("none", "bottleneck", "encoder_decoder", "all")


class UNet(nn.Module):
    """Encoder and decoder with skip connections; widths f, 2f, 4f, … doubled at each pooling.

    Each stage is (3×3 convolution, BatchNorm, LeakyReLU 0.1) twice. Images whose sizes are not multiples of
    ``2**depth`` are padded with zeros inside, and cropped at the end.

    Attributes:
        width: f.
        dropout: rate after the first, second and fourth encoder stage.
        attention: where channel and spatial attention sit: ``none``, ``bottleneck``, ``encoder_decoder`` (the
            stages above it) or ``all``.
        depth: number of poolings.
    """

    width: int = 64
    dropout: float = 0.3
    attention: str = "bottleneck"
    depth: int = 4

    @nn.compact
    def __call__(self, x: Float[Array, "b y x c"], train: bool) -> Float[Array, "b y x f"]:
        """Map ``x`` to ``width`` features of the same size; the caller projects them."""
        if self.attention not in ATTENTION:
            raise InputError(
                f"attention must be one of {', '.join(ATTENTION)}, got {self.attention!r}."
            )
        height, width = x.shape[1:3]
        multiple = 2**self.depth
        x = jnp.pad(x, ((0, 0), (0, -height % multiple), (0, -width % multiple), (0, 0)))
        skips = []
        for level in range(self.depth):
            x = self._stage(x, level, train)
            if level in (0, 1, 3):
                x = nn.Dropout(self.dropout, deterministic=not train)(x)
            skips.append(x)
            x = max_pool2x(x)
        x = self._stage(x, self.depth, train)
        for level in reversed(range(self.depth)):
            x = UpSample2x(self.width << level)(x)
            x = self._stage(jnp.concatenate([x, skips[level]], axis=-1), level, train)
        return nn.leaky_relu(conv2d(self.width)(x), 0.1)[:, :height, :width]

    def _stage(self, x, level, train):
        for _ in range(2):
            x = BatchNorm()(conv2d(self.width << level, use_bias=False)(x), train)
            x = nn.leaky_relu(x, 0.1)
        place = "bottleneck" if level == self.depth else "encoder_decoder"
        if self.attention in (place, "all"):
            x = Attention()(x, train)
        return x
