"""Channel and spatial attention (CBAM; Woo et al. 2018, arXiv:1807.06521), as in S0."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.models.layers.basic import BatchNorm, conv2d, dense


class Attention(nn.Module):
    """Weigh channels by a shared network of their mean and maximum, then pixels likewise.

    Attributes:
        ratio: by how much the channel network narrows.
    """

    ratio: int = 4

    @nn.compact
    def __call__(self, x: Float[Array, "b y x c"], train: bool) -> Float[Array, "b y x c"]:
        """Scale ``x`` by both attention maps."""
        channels = x.shape[-1]
        narrow = dense(channels // self.ratio, use_bias=False)
        widen = dense(channels, use_bias=False)
        pooled = [x.mean(axis=(1, 2), keepdims=True), x.max(axis=(1, 2), keepdims=True)]
        x = x * nn.sigmoid(sum(widen(nn.relu(narrow(p))) for p in pooled))
        pixels = jnp.stack([x.mean(axis=-1), x.max(axis=-1)], axis=-1)
        pixels = BatchNorm()(conv2d(1, 7, use_bias=False)(pixels), train)
        return x * nn.sigmoid(pixels)
