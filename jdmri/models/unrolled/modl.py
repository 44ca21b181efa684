"""MoDL: one denoiser, and least squares solved by conjugate gradients, in turn."""

from jdmri.models.layers.basic import positive
from jdmri.models.registry import MODELS
from jdmri.models.unrolled.rounds import Unrolled
from jdmri.ops import consistency
from jdmri.ops.sense import Encoding
from jdmri.typing import Cine, KSpace, Scalar


@MODELS.register("modl")
class MoDL(Unrolled):
    """Alternate ``z = D(x)`` and ``x = argmin ‖E x - y‖² + λ ‖x - z‖²`` with one D and one λ for all rounds.

    Aggarwal et al. 2019, "MoDL: model-based deep learning architecture for inverse problems",
    doi:10.1109/TMI.2018.2865356. Published with ten rounds, ten iterations and a CNN on single images from
    the zero-filled start; here D sees all frames. The other attributes are those of `Unrolled`.

    Attributes:
        num_iterations: of conjugate gradients in each round. Ten leave 0.3 % of error with λ = 0.05, eight coils
            and R = 4 to 8.
        initial_weight: λ at the start, > 0; 0.05 in the authors' code.
    """

    num_iterations: int = 10
    initial_weight: float = 0.05

    shared = True

    def numbers(self) -> list[Scalar]:
        """Return λ, the same for all rounds."""
        return [positive(self, "weight", self.initial_weight)] * self.num_cascades

    def to_data(
        self, denoised: Cine, cine: Cine, data: KSpace, encoding: Encoding, number: Scalar
    ) -> Cine:
        """Solve the least-squares problem from x = z."""
        iterations = self.num_iterations
        return consistency.conjugate_gradient(denoised, data, encoding, number, iterations)
