"""Frames as channels: how 2-D networks see a cine of a fixed number of frames."""

import flax.linen as nn
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jdmri.errors import InputError
from jdmri.models.layers.precision import wide
from jdmri.typing import Cine


class FramesAsChannels(nn.Module):
    """A denoiser with frames as channels, built for one number of frames.

    Attributes:
        num_frames: number of frames.
    """

    num_frames: int


def check_frames(cine: Cine, num_frames: int, network: str) -> None:
    """Refuse a cine of another length.

    Raises:
        InputError: naming both numbers.
    """
    if cine.shape[-3] != num_frames:
        raise InputError(
            f"this {network} was built for {num_frames} frames, the series has {cine.shape[-3]}; use "
            f"a network that convolves over time (spacetime_cnn, cnn3d), or train one with "
            f"num_frames={cine.shape[-3]}."
        )


def frames_to_channels(x: Float[Array, "b t y x"]) -> Float[Array, "b y x t"]:
    """Put the frames last."""
    return jnp.moveaxis(x, 1, -1)


def complex_to_channels(cine: Cine) -> Float[Array, "b y x channels"]:
    """Put real parts, then imaginary parts of all frames last."""
    return jnp.concatenate(
        [jnp.moveaxis(cine.real, 1, -1), jnp.moveaxis(cine.imag, 1, -1)], axis=-1
    )


def channels_to_complex(x: Float[Array, "b y x channels"]) -> Cine:
    """Invert `complex_to_channels`."""
    real, imag = jnp.split(jnp.moveaxis(wide(x), -1, 1), 2, axis=1)
    return lax.complex(real, imag)
