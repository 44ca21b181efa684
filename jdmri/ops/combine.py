"""Many coils into few or one: prewhitening, compression, root sum of squares, SENSE combination.

Coils that come first are raw: their noise is correlated and of different strength. The order is
`prewhiten`, `compress`, then maps, then `combine`: each step keeps white noise white.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from jdmri.errors import InputError
from jdmri.ops.calibration import EXACT, fix_phase
from jdmri.typing import Array, Cine, CoilMaps, KSpace


def prewhiten(kspace: KSpace, noise: Complex[Array, " coil *samples"]) -> KSpace:
    """Mix the coils so that their noise is white with E|n|² = 1: σ = 1 in `sense.acquire`.

    Args:
        kspace: ``[*batch, frame, coil, ky, kx]``.
        noise: of a scan without excitation, ``[coil, samples…]``, in the units of ``kspace``.

    Raises:
        InputError: as `whitening`.
    """
    return mix(whitening(noise), kspace)


def whitening(noise: Complex[Array, " coil *samples"]) -> Complex[np.ndarray, "coil coil"]:
    """Return ``L⁻¹`` with ``L Lᴴ = E[n nᴴ]`` (Pruessmann et al. 2001, doi:10.1002/mrm.1241, appendix).

    The noise variance grows with the bandwidth: if the noise scan had another dwell time than the imaging scan,
    multiply ``noise`` by √(its dwell time / that of the images) first. Runs in float64 on the host.

    Raises:
        InputError: fewer samples than coils, or coils that are dead or copies of each other.
    """
    samples = np.asarray(noise, np.complex128).reshape(len(noise), -1)
    covariance = samples @ samples.conj().T / samples.shape[1]
    eigenvalues = np.linalg.eigvalsh(covariance)
    if not eigenvalues[0] > 1e-10 * eigenvalues[-1]:
        raise InputError(
            f"the noise of {samples.shape[0]} coils in {samples.shape[1]} samples is not of full rank (eigenvalues "
            f"{eigenvalues[0]:.1e} to {eigenvalues[-1]:.1e}); leave out coils that are dead or copies of others."
        )
    return np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.complex64)


@partial(jax.jit, static_argnames="num_coils")
def compress(
    kspace: Complex[Array, "frame coil ky kx"], num_coils: int
) -> tuple[Complex[Array, "frame virtual ky kx"], Complex[Array, "virtual coil"]]:
    """Keep the ``num_coils`` combinations of coils with the most signal (SVD).

    After Buehrer et al. 2007 (doi:10.1002/mrm.21237) and Huang et al. 2008 (doi:10.1016/j.mri.2007.04.010). The
    share of energy kept is ``‖compressed‖² / ‖kspace‖²``; noise stays white, since rows are orthonormal.

    Args:
        kspace: one series ``[frame, coil, ky, kx]``, prewhitened; zeros where not sampled do no harm.
        num_coils: how many virtual coils.

    Returns:
        The virtual coils, strongest first, and the matrix ``[virtual, coil]`` that `mix` applies to
        other data of the same scan.

    Raises:
        InputError: more virtual coils than coils.
    """
    if not 1 <= num_coils <= kspace.shape[1]:
        raise InputError(
            f"{kspace.shape[1]} coils compress to 1 to {kspace.shape[1]}, not {num_coils}."
        )
    covariance = jnp.einsum("fcyx,fdyx->cd", kspace, kspace.conj(), precision=EXACT)
    _, vectors = jnp.linalg.eigh(covariance)
    matrix = jax.vmap(fix_phase)(vectors.T[::-1][:num_coils]).conj()
    return mix(matrix, kspace), matrix


@jax.jit
def mix(
    matrix: Complex[Array, "virtual coil"], data: Complex[Array, "*batch coil y x"]
) -> Complex[Array, "*batch virtual y x"]:
    """Return the combinations ``Σ_coil matrix[virtual, coil] · data[coil]`` of k-space, images or maps."""
    return jnp.einsum("vc,...cyx->...vyx", matrix, data, precision=EXACT)


@jax.jit
def root_sum_of_squares(images: Complex[Array, "*batch coil y x"]) -> Float[Array, "*batch y x"]:
    """Return ``√(Σ_coil |image|²)``: a magnitude without maps; its noise floor grows with √coils."""
    return jnp.sqrt(jnp.sum(images.real**2 + images.imag**2, axis=-3))


@jax.jit
def combine(images: Complex[Array, "*batch frame coil y x"], maps: CoilMaps) -> Cine:
    """Return ``Σ_coil conj(map) · image``, of best SNR for white noise and Σ_coil |map|² = 1.

    Roemer et al. 1990 (doi:10.1002/mrm.1910160203): the complex image, exact for ``maps · cine``. It is 0
    where the maps are, outside their support.

    Args:
        images: of each coil, ``[*batch, frame, coil, y, x]``.
        maps: ``[*batch, coil, y, x]``.
    """
    return jnp.sum(maps.conj()[..., None, :, :, :] * images, axis=-3)
