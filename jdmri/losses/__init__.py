"""Training losses: factories of pure functions ``(estimate, reference, step) -> scalar``.

For one series ``[frame, y, x]``, complex, in the network's scale (bright tissue about 1); batch by
`jax.vmap`. Each is zero at equality and has a finite gradient there.
"""

from jdmri.losses.composite import composite
from jdmri.losses.family import LOSSES, Loss
from jdmri.losses.perceptual import note, perceptual
from jdmri.losses.pixel import charbonnier, l1, l2
from jdmri.losses.structure import dssim, edge, ssim

__all__ = [
    "LOSSES",
    "Loss",
    "charbonnier",
    "composite",
    "dssim",
    "edge",
    "l1",
    "l2",
    "note",
    "perceptual",
    "ssim",
]
