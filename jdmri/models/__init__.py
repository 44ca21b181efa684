"""Flax networks. A model maps ``(kspace, maps, mask)`` to a cine, a denoiser a cine to a cine.

A new network is one new file in ``denoisers`` or ``unrolled``, which registers its class.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn

from jdmri.models.pretrained import flagship
from jdmri.models.registry import DENOISERS, MODELS
from jdmri.runtime.registry import import_modules

import_modules(f"{__name__}.denoisers")
import_modules(f"{__name__}.unrolled")
globals().update(MODELS.exports() | DENOISERS.exports())  # models.Cascade and the others


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


__all__ = ["DENOISERS", "MODELS", "build", "flagship", *MODELS.exports(), *DENOISERS.exports()]
