"""Sources of coil maps for a reconstruction: given, ESPIRiT, Walsh.

Each factory gives a function ``(kspace, mask, given) -> maps``: ``kspace [frame, coil, ky, kx]`` as it was acquired,
``mask [frame, ky, kx or 1]``, and the maps ``[coil, y, x]`` that came with the series.
"""

from collections.abc import Callable

import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.ops import calibration
from jdmri.ops import espirit as eigen
from jdmri.runtime.registry import Registry
from jdmri.typing import CoilMaps, KSpace, Mask

COIL_MAPS = Registry("source of coil maps")
Estimator = Callable[[KSpace, Mask, CoilMaps], CoilMaps]


@COIL_MAPS.register("given")
def given() -> Estimator:
    """Take the maps that come with a series: a phantom's own, or those that made the reference."""
    return lambda kspace, mask, maps: maps


@COIL_MAPS.register("espirit")
def espirit(*, kernel: int = 6, limit: int = 24, crop: float = 0.95) -> Estimator:
    """Estimate by ESPIRiT (`jdmri.ops.espirit`) from the gapless centre of the temporal mean.

    Args:
        kernel: side of the neighbourhoods; at most half of the centre's lines.
        limit: most lines and columns of the centre.
        crop: least eigenvalue of the support; maps are 0 outside.
    """
    if kernel < 1 or limit < 1 or not 0 <= crop <= 1:
        raise InputError(
            f"coil_maps needs kernel and limit >= 1 and 0 <= crop <= 1, got {kernel}, {limit}, {crop:g}."
        )

    def estimate(kspace, mask, maps):
        centre, _ = calibration.calibration(kspace, mask, limit=limit)
        # With fewer than about 2 k lines the neighbourhoods span everything, and the maps are lost.
        fitting = max(min(kernel, *(n // 2 for n in centre.shape[1:])), 1)
        return eigen.espirit(centre, kspace.shape[-2:], kernel=fitting, crop=crop)

    return _several(estimate)


@COIL_MAPS.register("walsh")
def walsh(*, size: int = 9, limit: int = 48) -> Estimator:
    """Estimate by Walsh's method (`jdmri.ops.calibration.walsh`) from the gapless centre of the temporal mean.

    Args:
        size: side of the patches in pixels.
        limit: most lines and columns of the centre.
    """
    if size < 1 or limit < 1:
        raise InputError(f"coil_maps needs size and limit >= 1, got {size} and {limit}.")

    def estimate(kspace, mask, maps):
        centre, _ = calibration.calibration(kspace, mask, limit=limit)
        return calibration.walsh(calibration.low_resolution(centre, kspace.shape[-2:]), size=size)

    return _several(estimate)


def _several(estimate: Estimator) -> Estimator:
    """Give ones for a single coil, whose map is a part of the image."""

    def guarded(kspace, mask, maps):
        if kspace.shape[-3] == 1:
            return jnp.ones((1, *kspace.shape[-2:]), jnp.complex64)
        return estimate(kspace, mask, maps)

    return guarded
