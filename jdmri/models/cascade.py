"""Unrolled cascade: denoise, return to the measured data, repeat (Schlemper et al. 2018)."""

import math

import flax.linen as nn
import jax

from jdmri.errors import InputError
from jdmri.models.start import starting_image
from jdmri.ops import consistency, sense
from jdmri.typing import Cine, CoilMaps, KSpace, Mask, Scalar

CONSISTENCY = ("soft", "hard")


class Cascade(nn.Module):
    """``num_cascades`` rounds of a denoiser and data consistency.

    A Python loop: with weights of their own that is the clear form, and on a CPU the fast one.

    Attributes:
        denoiser: maps a cine to a cine; any module of ``DENOISERS``.
        num_cascades: rounds.
        shared: whether all rounds use the same denoiser weights.
        remat: recompute each denoiser in the backward pass: less memory, more time.
        start: ``zero_filled``, ``temporal_average`` or ``view_sharing``.
        consistency: ``soft`` (one gradient step, λ learned for each round) or ``hard``.
        initial_weight: λ at the start, > 0.
        cyclic: whether the last frame is followed by the first.
    """

    denoiser: nn.Module
    num_cascades: int = 3
    shared: bool = False
    remat: bool = False
    start: str = "temporal_average"
    consistency: str = "soft"
    initial_weight: float = 10.0
    cyclic: bool = True

    @nn.compact
    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask, train: bool = False) -> Cine:
        """Reconstruct ``[batch, frame, y, x]`` from undersampled k-space."""
        if self.consistency not in CONSISTENCY:
            raise InputError(f"consistency must be soft or hard, got {self.consistency!r}.")
        encoding, data = sense.fold(kspace, maps, mask)
        cine = starting_image(self.start, data, encoding, cyclic=self.cyclic)
        for index in range(self.num_cascades):
            cine = self._denoise(index, cine, train)
            if self.consistency == "hard":
                cine = consistency.hard(cine, data, encoding)
            else:
                cine = consistency.soft(cine, data, encoding, self._weight(index))
        return cine

    def _denoise(self, index: int, cine: Cine, train: bool) -> Cine:
        denoiser = self.denoiser
        if not self.shared:
            denoiser = denoiser.clone(parent=self, name=f"denoiser_{index}")
        call = lambda module, image: module(image, train)
        return (nn.remat(call) if self.remat else call)(denoiser, cine)

    def _weight(self, index: int) -> Scalar:
        """λ = softplus(parameter), so that it stays positive."""
        inverse_softplus = math.log(math.expm1(self.initial_weight))
        return jax.nn.softplus(
            self.param(f"weight_{index}", nn.initializers.constant(inverse_softplus), ())
        )
