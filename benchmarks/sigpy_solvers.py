"""Problems of the methods without training, as sigpy solves them.

Each states the problem's objective in double precision, and runs some number of iterations from the temporal average.
"""

import numpy as np

from jdmri.classical import METHODS


class Sigpy:
    """E and y for `sigpy.app.LinearLeastSquares`; with ``mean_weight`` the mean of the frames is held near that of the start.

    Attributes:
        library: whose solver it is.
        method: ours for the same problem.
        settings: of ours.
    """

    library, method = "sigpy", ""

    def __init__(self, data, weight: float, mean_weight: float = 0.0):
        """Take k-space, maps and mask, and the weights of `method`."""
        import sigpy

        self.sigpy, self.data = sigpy, data
        self.settings = dict(weight=weight, mean_weight=mean_weight)
        self.kspace, self.maps, self.mask = (np.asarray(a) for a in data)
        self.shape = (len(self.kspace), *self.kspace.shape[-2:])
        self.start = np.asarray(METHODS.build({"name": "temporal_average"})(*data))
        self.threshold = weight * np.abs(self.start).max()
        self.operator, self.measured = self.encoding(), self.kspace
        self.lipschitz = 1 + mean_weight
        if mean_weight:
            self.hold_mean(np.sqrt(mean_weight / len(self.kspace)))

    def encoding(self):
        """Return E: coils, Fourier transform, samples."""
        linop = self.sigpy.linop
        frames, *size = self.shape
        keep = np.broadcast_to(self.mask[:, None], self.kspace.shape).astype(np.complex64)
        spread = linop.Multiply((frames, 1, *size), self.maps[None])
        transform = linop.FFT(self.kspace.shape, axes=(-2, -1))
        apart = linop.Reshape((frames, 1, *size), self.shape)
        return linop.Multiply(self.kspace.shape, keep) * transform * spread * apart

    def hold_mean(self, root: float):
        """Give the operator, and the data, more rows."""
        mean = root * self.sigpy.linop.Sum(self.shape, axes=(0,))
        self.operator = self.sigpy.linop.Vstack([self.operator, mean])
        self.measured = np.concatenate([self.kspace.ravel(), root * self.start.sum(axis=0).ravel()])

    def solve(self, num_iterations: int, **options):
        """Return the image after some iterations."""
        options = dict(x=self.start.copy(), max_iter=num_iterations, show_pbar=False) | options
        return self.sigpy.app.LinearLeastSquares(self.operator, self.measured, **options).run()

    def misfit(self, image) -> float:
        """½‖E x − y‖² + μ/2 ‖F_0 (x − x̄)‖²."""
        return np.sum(np.abs(self.operator * image - self.measured) ** 2) / 2

    def image(self, found):
        """Return the cine of what `run`, or our method's ``solve``, returned."""
        return np.asarray(getattr(found, "cine", found))

    def cost(self, found) -> float:
        """Return the objective of it."""
        return self.objective(self.image(found).astype(np.complex128))


class SigpySparse(Sigpy):
    """k-t SPARSE by FISTA."""

    method = "kt_sparse"

    def transform(self):
        """Return F_t, unitary."""
        return self.sigpy.linop.FFT(self.shape, axes=(0,), center=False)

    def thresholds(self):
        """Return λ by frequency: none for the mean."""
        weights = self.threshold * (np.arange(self.shape[0]) > 0)
        return np.broadcast_to(weights.reshape(-1, 1, 1), self.shape).astype(np.float32)

    def run(self, num_iterations: int):
        """Return the image."""
        shrink = self.sigpy.prox.L1Reg(self.shape, self.thresholds())
        prox = self.sigpy.prox.UnitaryTransform(shrink, self.transform())
        return self.solve(num_iterations, proxg=prox, alpha=1 / self.lipschitz)

    def objective(self, image):
        """Misfit + Σ λ |U x|."""
        penalty = np.sum(self.thresholds() * np.abs(self.transform() * image))
        return self.misfit(image) + penalty


