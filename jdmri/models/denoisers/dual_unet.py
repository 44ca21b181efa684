"""Dual 2-D UNet with a 3-D ResNet head: S0's network, as published and repaired.

BME1312 course project "Deep-Learning-Dynamic-MRI-Reconstruction" (ShanghaiTech University).
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jdmri.models.denoisers.frames import FramesAsChannels, check_frames, frames_to_channels
from jdmri.models.denoisers.resnet import ResNet3D
from jdmri.models.denoisers.unet import UNet
from jdmri.models.layers.basic import dense, from_channels, to_channels
from jdmri.models.layers.precision import wide
from jdmri.models.registry import DENOISERS
from jdmri.typing import Cine


@DENOISERS.register("dual_unet")
class DualUNet(FramesAsChannels):
    """Two independent UNets for the real and the imaginary part, frames as channels, then a head.

    Repaired (default): signed outputs, added to the input; the head sees real and imaginary part
    with frames as depth, so that it convolves over time, and adds its result too.

    As published (``faithful``): sigmoid outputs, which cannot represent negative parts; the head sees
    the magnitude with frames as channels and depth 1, and its sigmoid is the image, a magnitude.
    Without the head the result is √(re² + im²) of the two sigmoids: the published "attention" model.

    Attributes:
        num_frames: number of frames the network is built for.
        width: features of the first UNet stage (64 as published: 63.2 M parameters with the head).
        dropout: rate after three of the encoder stages.
        attention: ``none``, ``bottleneck`` (as published), ``encoder_decoder`` or ``all``.
        single: one UNet for both parts, which are stacked in its channels, instead of two.
        head: whether the 3-D ResNet follows.
        head_stride: its first stride; 2 as published.
        head_width: its channels; 32 as published.
        faithful: as published instead of repaired.
        cyclic: whether time wraps around.
    """

    width: int = 64
    dropout: float = 0.3
    attention: str = "bottleneck"
    single: bool = False
    head: bool = True
    head_stride: int = 1
    head_width: int = 32
    faithful: bool = False
    cyclic: bool = True

    @nn.compact
    def __call__(self, cine: Cine, train: bool = False) -> Cine:
        """Improve a cine ``[batch, frame, y, x]``."""
        check_frames(cine, self.num_frames, "dual_unet")
        if self.single:
            parts = jnp.split(self._branch(jnp.concatenate([cine.real, cine.imag], 1), train), 2, 1)
        else:
            parts = [self._branch(cine.real, train), self._branch(cine.imag, train)]
        return (
            self._published(*parts, train) if self.faithful else self._repaired(cine, *parts, train)
        )

    def _branch(self, part: Float[Array, "b t y x"], train: bool) -> Float[Array, "b t y x"]:
        features = UNet(self.width, self.dropout, self.attention)(frames_to_channels(part), train)
        init = nn.linear.default_kernel_init if self.faithful else nn.initializers.zeros
        return wide(jnp.moveaxis(dense(part.shape[1], kernel_init=init)(features), -1, 1))

    def _published(self, real, imag, train):
        magnitude = jnp.hypot(nn.sigmoid(real), nn.sigmoid(imag))
        if self.head:
            depth_one = jnp.moveaxis(magnitude, 1, -1)[:, None]
            features = ResNet3D(self.head_width, self.head_stride)(depth_one, train)
            frames = wide(dense(self.num_frames)(features)[:, 0])
            magnitude = nn.sigmoid(jnp.moveaxis(frames, -1, 1))
        return magnitude + 0j

    def _repaired(self, cine, real, imag, train):
        cine = cine + lax.complex(real, imag)
        if self.head:
            head = ResNet3D(self.head_width, self.head_stride, self.cyclic)
            features = head(to_channels(cine), train)
            cine = cine + from_channels(dense(2, kernel_init=nn.initializers.zeros)(features))
        return cine
