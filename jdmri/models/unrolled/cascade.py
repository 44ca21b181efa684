"""Unrolled cascade: denoise, return to the measured data, repeat (Schlemper et al. 2018)."""

import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.models.layers.basic import positive
from jdmri.models.registry import MODELS
from jdmri.models.unrolled.rounds import Unrolled
from jdmri.ops import consistency
from jdmri.ops.sense import Encoding
from jdmri.typing import Cine, KSpace, Scalar

CONSISTENCY = ("cg", "soft", "hard")


@MODELS.register("cascade")
class Cascade(Unrolled):
    """``num_cascades`` rounds of a denoiser and data consistency.

    Schlemper et al. 2018, doi:10.1109/TMI.2017.2760978. The other attributes are those of `Unrolled`.

    Attributes:
        shared: whether all rounds use the same denoiser weights.
        consistency: with z the denoised image, ``soft`` is one gradient step of ``λ ‖E x - y‖² + ‖x - z‖²``
            and ``cg`` its minimum, the same for one coil; λ is learned for each round. ``hard`` is λ = ∞.
        initial_weight: λ at the start, > 0.
        num_iterations: of conjugate gradients, for ``cg``.
    """

    shared: bool = False
    consistency: str = "soft"
    initial_weight: float = 10.0
    num_iterations: int = 10

    def numbers(self) -> list[Scalar]:
        """Return λ for each round."""
        if self.consistency not in CONSISTENCY:
            raise InputError(f"consistency must be cg, soft or hard, got {self.consistency!r}.")
        if self.consistency == "hard":
            return [jnp.inf] * self.num_cascades
        names = [f"weight_{index}" for index in range(self.num_cascades)]
        return [positive(self, name, self.initial_weight) for name in names]

    def to_data(
        self, denoised: Cine, cine: Cine, data: KSpace, encoding: Encoding, number: Scalar
    ) -> Cine:
        """Make the denoised image consistent with the data."""
        if self.consistency == "hard":
            return consistency.hard(denoised, data, encoding)
        if self.consistency == "soft":
            return consistency.soft(denoised, data, encoding, number)
        # λ weighs the data here, the image in MoDL.
        iterations = self.num_iterations
        return consistency.conjugate_gradient(denoised, data, encoding, 1 / number, iterations)
