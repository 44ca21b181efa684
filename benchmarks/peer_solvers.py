"""Problems of the methods without training as sigpy, BART and deepinv solve them, for `classical_solvers`.

Each states the problem's objective in double precision, for any image, and runs some number of iterations from
the temporal average.
"""

import numpy as np
from bart_pics import llr, pics

from jdmri.classical import METHODS
from jdmri.classical.llr import to_blocks


class Sigpy:
    """E and y for `sigpy.app.LinearLeastSquares`, the mean of the frames held near that of the start."""

    library, method = "sigpy", ""

    def __init__(self, data, weight: float, mean_weight: float):
        """Take k-space, maps and mask, and the weights of `method`."""
        import sigpy

        self.sigpy, self.settings = sigpy, dict(weight=weight, mean_weight=mean_weight)
        self.kspace, self.maps, self.mask = (np.asarray(a) for a in data)
        self.shape = (len(self.kspace), *self.kspace.shape[-2:])
        self.start = np.asarray(METHODS.build({"name": "temporal_average"})(*data))
        self.threshold = weight * np.abs(self.start).max()
        # More rows of the operator, and of the data.
        root = np.sqrt(mean_weight / len(self.kspace))
        mean = root * sigpy.linop.Sum(self.shape, axes=(0,))
        self.operator = sigpy.linop.Vstack([self.encoding(), mean])
        self.measured = np.concatenate([self.kspace.ravel(), root * self.start.sum(axis=0).ravel()])
        self.lipschitz = 1 + mean_weight

    def encoding(self):
        """Return E: coils, Fourier transform, samples."""
        linop = self.sigpy.linop
        frames, *size = self.shape
        keep = np.broadcast_to(self.mask[:, None], self.kspace.shape).astype(np.complex64)
        spread = linop.Multiply((frames, 1, *size), self.maps[None])
        transform = linop.FFT(self.kspace.shape, axes=(-2, -1))
        apart = linop.Reshape((frames, 1, *size), self.shape)
        return linop.Multiply(self.kspace.shape, keep) * transform * spread * apart

    def solve(self, num_iterations: int, **options):
        """Return the image after some iterations."""
        options |= dict(x=self.start.copy(), max_iter=num_iterations, show_pbar=False)
        return self.sigpy.app.LinearLeastSquares(self.operator, self.measured, **options).run()

    def misfit(self, image) -> float:
        """½‖E x − y‖² + μ/2 ‖F_0 (x − x̄)‖²."""
        return np.sum(np.abs(self.operator * image - self.measured) ** 2) / 2


class SigpySparse(Sigpy):
    """k-t SPARSE by FISTA."""

    method = "kt_sparse"

    def spectrum(self):
        """Return F_t."""
        return self.sigpy.linop.FFT(self.shape, axes=(0,), center=False)

    def thresholds(self):
        """Return λ by frequency: none for the mean."""
        weights = self.threshold * (np.arange(self.shape[0]) > 0)
        return np.broadcast_to(weights.reshape(-1, 1, 1), self.shape).astype(np.float32)

    def run(self, num_iterations):
        """Return the image."""
        shrink = self.sigpy.prox.L1Reg(self.shape, self.thresholds())
        prox = self.sigpy.prox.UnitaryTransform(shrink, self.spectrum())
        return self.solve(num_iterations, proxg=prox, alpha=1 / self.lipschitz)

    def objective(self, image):
        """Misfit + Σ λ_f |F_t x|."""
        image = image.astype(np.complex128)
        penalty = np.sum(self.thresholds() * np.abs(self.spectrum() * image))
        return self.misfit(image) + penalty


class SigpyVariation(Sigpy):
    """Temporal total variation by the primal–dual iteration, with sigpy's steps."""

    method = "temporal_tv"

    def differences(self):
        """Return D_t."""
        return self.sigpy.linop.FiniteDifference(self.shape, axes=(0,))

    def run(self, num_iterations):
        """Return the image."""
        operator = self.differences()
        shrink = self.sigpy.prox.L1Reg(operator.oshape, self.threshold)
        return self.solve(num_iterations, proxg=shrink, G=operator)

    def objective(self, image):
        """Misfit + λ Σ |D_t x|."""
        image = image.astype(np.complex128)
        return self.misfit(image) + self.threshold * np.sum(np.abs(self.differences() * image))


class BartVariation(SigpyVariation):
    """The same by BART's ADMM; the mean is free."""

    library = "BART"

    def __init__(self, data, weight, mean_weight):
        """Take λ."""
        super().__init__(data, weight, 0.0)

    def run(self, num_iterations):
        """Return the image."""
        options = dict(iterations=num_iterations, start=self.start)
        return pics(self.kspace, self.maps, self.mask, f"T:1024:0:{self.threshold}", **options)


class BartLowRank(Sigpy):
    """Locally low rank on one grid, by BART's ADMM."""

    library, method, block = "BART", "llr", 8

    def __init__(self, data, weight, mean_weight):
        """Take λ relative to the largest singular value; the mean is free."""
        super().__init__(data, weight, 0.0)
        self.settings = dict(weight=weight, block=self.block, num_shifts=1)
        self.threshold = weight * self.singular_values(self.start).max()

    def singular_values(self, image):
        """Of all blocks."""
        blocks = to_blocks(np.asarray(image, np.complex64), self.block, 0)
        return np.linalg.svd(np.asarray(blocks, np.complex128), compute_uv=False)

    def run(self, num_iterations):
        """Return the image."""
        penalty, options = llr(self.threshold, self.block, self.shape)
        given = dict(iterations=num_iterations, start=self.start, options=options)
        return pics(self.kspace, self.maps, self.mask, penalty, **given)

    def objective(self, image):
        """Misfit + λ Σ_b ‖C_b x‖_*."""
        penalty = self.threshold * np.sum(self.singular_values(image))
        return self.misfit(image.astype(np.complex128)) + penalty


class DeepinvSparse(SigpySparse):
    """k-t SPARSE, the mean free, by deepinv's FISTA with its `DynamicMRI`; one coil."""

    library = "deepinv"

    def __init__(self, data, weight, mean_weight):
        """Take λ."""
        super().__init__(data, weight, 0.0)
        import deepinv
        import torch

        class Spectrum(deepinv.optim.Prior):
            def prox(prior, x, *args, gamma=1.0, **options):
                values = torch.fft.fft(to_complex(x), dim=0, norm="ortho")
                left = torch.clamp(1 - gamma * thresholds / values.abs().clamp(min=1e-30), min=0)
                return to_real(torch.fft.ifft(values * left, dim=0, norm="ortho"))

        to_complex = lambda x: torch.complex(x[0, 0], x[0, 1])
        to_real = lambda z: torch.stack([z.real, z.imag])[None]
        thresholds = torch.tensor(self.thresholds())
        mask = np.broadcast_to(self.mask, self.shape).astype(np.float32)
        self._physics = deepinv.physics.DynamicMRI(mask=torch.tensor(mask)[None, None])
        self._kspace = to_real(torch.tensor(self.kspace[:, 0]))
        self._start = to_real(torch.tensor(self.start))
        self._fista = lambda n: deepinv.optim.FISTA(
            data_fidelity=deepinv.optim.L2(), prior=Spectrum(), stepsize=1.0, max_iter=n
        )
        self._to_complex = to_complex

    def run(self, num_iterations):
        """Return the image."""
        found = self._fista(num_iterations)(
            self._kspace, self._physics, init=(self._start, self._start)
        )
        return self._to_complex(found).numpy()
