"""Unrolled cascade: denoise, return to the measured data, repeat (Schlemper et al. 2018)."""

import flax.linen as nn
import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.models.unrolled import rounds
from jdmri.models.unrolled.start import starting_image
from jdmri.ops import consistency, sense
from jdmri.typing import Cine, CoilMaps, KSpace, Mask, Scalar

CONSISTENCY = ("cg", "soft", "hard")


class Cascade(nn.Module):
    """``num_cascades`` rounds of a denoiser and data consistency.

    Attributes:
        denoiser: maps a cine to a cine; any module of ``DENOISERS``.
        num_cascades: rounds.
        shared: whether all rounds use the same denoiser weights.
        memory: ``plain``; ``remat``: recompute each denoiser in the backward pass, less memory for more time; or ``scan_remat``: all
            rounds as one loop besides; with jax 0.10 a CPU saves memory only so.
        precision: of the denoiser: ``float32``, ``tf32`` or ``bfloat16``.
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
    memory: str = "plain"
    precision: str = "float32"
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
        to_data = lambda denoised, cine, weight: self._to_data(denoised, data, encoding, weight)
        weights = [self._weight(index) for index in range(self.num_cascades)]
        return rounds.rounds(self, cine, to_data, weights, train=train, shared=self.shared)

    def _weight(self, index: int) -> Scalar:
        if self.consistency == "hard":
            return jnp.inf
        return rounds.positive(self, f"weight_{index}", self.initial_weight)

    def _to_data(self, cine: Cine, data: KSpace, encoding: sense.Encoding, weight: Scalar) -> Cine:
        if self.consistency == "hard":
            return consistency.hard(cine, data, encoding)
        if self.consistency == "soft":
            return consistency.soft(cine, data, encoding, weight)
        # λ weighs the data here, the image in MoDL.
        return consistency.conjugate_gradient(cine, data, encoding, 1 / weight, self.num_iterations)
