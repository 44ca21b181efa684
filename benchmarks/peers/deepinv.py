"""A problem of the methods without training, as deepinv solves it."""

import numpy as np

from benchmarks.peers.sigpy import SigpySparse


class DeepinvSparse(SigpySparse):
    """k-t SPARSE, the mean free, by deepinv's FISTA with its `DynamicMRI`; one coil."""

    library, needs, takes_mean_weight = "deepinv", ("sigpy", "deepinv"), False

    def __init__(self, data, weight):
        """Take λ."""
        super().__init__(data, weight)
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

    def run(self, num_iterations: int):
        """Return the image."""
        start = (self._start, self._start)
        found = self._fista(num_iterations)(self._kspace, self._physics, init=start)
        return self._to_complex(found).numpy()
