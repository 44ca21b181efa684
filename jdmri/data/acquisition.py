"""One undersampled acquisition of a series, always the same for the same name: what evaluations reconstruct."""

import dataclasses
import zlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from jdmri.data import numpy_fourier
from jdmri.data.records import Series, SeriesLike
from jdmri.errors import InputError
from jdmri.keys import draw_keys, series_key
from jdmri.masks import MASKS
from jdmri.ops import sense
from jdmri.ops.coil_maps import COIL_MAPS
from jdmri.typing import Mask

REFERENCES = ("sense", "rss")


class Acquired(NamedTuple):
    """One undersampled series: ``kspace [frame, coil, ky, kx]``, ``maps``, ``mask``."""

    kspace: jax.Array
    maps: jax.Array
    mask: jax.Array


def simulate(series: Series, config: ConfigDict) -> tuple[Acquired, Series]:
    """Undersample a series with the mask and noise that belong to its name.

    Measured k-space is masked, and no noise is added; otherwise k-space is simulated from the cine. The coil maps are
    those that ``config.coil_maps`` asks for.

    Returns:
        The acquisition, and the series in the phase of its maps (see `in_phase_of`).

    Raises:
        InputError: the mask does not fit the series.
    """
    keys = draw_keys(_key(series, config))
    mask = draw_mask(series, config)
    if series.measured:
        kspace = jnp.where(mask[:, None], jnp.asarray(series.kspace), 0)
    else:
        cine, maps = jnp.asarray(series.cine), jnp.asarray(series.maps)
        sigma = config.noise.sigma * bright_level(series.cine)
        kspace = sense.acquire(keys.noise, cine, maps, mask, sigma)
    maps = COIL_MAPS.build(config.coil_maps)(kspace, mask, jnp.asarray(series.maps))
    if config.coil_maps.name != "given":
        series = in_phase_of(series, np.asarray(maps))
    return Acquired(kspace, maps, mask), series


def load(series: SeriesLike, config: ConfigDict) -> Series:
    """Read a series, with the reference that ``config.data.reference`` asks for.

    ``sense`` is what readers make, Σ_coil conj(map) image. ``rss`` has the root sum of squares of the coils' images as its
    magnitude, and the phase of the former. They differ where maps are 0, and by the noise; simulated data have no other.

    Raises:
        InputError: another name.
    """
    name = config.data.reference
    if name not in REFERENCES:
        raise InputError(f"data.reference must be one of {', '.join(REFERENCES)}, got {name!r}.")
    one = series.load()
    if name == "sense" or not one.measured:
        return one
    magnitude = np.sqrt(np.sum(np.abs(numpy_fourier.ifftc(one.kspace)) ** 2, axis=1))
    return dataclasses.replace(one, cine=magnitude * np.exp(1j * np.angle(one.cine)))


def draw_mask(series: SeriesLike, config: ConfigDict) -> Mask:
    """Draw the mask ``[frame, ky, 1]`` of an evaluation.

    Raises:
        InputError: it does not fit the series.
    """
    frames, _, lines, columns = series.shape
    return MASKS.build(config.mask)(draw_keys(_key(series, config)).mask, (frames, lines, columns))


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


def series_seed(series: SeriesLike) -> int:
    """Derive the number that fixes a series' evaluation mask and noise from its name."""
    return zlib.crc32(series.name.encode())


def _key(series: SeriesLike, config: ConfigDict) -> jax.Array:
    return series_key(config.eval.seed, np.uint32(series_seed(series)))
