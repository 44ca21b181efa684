"""Flax networks. A model maps ``(kspace, maps, mask)`` to a cine, a denoiser a cine to a cine."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn

from jdmri.models.denoisers.cnn3d import CNN3D
from jdmri.models.denoisers.dual_unet import DualUNet
from jdmri.models.denoisers.frames_cnn import FramesCNN
from jdmri.models.denoisers.single_frame import FrameResNet, FrameUNet
from jdmri.models.denoisers.spacetime_cnn import SpaceTimeCNN
from jdmri.models.pretrained import flagship
from jdmri.models.unrolled.cascade import Cascade
from jdmri.models.unrolled.denoise import Denoise
from jdmri.models.unrolled.gated import Gated
from jdmri.models.unrolled.modl import MoDL
from jdmri.models.unrolled.varnet import VarNet
from jdmri.runtime.registry import Registry

MODELS = Registry("model")
DENOISERS = Registry("denoiser")

MODELS.register("cascade")(Cascade)
MODELS.register("denoise")(Denoise)
MODELS.register("gated")(Gated)
MODELS.register("modl")(MoDL)
MODELS.register("varnet")(VarNet)
DENOISERS.register("cnn3d")(CNN3D)
DENOISERS.register("dual_unet")(DualUNet)
DENOISERS.register("frames_cnn")(FramesCNN)
DENOISERS.register("resnet")(FrameResNet)
DENOISERS.register("spacetime_cnn")(SpaceTimeCNN)
DENOISERS.register("unet")(FrameUNet)


def build(section: Mapping[str, Any], **context: Any) -> nn.Module:
    """Build a model from a config section whose ``denoiser`` is itself a section.

    Args:
        section: e.g. ``dict(name="cascade", num_cascades=3, denoiser=dict(name="frames_cnn", ...))``.
        **context: facts of the data (``cyclic``) for the modules that take them.

    Raises:
        InputError: an unknown name or argument.
    """
    section = dict(section)
    if "denoiser" in section:
        section["denoiser"] = DENOISERS.build(section["denoiser"], **context)
    return MODELS.build(section, **context)


__all__ = [
    "CNN3D",
    "DENOISERS",
    "MODELS",
    "Cascade",
    "Denoise",
    "DualUNet",
    "FrameResNet",
    "FrameUNet",
    "FramesCNN",
    "Gated",
    "MoDL",
    "SpaceTimeCNN",
    "VarNet",
    "build",
    "flagship",
]
