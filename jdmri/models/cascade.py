"""Unrolled cascade: denoise, return to the measured data, repeat (Schlemper et al. 2018)."""

import flax.linen as nn

from jdmri.errors import InputError
from jdmri.models import unrolled
from jdmri.models.start import starting_image
from jdmri.ops import consistency, sense
from jdmri.typing import Cine, CoilMaps, KSpace, Mask

CONSISTENCY = ("cg", "soft", "hard")


class Cascade(nn.Module):
    """``num_cascades`` rounds of a denoiser and data consistency.

    A Python loop: with weights of their own that is the clear form, and on a CPU the fast one.

    Attributes:
        denoiser: maps a cine to a cine; any module of ``DENOISERS``.
        num_cascades: rounds.
        shared: whether all rounds use the same denoiser weights.
        remat: recompute each denoiser in the backward pass: less memory, more time.
        start: ``zero_filled``, ``temporal_average`` or ``view_sharing``.
        consistency: with z the denoised image, ``soft`` is one gradient step of ``λ ‖E x - y‖² + ‖x - z‖²``
            and ``cg`` its minimum, the same for one coil; λ is learned for each round. ``hard`` is λ = ∞.
        initial_weight: λ at the start, > 0.
        num_iterations: of conjugate gradients, for ``cg``.
        cyclic: whether the last frame is followed by the first.
    """

    denoiser: nn.Module
    num_cascades: int = 3
    shared: bool = False
    remat: bool = False
    start: str = "temporal_average"
    consistency: str = "soft"
    initial_weight: float = 10.0
    num_iterations: int = 10
    cyclic: bool = True

    @nn.compact
    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask, train: bool = False) -> Cine:
        """Reconstruct ``[batch, frame, y, x]`` from undersampled k-space."""
        if self.consistency not in CONSISTENCY:
            raise InputError(f"consistency must be cg, soft or hard, got {self.consistency!r}.")
        encoding, data = sense.fold(kspace, maps, mask)
        cine = starting_image(self.start, data, encoding, cyclic=self.cyclic)
        for index in range(self.num_cascades):
            cine = unrolled.denoise(self, cine, index, train, shared=self.shared, remat=self.remat)
            cine = self._return_to_data(index, cine, data, encoding)
        return cine

    def _return_to_data(
        self, index: int, cine: Cine, data: KSpace, encoding: sense.Encoding
    ) -> Cine:
        if self.consistency == "hard":
            return consistency.hard(cine, data, encoding)
        weight = unrolled.positive(self, f"weight_{index}", self.initial_weight)
        if self.consistency == "soft":
            return consistency.soft(cine, data, encoding, weight)
        # λ weighs the data here, the image in MoDL.
        return consistency.conjugate_gradient(cine, data, encoding, 1 / weight, self.num_iterations)
