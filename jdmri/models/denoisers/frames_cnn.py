"""Residual 2-D CNN with frames as channels: the cheapest denoiser per decibel on a CPU."""

import flax.linen as nn
import jax.numpy as jnp

from jdmri.models.denoisers.frames import (
    FramesAsChannels,
    channels_to_complex,
    check_frames,
    complex_to_channels,
)
from jdmri.models.layers.basic import conv2d
from jdmri.models.registry import DENOISERS
from jdmri.typing import Cine


@DENOISERS.register("frames_cnn")
class FramesCNN(FramesAsChannels):
    """A few 3×3 convolutions on the deviation of each frame from the temporal mean.

    The mean is given as two further channels. The last convolution starts at zero, so that an
    untrained network returns its input.

    Attributes:
        num_frames: number of frames the network is built for.
        width: channels inside.
        depth: number of convolutions, at least 2.
    """

    width: int = 48
    depth: int = 4

    @nn.compact
    def __call__(self, cine: Cine, train: bool = False) -> Cine:
        """Improve a cine ``[batch, frame, y, x]``."""
        check_frames(cine, self.num_frames, "frames_cnn")
        mean = jnp.mean(cine, axis=1, keepdims=True)
        x = jnp.concatenate([complex_to_channels(cine - mean), complex_to_channels(mean)], axis=-1)
        for _ in range(self.depth - 1):
            x = nn.relu(conv2d(self.width)(x))
        x = conv2d(2 * self.num_frames, kernel_init=nn.initializers.zeros)(x)
        return cine + channels_to_complex(x)
