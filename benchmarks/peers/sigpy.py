"""Problems of the methods without training, as sigpy solves them.

Each states the problem's objective in double precision, and runs some number of iterations from the temporal average.
"""

import importlib.util
import shutil

import numpy as np

from jdmri.classical import METHODS
from jdmri.ops.solution import Solution


class Sigpy:
    """E and y for `sigpy.app.LinearLeastSquares`; with ``mean_weight`` the mean of the frames is held near that of the start.

    Attributes:
        library: whose solver it is.
        needs: Python packages.
        method: ours for the same problem.
        takes_mean_weight: whether the peer solves the problem with one.
        settings: of ours.
    """

    library, needs, method, takes_mean_weight = "sigpy", ("sigpy",), "", False

    @classmethod
    def installed(cls) -> bool:
        """Whether it can run here."""
        packages = all(importlib.util.find_spec(name) for name in cls.needs)
        return packages and (cls.library != "BART" or shutil.which("bart") is not None)

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
        return np.asarray(found.value if isinstance(found, Solution) else found)

    def cost(self, found) -> float:
        """Return the objective of it."""
        return self.objective(self.image(found).astype(np.complex128))


class SigpySparse(Sigpy):
    """k-t SPARSE by FISTA, unless steps are given."""

    method, takes_mean_weight = "kt_sparse", True

    def transform(self):
        """Return F_t, unitary."""
        return self.sigpy.linop.FFT(self.shape, axes=(0,), center=False)

    def thresholds(self):
        """Return λ by frequency: none for the mean."""
        weights = self.threshold * (np.arange(self.shape[0]) > 0)
        return np.broadcast_to(weights.reshape(-1, 1, 1), self.shape).astype(np.float32)

    def run(self, num_iterations: int, **steps):
        """Return the image; with ``sigma`` by the primal–dual iteration, which is the faster one where the mean is free."""
        shrink = self.sigpy.prox.L1Reg(self.shape, self.thresholds())
        if steps:
            return self.solve(num_iterations, proxg=shrink, G=self.transform(), **steps)
        prox = self.sigpy.prox.UnitaryTransform(shrink, self.transform())
        return self.solve(num_iterations, proxg=prox, alpha=1 / self.lipschitz)

    def objective(self, image):
        """Misfit + Σ λ |U x|."""
        penalty = np.sum(self.thresholds() * np.abs(self.transform() * image))
        return self.misfit(image) + penalty


class SigpyVariation(Sigpy):
    """Temporal total variation by the primal–dual iteration, with sigpy's steps unless others are given."""

    method, axes, takes_mean_weight = "temporal_tv", (0,), True

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

    method, axes, ratio, takes_mean_weight = "spatiotemporal_tv", (0, 1, 2), 0.2, False

    def __init__(self, data, weight):
        """Take λ_t; the spatial weight holds the mean."""
        super().__init__(data, weight)
        self.settings = dict(weight=weight, spatial_weight=self.ratio * weight)

    def thresholds(self):
        """Return λ by axis."""
        weights = np.array([1, self.ratio, self.ratio], np.float32)
        return self.threshold * weights.reshape(3, 1, 1, 1)
