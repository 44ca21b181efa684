"""One image-domain network on the starting image, without data consistency."""

import flax.linen as nn

from jdmri.models.registry import MODELS
from jdmri.models.unrolled.rounds import denoise
from jdmri.models.unrolled.start import starting_image
from jdmri.ops import sense
from jdmri.typing import Cine, CoilMaps, KSpace, Mask


@MODELS.register("denoise")
class Denoise(nn.Module):
    """The denoiser applied once.

    Attributes:
        denoiser: maps a cine to a cine.
        start: ``zero_filled`` (as S0), ``temporal_average`` or ``view_sharing``.
        cyclic: whether the last frame is followed by the first.
        precision: of the denoiser: ``float32``, ``tf32`` or ``bfloat16``.
    """

    denoiser: nn.Module
    start: str = "zero_filled"
    cyclic: bool = True
    precision: str = "float32"

    @nn.compact
    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask, train: bool = False) -> Cine:
        """Reconstruct ``[batch, frame, y, x]`` from undersampled k-space."""
        encoding, data = sense.fold(kspace, maps, mask)
        cine = starting_image(self.start, data, encoding, cyclic=self.cyclic)
        return denoise(self.denoiser, cine, train, self.precision)
