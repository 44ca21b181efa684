"""Spatial wavelets, as sigpy solves the problem with the wavelets of pywt."""

import numpy as np

from benchmarks.peers.sigpy import SigpySparse


class SigpyWavelet(SigpySparse):
    """Daubechies' four taps on periodic images, three levels, by FISTA."""

    needs, method, levels, takes_mean_weight = ("sigpy", "pywt"), "wavelet", 3, False

    def __init__(self, data, weight):
        """Take λ."""
        super().__init__(data, weight)
        self.settings = dict(weight=weight, num_levels=self.levels)
        _, self._slices = analyse(np.zeros(self.shape), self.levels)

    def transform(self):
        """Return W."""
        shape, slices, levels = self.shape, self._slices, self.levels

        class Wavelets(self.sigpy.linop.Linop):
            def __init__(self, forward=True):
                self.forward = forward
                super().__init__(shape, shape)

            def _apply(self, cine):
                result = analyse(cine, levels)[0] if self.forward else synthesise(cine, slices)
                return result.astype(cine.dtype)

            def _adjoint_linop(self):
                return Wavelets(not self.forward)

        return Wavelets()

    def thresholds(self):
        """Return λ by coefficient: none for the coarsest approximation."""
        weights = np.full(self.shape, self.threshold, np.float32)
        weights[(..., *self._slices[0][-2:])] = 0
        return weights


def analyse(cine, levels: int):
    """Return the coefficients, and where they are; pywt counts pairs from the sample before."""
    import pywt

    rolled = np.roll(cine, (1, 1), (-2, -1))
    parts = pywt.wavedec2(rolled, "db2", mode="periodization", level=levels)
    return pywt.coeffs_to_array(parts, axes=(-2, -1))


def synthesise(coefficients, slices):
    """Return the images."""
    import pywt

    parts = pywt.array_to_coeffs(coefficients, slices, output_format="wavedec2")
    image = pywt.waverec2(parts, "db2", mode="periodization", axes=(-2, -1))
    return np.roll(image, (-1, -1), (-2, -1))