class SigpyWavelet(SigpySparse):
    """Spatial wavelets by FISTA, those of pywt: Daubechies' four taps on periodic images, three levels."""

    method, levels = "wavelet", 3

    def __init__(self, data, weight, mean_weight=0.0):
        """Take λ."""
        import pywt

        super().__init__(data, weight)
        self.settings = dict(weight=weight, num_levels=self.levels)
        _, self._slices = self.analyse(np.zeros(self.shape))
        self._pywt = pywt

    def analyse(self, cine):
        """Return the coefficients, and where they are; pywt counts pairs from the sample before."""
        import pywt

        rolled = np.roll(cine, (1, 1), (-2, -1))
        parts = pywt.wavedec2(rolled, "db2", mode="periodization", level=self.levels)
        return pywt.coeffs_to_array(parts, axes=(-2, -1))

    def synthesise(self, coefficients):
        """Return the images."""
        parts = self._pywt.array_to_coeffs(coefficients, self._slices, output_format="wavedec2")
        image = self._pywt.waverec2(parts, "db2", mode="periodization", axes=(-2, -1))
        return np.roll(image, (-1, -1), (-2, -1))

    def transform(self):
        """Return W."""
        outer = self

        class Wavelets(self.sigpy.linop.Linop):
            def __init__(self, forward=True):
                self.forward = forward
                super().__init__(outer.shape, outer.shape)

            def _apply(self, cine):
                result = outer.analyse(cine)[0] if self.forward else outer.synthesise(cine)
                return result.astype(cine.dtype)

            def _adjoint_linop(self):
                return Wavelets(not self.forward)

        return Wavelets()

    def thresholds(self):
        """Return λ by coefficient: none for the coarsest approximation."""
        weights = np.full(self.shape, self.threshold, np.float32)
        weights[(..., *self._slices[0][-2:])] = 0
        return weights


class SigpyVariation(Sigpy):
    """Temporal total variation by the primal–dual iteration, with sigpy's steps unless others are given."""

    method, axes = "temporal_tv", (0,)

    def differences(self):
        """Return D."""
        return self.sigpy.linop.FiniteDifference(self.shape, axes=self.axes)

    def thresholds(self):
        """Return λ by axis."""
        return self.threshold

    def run(self, num_iterations: int, **options):
        """Return the image."""
        operator = self.differences()
        shrink = self.sigpy.prox.L1Reg(operator.oshape, self.thresholds())
        return self.solve(num_iterations, proxg=shrink, G=operator, **options)

    def objective(self, image):
        """Misfit + Σ λ |D x|."""
        return self.misfit(image) + np.sum(self.thresholds() * np.abs(self.differences() * image))


class SigpySpatiotemporal(SigpyVariation):
    """Total variation along time, and with a fifth of the weight in space."""

    method, axes, ratio = "spatiotemporal_tv", (0, 1, 2), 0.2

    def __init__(self, data, weight, mean_weight=0.0):
        """Take λ_t; the spatial weight holds the mean."""
        super().__init__(data, weight)
        self.settings = dict(weight=weight, spatial_weight=self.ratio * weight)

    def thresholds(self):
        """Return λ by axis."""
        weights = np.array([1, self.ratio, self.ratio], np.float32)
        return self.threshold * weights.reshape(3, 1, 1, 1)


class SigpyLowRankSparse(SigpySparse):
    """L + S by FISTA on the pair; singular values by numpy. λ_S is twice λ_L."""

    method = "l_plus_s"

    def __init__(self, data, weight, mean_weight=0.0):
        """Take λ_L."""
        super().__init__(data, 2 * weight)
        self.settings = dict(low_rank_weight=weight, sparse_weight=2 * weight)
        self._limit = weight * self._singular_values(self.start).max()
        self.operator = self.operator * self.sigpy.linop.Sum((2, *self.shape), axes=(0,))

    def thresholds(self):
        """Return λ_S; the mean's, too."""
        return np.full(self.shape, self.threshold, np.float32)

    def run(self, num_iterations: int):
        """Return L and S."""
        outer, transform = self, self.transform()

        class Pair(self.sigpy.prox.Prox):
            def _prox(self, step, parts):
                low_rank = outer._shrink_rank(parts[0], step)
                sparse = outer.sigpy.thresh.soft_thresh(
                    step * outer.threshold, transform * parts[1]
                )
                return np.stack([low_rank, transform.H * sparse])

        start = np.stack([self.start, np.zeros_like(self.start)])
        return self.solve(num_iterations, x=start, proxg=Pair((2, *self.shape)), alpha=1 / 2)

    def image(self, found):
        """Return L + S."""
        return found.sum(axis=0) if isinstance(found, np.ndarray) else super().image(found)

    def cost(self, found):
        """Return the objective of the pair, or where ours, which gives the sum only, says that it ended."""
        if isinstance(found, np.ndarray):
            return self.objective(found.astype(np.complex128))
        method = METHODS.build({"name": self.method, **self.settings})
        return float(method.trace(*self.data, num_iterations=int(found.iterations))[0][-1])

    def objective(self, parts):
        """Misfit + λ_L ‖C L‖_* + λ_S Σ |F_t S|."""
        rank = self._limit * np.sum(self._singular_values(parts[0]))
        sparse = self.threshold * np.sum(np.abs(self.transform() * parts[1]))
        return self.misfit(parts) + rank + sparse

    def _singular_values(self, cine):
        return np.linalg.svd(cine.reshape(len(cine), -1), compute_uv=False)

    def _shrink_rank(self, cine, step):
        left, values, right = np.linalg.svd(cine.reshape(len(cine), -1), full_matrices=False)
        return (left * np.maximum(values - step * self._limit, 0) @ right).reshape(cine.shape)
