"""The one place where a series is undersampled: a mask drawn, noise added, coil maps estimated.

Training draws anew in every step; an evaluation draws what belongs to the name of a series, always the same.
"""

import dataclasses
import zlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jdmri.data import numpy_fourier
from jdmri.data.records import Series, SeriesLike
from jdmri.errors import InputError
from jdmri.masks import Sampler
from jdmri.ops import sense
from jdmri.ops.coil_maps import Estimator
from jdmri.typing import Cine, CoilMaps, KSpace, Mask, PRNGKey, Scalar

REFERENCES = ("sense", "rss")


class DrawKeys(NamedTuple):
    """The keys of what is drawn for one series."""

    augment: PRNGKey
    mask: PRNGKey
    noise: PRNGKey
    dropout: PRNGKey


def draw_keys(key: PRNGKey) -> DrawKeys:
    """Split the key of one series."""
    return DrawKeys(*jax.random.split(key, len(DrawKeys._fields)))


class Acquired(NamedTuple):
    """One undersampled series: ``kspace [frame, coil, ky, kx]``, ``maps``, ``mask``."""

    kspace: jax.Array
    maps: jax.Array
    mask: jax.Array


@dataclasses.dataclass(frozen=True)
class Acquisition:
    """How series are undersampled, and what their reconstructions are compared with.

    Attributes:
        sampler: of masks.
        sigma: σ of the noise added to simulated k-space, as a fraction of `bright_level`.
        coil_maps: estimates maps from the undersampled data; None: those that come with a series.
        reference: ``sense`` or ``rss``, see `load`.
        eval_seed: with a series' name it decides the draws of evaluations.

    Raises:
        InputError: another reference.
    """

    sampler: Sampler
    sigma: float = 0.0
    coil_maps: Estimator | None = None
    reference: str = "sense"
    eval_seed: int = 0

    def __post_init__(self):
        """Check the choices."""
        if self.reference not in REFERENCES:
            raise InputError(
                f"data.reference must be one of {', '.join(REFERENCES)}, got {self.reference!r}."
            )

    def measure(
        self,
        keys: DrawKeys,
        cine: Cine,
        maps: CoilMaps,
        sigma: Scalar,
        kspace: KSpace | None = None,
    ) -> tuple[KSpace, Mask]:
        """Undersample one series: mask what was measured, otherwise simulate it with noise.

        Args:
            keys: of the series; the same keys give the same mask and noise.
            cine: ``[frame, y, x]``.
            maps: ``[coil, y, x]``, what k-space is simulated with.
            sigma: σ of the noise in the units of ``cine``; none is added to measured k-space.
            kspace: ``[frame, coil, ky, kx]`` as measured; None: simulated.

        Returns:
            k-space, 0 where not sampled, and the mask ``[frame, ky, 1]``.

        Raises:
            InputError: the mask does not fit the series.
        """
        mask = self.sampler(keys.mask, cine.shape)
        if kspace is None:
            return sense.acquire(keys.noise, cine, maps, mask, sigma), mask
        return jnp.where(mask[:, None], kspace, 0), mask

    def simulate(self, series: SeriesLike) -> tuple[Acquired, Series]:
        """Read a series, and undersample it with the mask and noise that belong to its name.

        Returns:
            The acquisition, and the series in the phase of its maps (see `in_phase_of`).

        Raises:
            InputError: the mask does not fit the series.
        """
        series = load(series, self.reference)
        cine, maps = jnp.asarray(series.cine), jnp.asarray(series.maps)
        kspace = jnp.asarray(series.kspace) if series.measured else None
        sigma = self.sigma * bright_level(series.cine)
        kspace, mask = self.measure(self._keys(series), cine, maps, sigma, kspace)
        if self.coil_maps is not None:
            maps = self.coil_maps(kspace, mask, maps)
            series = in_phase_of(series, np.asarray(maps))
        return Acquired(kspace, maps, mask), series

    def mask_of(self, series: SeriesLike) -> Mask:
        """Draw the mask ``[frame, ky, 1]`` of an evaluation, without reading the series.

        Raises:
            InputError: it does not fit the series.
        """
        frames, _, lines, columns = series.shape
        return self.sampler(self._keys(series).mask, (frames, lines, columns))

    def series_key(self, seed: jax.Array | np.uint32) -> PRNGKey:
        """Return the key of a validation or test series from its `series_seed`: always the same."""
        return jax.random.fold_in(jax.random.key(self.eval_seed), seed)

    def _keys(self, series: SeriesLike) -> DrawKeys:
        return draw_keys(self.series_key(series_seed(series)))


def load(series: SeriesLike, reference: str) -> Series:
    """Read a series with what its reconstructions are compared with.

    Measured coils have two references. ``sense`` is what readers make, Σ_coil conj(map) image. ``rss`` has the root sum of
    squares of the coils' images as its magnitude, and the phase of the former. They differ where maps are 0, and by the
    noise; simulated data have no other.
    """
    one = series.load()
    if reference == "sense" or not one.measured:
        return one
    magnitude = np.sqrt(np.sum(np.abs(numpy_fourier.ifftc(one.kspace)) ** 2, axis=1))
    return dataclasses.replace(one, cine=magnitude * np.exp(1j * np.angle(one.cine)))


def in_phase_of(series: Series, maps: np.ndarray) -> Series:
    """Return the same series with the phase convention of other maps.

    Maps and cine share a phase that no data determine: ``(cine e^{iψ}, maps e^{-iψ})`` has the same k-space. With
    ψ = arg Σ conj(maps) maps_of_series a reconstruction that uses ``maps`` can equal the reference as a complex image.
    """
    overlap = np.sum(maps.conj() * series.maps, axis=0)
    turn = np.exp(1j * np.angle(overlap)).astype(np.complex64)
    return dataclasses.replace(series, cine=series.cine * turn, maps=series.maps * turn.conj())


def bright_level(cine: np.ndarray) -> float:
    """Return the 99th percentile of the magnitude: bright tissue, to which noise is stated."""
    return float(np.percentile(np.abs(cine), 99))


def series_seed(series: SeriesLike) -> np.uint32:
    """Derive the number that fixes a series' evaluation mask and noise from its name."""
    return np.uint32(zlib.crc32(series.name.encode()))
