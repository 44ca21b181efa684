"""Low rank, and low rank plus sparse, as sigpy solves the problems with singular values by numpy."""

import numpy as np

from benchmarks.peers.sigpy import Sigpy
from jdmri.classical import METHODS


class SigpyLowRank(Sigpy):
    """The nuclear norm of frames by pixels, by FISTA."""

    method = "low_rank"

    def __init__(self, data, weight):
        """Take λ as a fraction of the largest singular value of the temporal average."""
        super().__init__(data, weight)
        self.settings = dict(weight=weight)
        self.threshold = weight * singular_values(self.start).max()

    def run(self, num_iterations: int):
        """Return the image."""
        outer = self

        class Shrink(self.sigpy.prox.Prox):
            def _prox(self, step, image):
                return shrink_rank(image, step * outer.threshold)

        return self.solve(num_iterations, proxg=Shrink(self.shape), alpha=1)

    def objective(self, image):
        """Misfit + λ ‖C x‖_*."""
        return self.misfit(image) + self.threshold * np.sum(singular_values(image))


class SigpyLowRankSparse(Sigpy):
    """L + S by FISTA on the pair; as a fraction of the scale that `jdmri.classical.l_plus_s` states, λ_S is twice λ_L."""

    method = "l_plus_s"

    def __init__(self, data, weight):
        """Take the fraction of λ_L."""
        super().__init__(data, 2 * weight)
        self.settings = dict(low_rank_weight=weight, sparse_weight=2 * weight)
        self._limit = weight * singular_values(self.start).max()
        linop = self.sigpy.linop
        self._spectrum = linop.FFT(self.shape, axes=(0,), center=False)
        self.operator = self.operator * linop.Sum((2, *self.shape), axes=(0,))

    def run(self, num_iterations: int):
        """Return L and S."""
        outer = self

        class Pair(self.sigpy.prox.Prox):
            def _prox(self, step, parts):
                low_rank = shrink_rank(parts[0], step * outer._limit)
                return np.stack([low_rank, outer._shrink_spectrum(parts[1], step)])

        start = np.stack([self.start, np.zeros_like(self.start)])
        return self.solve(num_iterations, x=start, proxg=Pair((2, *self.shape)), alpha=1 / 2)

    def image(self, found):
        """Return L + S."""
        return found.sum(axis=0) if isinstance(found, np.ndarray) else super().image(found)

    def cost(self, found):
        """Return the objective of L and S; ours gives their sum only, so that its own objective counts, in single precision."""
        if isinstance(found, np.ndarray):
            return self.objective(found.astype(np.complex128))
        method = METHODS.build({"name": self.method, **self.settings})
        return float(method.trace(*self.data, num_iterations=int(found.iterations))[0][-1])

    def objective(self, parts):
        """Misfit + λ_L ‖C L‖_* + λ_S Σ |F_t S|."""
        rank = self._limit * np.sum(singular_values(parts[0]))
        sparse = self.threshold * np.sum(np.abs(self._spectrum * parts[1]))
        return self.misfit(parts) + rank + sparse

    def _shrink_spectrum(self, cine, step):
        shrink = self.sigpy.thresh.soft_thresh
        return self._spectrum.H * shrink(step * self.threshold, self._spectrum * cine)


def singular_values(cine):
    """Of frames by pixels."""
    return np.linalg.svd(cine.reshape(len(cine), -1), compute_uv=False)


def shrink_rank(cine, limit: float):
    """Shrink them towards zero."""
    left, values, right = np.linalg.svd(cine.reshape(len(cine), -1), full_matrices=False)
    return (left * np.maximum(values - limit, 0) @ right).reshape(cine.shape)
