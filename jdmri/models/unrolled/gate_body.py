"""The network that a gated cascade asks for gates: (2+1)-D at half resolution, one set of weights for all frames."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.models.layers.basic import TimeConv, conv2d, dense
from jdmri.models.layers.precision import wide


class GateBody(nn.Module):
    """The network that gives the gates: 3×3 convolutions in space, 3-frame ones in time, on 2×2 blocks of pixels; it starts at zero.

    Attributes:
        features: output channels.
        width: channels inside.
        depth: number of (spatial, temporal) pairs.
        cyclic: whether time wraps around.
    """

    features: int
    width: int
    depth: int
    cyclic: bool

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t y x c"], hidden: Float[Array, "b*t v u h"] | None
    ) -> tuple[Float[Array, "b t y x f"], Float[Array, "b*t v u h"]]:
        """Map channels of every frame to ``features`` channels.

        Args:
            x: of any height and width; odd ones are padded by their edge inside.
            hidden: what the body of the cascade before had inside; None: there was none.

        Returns:
            The channels, and what this body had inside.
        """
        batch, frames, height, width = x.shape[:4]
        x = x.reshape(-1, *x.shape[2:])
        x = jnp.pad(x, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        h = conv2d(self.width, name="space_0")(space_to_depth(x))
        if hidden is not None:
            h = h + dense(self.width, use_bias=False, name="carry")(hidden)
        for i in range(self.depth):
            h = conv2d(self.width, name=f"space_{i}")(h) if i > 0 else h
            h = nn.relu(h).reshape(batch, frames, *h.shape[1:])
            h = TimeConv(self.width, 3, self.cyclic, name=f"time_{i}")(h)
            h = nn.relu(h.reshape(-1, *h.shape[2:]))
        y = conv2d(4 * self.features, kernel_init=nn.initializers.zeros, name="gates")(h)
        y = wide(depth_to_space(y))[:, :height, :width]
        return y.reshape(batch, frames, *y.shape[1:]), h


def space_to_depth(x: Float[Array, "n y x c"]) -> Float[Array, "n y//2 x//2 4*c"]:
    """Put each block of 2×2 pixels into the channels."""
    count, height, width, channels = x.shape
    blocks = x.reshape(count, height // 2, 2, width // 2, 2, channels)
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(count, height // 2, width // 2, -1)


def depth_to_space(x: Float[Array, "n y x c"]) -> Float[Array, "n 2*y 2*x c//4"]:
    """Invert `space_to_depth`."""
    count, height, width, channels = x.shape
    blocks = x.reshape(count, height, width, 2, 2, channels // 4)
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(count, 2 * height, 2 * width, -1)
