"""Data consistency: bring an image series back to the measured k-space.

All functions take ``(cine, kspace, encoding)``, for any number of coils; ``encoding`` is any E with
``transform``, ``adjoint`` and ``normal``.
"""

import functools

import jax
import jax.numpy as jnp

from jdmri.ops import conjugate_gradient as cg
from jdmri.ops.sense import Encoding
from jdmri.typing import Cine, KSpace, Scalar


@jax.jit
def hard(cine: Cine, kspace: KSpace, encoding: Encoding) -> Cine:
    """Replace the sampled points of each coil's k-space by the measured ones.

    ``combine(mask · y + (1 - mask) · F(maps · cine))``. Where the maps are zero, so is the result.
    It copies the measured noise: right for (nearly) noise-free data.
    """
    mask = encoding.mask[..., :, None, :, :]
    return encoding.combine(jnp.where(mask, kspace, encoding.transform(cine)))


@jax.jit
def gradient_step(cine: Cine, kspace: KSpace, encoding: Encoding, step: Scalar) -> Cine:
    """Take one gradient step ``x - η Eᴴ(E x - y)`` of ``½‖E x - y‖²``.

    As in variational networks (Hammernik et al. 2018, doi:10.1002/mrm.26977).

    Args:
        cine: ``[*batch, frame, y, x]``.
        kspace: measured data y.
        encoding: E.
        step: η. The residual shrinks for 0 < η < 2, because ‖E‖ ≤ 1.
    """
    return cine - step * encoding.adjoint(encoding.transform(cine) - kspace)


@jax.jit
def soft(cine: Cine, kspace: KSpace, encoding: Encoding, weight: Scalar) -> Cine:
    """Take one gradient step of ``½‖E x - y‖²`` of length μ = λ / (1 + λ).

    With one coil this is exactly the weighted mean ``(k + λ y) / (1 + λ)`` at the sampled points
    (Schlemper et al. 2018, doi:10.1109/TMI.2017.2760978, eq. 8); μ < 1 converges for any number of coils.

    Args:
        cine: ``[*batch, frame, y, x]``.
        kspace: measured data y.
        encoding: E.
        weight: λ ≥ 0. 0 leaves the image as it is, ∞ replaces the sampled points.
    """
    return gradient_step(cine, kspace, encoding, weight / (1 + weight))


@functools.partial(jax.jit, static_argnames="num_iterations")
def conjugate_gradient(
    cine: Cine, kspace: KSpace, encoding: Encoding, weight: Scalar, num_iterations: int
) -> Cine:
    """Minimise ``‖E x - y‖² + λ ‖x - z‖²``: solve ``(EᴴE + λ) x = Eᴴy + λ z`` from x = z.

    The data consistency of MoDL (Aggarwal et al. 2019, doi:10.1109/TMI.2018.2865356). The gradient
    is implicit (`conjugate_gradient.solve`) and reaches z, y, λ and the maps.

    Args:
        cine: z, ``[*batch, frame, y, x]``.
        kspace: measured data y.
        encoding: E. It couples only pixels along its ``axes``, so that with line masks each column
            of each frame is a system of its own.
        weight: λ > 0, of the image; in `soft` it is that of the data, the inverse of this one.
        num_iterations: of conjugate gradients.
    """
    normal = lambda x: encoding.normal(x) + weight * x
    mismatch = encoding.adjoint(kspace - encoding.transform(cine))
    correction = cg.solve(normal, mismatch, num_iterations=num_iterations, axes=encoding.axes)
    return cine + correction.value
