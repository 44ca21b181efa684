"""End-to-end variational network with time: gradient steps beside a denoiser, and refined coil maps."""

import flax.linen as nn

from jdmri.models.registry import MODELS
from jdmri.models.unrolled.refine_maps import RefineMaps
from jdmri.models.unrolled.rounds import Unrolled
from jdmri.ops import consistency
from jdmri.ops.sense import Encoding
from jdmri.typing import Cine, CoilMaps, KSpace, Mask, Scalar


@MODELS.register("varnet")
class VarNet(Unrolled):
    """``num_cascades`` rounds of ``x ← D(x) - η Eᴴ(E x - y)`` with a D and an η each.

    Hammernik et al. 2018, doi:10.1002/mrm.26977, with D(x) - x for the negative gradient of the regulariser;
    Sriram et al. 2020, "End-to-end variational networks", arXiv:2004.06688, write it in k-space and
    estimate the maps, too. Unlike in `Cascade`, both terms see the same x. The other attributes are those
    of `Unrolled`.

    Attributes:
        initial_step: η at the start; 1 as published.
        refine_maps: correct the given maps by a small network before the first round.
        maps_width: channels of that network.
    """

    initial_step: float = 1.0
    refine_maps: bool = True
    maps_width: int = 8

    @nn.compact
    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask, train: bool = False) -> Cine:
        """Refine the maps, and reconstruct ``[batch, frame, y, x]`` from undersampled k-space."""
        if self.refine_maps:
            maps = RefineMaps(self.maps_width, name="refine_maps")(kspace, maps, mask)
        return super().__call__(kspace, maps, mask, train)

    def numbers(self) -> list[Scalar]:
        """Return η for each round."""
        initial = nn.initializers.constant(self.initial_step)
        return [self.param(f"step_{index}", initial, ()) for index in range(self.num_cascades)]

    def to_data(
        self, denoised: Cine, cine: Cine, data: KSpace, encoding: Encoding, number: Scalar
    ) -> Cine:
        """Add the gradient step of x to the denoised image."""
        return denoised + (consistency.gradient_step(cine, data, encoding, number) - cine)
