"""The transforms of `jdmri.ops.fourier` in SciPy: files have many shapes, and compiling takes longer than transforming."""

import numpy as np
import scipy.fft


def fftc(image: np.ndarray, axes: tuple[int, ...] = (-2, -1)) -> np.ndarray:
    """Transform from image to k-space, centred and orthonormal; complex64 stays complex64."""
    shifted = scipy.fft.ifftshift(image, axes=axes)
    return scipy.fft.fftshift(scipy.fft.fftn(shifted, axes=axes, norm="ortho"), axes=axes)


def ifftc(kspace: np.ndarray, axes: tuple[int, ...] = (-2, -1)) -> np.ndarray:
    """Invert `fftc`."""
    shifted = scipy.fft.ifftshift(kspace, axes=axes)
    return scipy.fft.fftshift(scipy.fft.ifftn(shifted, axes=axes, norm="ortho"), axes=axes)
