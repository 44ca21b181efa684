"""2-D networks that see one frame at a time: the UNet and the ResNet of S3.

Ghodrati et al. 2019, "MR image reconstruction using deep learning: evaluation of network structure and
loss functions", doi:10.21037/qims.2019.08.10.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.errors import InputError
from jdmri.models.denoisers.unet import UNet
from jdmri.models.layers.basic import (
    BatchNorm,
    conv2d,
    from_channels,
    to_channels,
)
from jdmri.models.layers.precision import wide
from jdmri.models.registry import DENOISERS
from jdmri.typing import Cine

DOMAINS = ("magnitude", "complex")


@DENOISERS.register("unet")
class FrameUNet(nn.Module):
    """UNet with two poolings on each frame; 1.3 M parameters at width 54.

    The exact widths of S3's figure are not printed; its parameter count is.

    Attributes:
        width: channels of the first stage.
        domain: ``magnitude`` (as published; the phase of the input is kept) or ``complex``.
        dropout: rate in the encoder.
    """

    width: int = 54
    domain: str = "magnitude"
    dropout: float = 0.0

    @nn.compact
    def __call__(self, cine: Cine, train: bool = False) -> Cine:
        """Improve a cine ``[batch, frame, y, x]``."""
        network = UNet(self.width, self.dropout, attention="none", depth=2)
        return _add_to_frames(cine, self.domain, lambda x: network(x, train))


@DENOISERS.register("resnet")
class FrameResNet(nn.Module):
    """ResNet_k[32, 3] on each frame: a convolution, k residual blocks, two convolutions.

    Each block is (3×3 convolution, BatchNorm, ReLU) twice, added to its input; about 0.1 M parameters with
    four blocks of 32 channels.

    Attributes:
        num_blocks: k, 2 to 7 as published.
        width: channels.
        domain: ``magnitude`` (as published; the phase of the input is kept) or ``complex``.
    """

    num_blocks: int = 4
    width: int = 32
    domain: str = "magnitude"

    @nn.compact
    def __call__(self, cine: Cine, train: bool = False) -> Cine:
        """Improve a cine ``[batch, frame, y, x]``."""
        return _add_to_frames(cine, self.domain, lambda x: self._features(x, train))

    def _features(self, x, train):
        x = conv2d(self.width)(x)
        for _ in range(self.num_blocks):
            y = x
            for _ in range(2):
                y = nn.relu(BatchNorm()(conv2d(self.width, use_bias=False)(y), train))
            x = x + y
        return nn.relu(conv2d(self.width)(x))


def _add_to_frames(cine: Cine, domain: str, features) -> Cine:
    """Run ``features`` on all frames, project them to an image, and add it to the input.

    Called inside a compact module, which owns the projection; it starts at zero.
    """
    if domain not in DOMAINS:
        raise InputError(f"domain must be magnitude or complex, got {domain!r}.")
    image = to_channels(cine) if domain == "complex" else jnp.abs(cine)[..., None]
    flat: Float[Array, "n y x c"] = image.reshape(-1, *image.shape[2:])
    change = conv2d(image.shape[-1], kernel_init=nn.initializers.zeros)(features(flat))
    change = wide(change).reshape(image.shape)
    if domain == "complex":
        return cine + from_channels(change)
    magnitude = jnp.abs(cine)
    phase = cine / jnp.where(magnitude > 0, magnitude, 1.0)
    return (magnitude + change[..., 0]) * jnp.where(magnitude > 0, phase, 1.0)
