"""The forward model ``E(cine) = mask · F(maps · cine)``, its adjoint and normal operator.

Maps satisfy Σ_coil |map|² = 1 where there is signal, so ‖E‖ ≤ 1 and a gradient step of 1 is safe.
`Encoding` is E as an object; ``forward``, ``adjoint``, ``normal`` of one object agree. `encoding`
makes the plain centred form, `fold` an equivalent cheaper one for iterative use. `acquire` simulates
a noisy acquisition.
"""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex

from jdmri.ops import fourier
from jdmri.typing import Array, Cine, CoilMaps, KSpace, Mask, PRNGKey, Scalar


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Encoding:
    """The linear operator E of one batch of series.

    Attributes:
        maps: ``[*batch, coil, y, x]``.
        mask: ``[*batch, frame, ky, kx or 1]``.
        axes: the axes that are transformed; ``LINE_AXES`` when the readout is already in image space.
        centred: whether the transforms are centred, or the shifts are folded into maps and data.
    """

    maps: CoilMaps
    mask: Mask
    axes: tuple[int, ...] = dataclasses.field(metadata={"static": True})
    centred: bool = dataclasses.field(metadata={"static": True})

    def forward(self, cine: Cine) -> KSpace:
        """Apply E: weight by the coils, transform, keep the sampled points."""
        return self.select(self.transform(cine))

    def adjoint(self, kspace: KSpace) -> Cine:
        """Apply Eᴴ."""
        return self.combine(self.select(kspace))

    def normal(self, cine: Cine) -> Cine:
        """Apply EᴴE."""
        return self.adjoint(self.transform(cine))

    def transform(self, cine: Cine) -> KSpace:
        """Apply F and the coils, without the mask."""
        if self.centred:
            return fourier.fftc(_weigh(cine, self.maps), self.axes)
        # The factor that makes F unitary goes into the maps, which are weighed with anyhow.
        return jnp.fft.fftn(_weigh(cine, self.maps / self._root), axes=self.axes)

    def combine(self, kspace: KSpace) -> Cine:
        """Apply the adjoint of `transform`: inverse transform and sum over conjugate maps."""
        if self.centred:
            images, maps = fourier.ifftc(kspace, self.axes), self.maps
        else:
            images, maps = jnp.fft.ifftn(kspace, axes=self.axes), self.maps * self._root
        return jnp.sum(images * maps.conj()[..., None, :, :, :], axis=-3)

    def select(self, kspace: KSpace) -> KSpace:
        """Zero what the mask does not sample."""
        return jnp.where(self.mask[..., :, None, :, :], kspace, 0)

    @property
    def _root(self) -> float:
        """√N of the transform's N points."""
        return math.prod(self.maps.shape[axis] for axis in self.axes) ** 0.5


def _weigh(cine: Cine, maps: CoilMaps) -> KSpace:
    return cine[..., :, None, :, :] * maps[..., None, :, :, :]


def encoding(maps: CoilMaps, mask: Mask) -> Encoding:
    """Make E in its plain form: centred transforms over both image axes."""
    return Encoding(maps, mask, fourier.IMAGE_AXES, centred=True)


def fold(kspace: KSpace, maps: CoilMaps, mask: Mask) -> tuple[Encoding, KSpace]:
    """Rewrite (data, E) so that each application is cheaper and every image is the same.

    For line masks (``kx`` of length 1) the readout transform cancels in data consistency, so the
    data are taken to hybrid (ky, x) space once. The remaining shifts become phase patterns, which
    are put into maps and data once. Identical to the plain form up to rounding.

    Args:
        kspace: ``[*batch, frame, coil, ky, kx]``.
        maps: ``[*batch, coil, y, x]``.
        mask: ``[*batch, frame, ky, kx or 1]``.

    Returns:
        The operator E' and data y' with E'ᴴE' = EᴴE and E'ᴴy' = Eᴴy.
    """
    line_mask = mask.shape[-1] == 1
    axes = fourier.LINE_AXES if line_mask else fourier.IMAGE_AXES
    if line_mask:
        kspace = fourier.ifftc(kspace, (-1,))
    return Encoding(_fold_shifts(maps, axes), mask, axes, centred=False), _fold_data(kspace, axes)


def _fold_shifts(array: Complex[Array, "..."], axes: tuple[int, ...]) -> Complex[Array, "..."]:
    """Multiply by the phase pattern p along each axis."""
    for axis in axes:
        phase = fourier.centre_phase(array.shape[axis])
        array = array * _along(axis, phase, array.ndim)
    return array


def _fold_data(kspace: KSpace, axes: tuple[int, ...]) -> KSpace:
    """Divide by conj(p_c) p: what is left of the centred transform on the k-space side."""
    for axis in axes:
        phase = fourier.centre_phase(kspace.shape[axis])
        factor = phase[kspace.shape[axis] // 2] * phase.conj()
        kspace = kspace * _along(axis, factor, kspace.ndim)
    return kspace


def _along(axis: int, values: np.ndarray, num_axes: int) -> np.ndarray:
    """Reshape ``values`` so that it broadcasts along one (negative) axis."""
    return np.expand_dims(values, [a for a in range(-num_axes, 0) if a != axis])


@jax.jit
def forward(cine: Cine, maps: CoilMaps, mask: Mask) -> KSpace:
    """Apply ``E``: weight by the coils, transform, keep the sampled points."""
    return encoding(maps, mask).forward(cine)


@jax.jit
def adjoint(kspace: KSpace, maps: CoilMaps, mask: Mask) -> Cine:
    """Apply ``Eᴴ``: keep the sampled points, transform back, combine the coils."""
    return encoding(maps, mask).adjoint(kspace)


@jax.jit
def normal(cine: Cine, maps: CoilMaps, mask: Mask) -> Cine:
    """Apply ``EᴴE``."""
    return encoding(maps, mask).normal(cine)


@jax.jit
def acquire(key: PRNGKey, cine: Cine, maps: CoilMaps, mask: Mask, sigma: Scalar) -> KSpace:
    """Measure ``mask · (F(maps · cine) + n)`` with complex white noise n, E|n|² = σ².

    The transform is orthonormal, so σ is also the noise of a fully sampled image of one coil.

    Args:
        key: random key of this sample; the same key gives the same noise.
        cine: ``[*batch, frame, y, x]``.
        maps: ``[*batch, coil, y, x]``.
        mask: ``[*batch, frame, ky, kx or 1]``.
        sigma: σ in the units of ``cine``; 0 adds nothing.
    """
    kspace = encoding(maps, mask).transform(cine)
    real, imag = jax.random.normal(key, (2, *kspace.shape)) * (sigma / jnp.sqrt(2.0))
    return encoding(maps, mask).select(kspace + jax.lax.complex(real, imag))
