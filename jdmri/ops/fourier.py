"""Centred, orthonormal Fourier transforms over chosen axes, right for odd sizes too.

``F x = fftshift(fft(ifftshift(x), norm="ortho"))``: the zero frequency sits at index N // 2.
The shifts can be folded into phase patterns, because with c = N // 2

    exp(-2πi (k - c)(n - c) / N) = conj(p_c) · p_k · exp(-2πi k n / N) · p_n,   p_j = exp(2πi c j / N)

(signs ±1 for even N), so `F = conj(p_c) p · fft · p`. `centre_phase` gives p; `sense.fold` uses it.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex

from jdmri.typing import Array

IMAGE_AXES = (-2, -1)
LINE_AXES = (-2,)


def fftc(image: Complex[Array, "..."], axes: tuple[int, ...] = IMAGE_AXES) -> Complex[Array, "..."]:
    """Transform from image to k-space: ``F``, unitary, centred."""
    shifted = jnp.fft.ifftshift(image, axes=axes)
    return jnp.fft.fftshift(jnp.fft.fftn(shifted, axes=axes, norm="ortho"), axes=axes)


def ifftc(
    kspace: Complex[Array, "..."], axes: tuple[int, ...] = IMAGE_AXES
) -> Complex[Array, "..."]:
    """Transform from k-space to image: ``Fᴴ = F⁻¹``."""
    shifted = jnp.fft.ifftshift(kspace, axes=axes)
    return jnp.fft.fftshift(jnp.fft.ifftn(shifted, axes=axes, norm="ortho"), axes=axes)


def centre_phase(size: int) -> np.ndarray:
    """Return p_j = exp(2πi (N // 2) j / N), complex64 ``[N]``; ±1 for even N."""
    centre = size // 2
    # The product is reduced modulo N in integers: no rounding grows with N.
    angle = 2 * np.pi * ((centre * np.arange(size)) % size) / size
    return np.exp(1j * angle).astype(np.complex64)
