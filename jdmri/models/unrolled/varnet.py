"""End-to-end variational network with time: gradient steps beside a denoiser, and refined coil maps."""

import flax.linen as nn

from jdmri.models.unrolled import rounds
from jdmri.models.unrolled.refine_maps import RefineMaps
from jdmri.models.unrolled.start import starting_image
from jdmri.ops import consistency, sense
from jdmri.typing import Cine, CoilMaps, KSpace, Mask


class VarNet(nn.Module):
    """``num_cascades`` rounds of ``x ← D(x) - η Eᴴ(E x - y)`` with a D and an η each.

    Hammernik et al. 2018, doi:10.1002/mrm.26977, with D(x) - x for the negative gradient of the regulariser;
    Sriram et al. 2020, "End-to-end variational networks", arXiv:2004.06688, write it in k-space and
    estimate the maps, too. Unlike in `Cascade`, both terms see the same x.

    Attributes:
        denoiser: D; any module of ``DENOISERS``.
        num_cascades: rounds.
        memory: ``plain``; ``remat``: recompute each denoiser in the backward pass, less memory for more time; or ``scan_remat``: all
            rounds as one loop besides; with jax 0.10 a CPU saves memory only so.
        precision: of the denoiser: ``float32``, ``tf32`` or ``bfloat16``.
        start: ``zero_filled``, ``temporal_average`` or ``view_sharing``.
        initial_step: η at the start; 1 as published.
        refine_maps: correct the given maps by a small network before the first round.
        maps_width: channels of that network.
        cyclic: whether the last frame is followed by the first.
    """

    denoiser: nn.Module
    num_cascades: int = 3
    memory: str = "plain"
    precision: str = "float32"
    start: str = "temporal_average"
    initial_step: float = 1.0
    refine_maps: bool = True
    maps_width: int = 8
    cyclic: bool = True

    @nn.compact
    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask, train: bool = False) -> Cine:
        """Reconstruct ``[batch, frame, y, x]`` from undersampled k-space."""
        if self.refine_maps:
            maps = RefineMaps(self.maps_width, name="refine_maps")(kspace, maps, mask)
        encoding, data = sense.fold(kspace, maps, mask)
        cine = starting_image(self.start, data, encoding, cyclic=self.cyclic)
        init = nn.initializers.constant(self.initial_step)
        steps = [self.param(f"step_{index}", init, ()) for index in range(self.num_cascades)]

        def to_data(denoised, cine, step):
            return denoised + (consistency.gradient_step(cine, data, encoding, step) - cine)

        return rounds.rounds(self, cine, to_data, steps, train=train, shared=False)
