"""MoDL: one denoiser, and least squares solved by conjugate gradients, in turn."""

import flax.linen as nn

from jdmri.models.unrolled import rounds
from jdmri.models.unrolled.start import starting_image
from jdmri.ops import consistency, sense
from jdmri.typing import Cine, CoilMaps, KSpace, Mask


class MoDL(nn.Module):
    """Alternate ``z = D(x)`` and ``x = argmin ‖E x - y‖² + λ ‖x - z‖²`` with one D and one λ for all rounds.

    Aggarwal et al. 2019, "MoDL: model-based deep learning architecture for inverse problems",
    doi:10.1109/TMI.2018.2865356. Published with ten rounds, ten iterations and a CNN on single images from
    the zero-filled start; here D sees all frames.

    Attributes:
        denoiser: D; any module of ``DENOISERS``.
        num_cascades: rounds.
        num_iterations: of conjugate gradients in each round. Ten leave 0.3 % of error with λ = 0.05, eight coils
            and R = 4 to 8.
        memory: ``plain``; ``remat``: recompute each denoiser in the backward pass, less memory for more time; or ``scan_remat``: all
            rounds as one loop besides; with jax 0.10 a CPU saves memory only so.
        precision: of the denoiser: ``float32``, ``tf32`` or ``bfloat16``.
        start: ``zero_filled``, ``temporal_average`` or ``view_sharing``.
        initial_weight: λ at the start, > 0; 0.05 in the authors' code.
        cyclic: whether the last frame is followed by the first.
    """

    denoiser: nn.Module
    num_cascades: int = 3
    num_iterations: int = 10
    memory: str = "plain"
    precision: str = "float32"
    start: str = "temporal_average"
    initial_weight: float = 0.05
    cyclic: bool = True

    @nn.compact
    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask, train: bool = False) -> Cine:
        """Reconstruct ``[batch, frame, y, x]`` from undersampled k-space."""
        encoding, data = sense.fold(kspace, maps, mask)
        weight = rounds.positive(self, "weight", self.initial_weight)
        cine = starting_image(self.start, data, encoding, cyclic=self.cyclic)
        to_data = lambda denoised, cine, weight: consistency.conjugate_gradient(
            denoised, data, encoding, weight, self.num_iterations
        )
        weights = [weight] * self.num_cascades
        return rounds.rounds(self, cine, to_data, weights, train=train, shared=True)
