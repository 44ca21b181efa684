"""From series to the arrays that the step takes: prepared, and padded to the shape of their bucket.

Phase-encoding lines are never padded, because the transform along ky must see the true size. With line masks the
columns are independent, so that columns of zeros (and coils of zeros) change nothing in data consistency. Missing frames
repeat the heart cycle, or the last frame where time is not cyclic; losses and metrics leave all padding out.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from jdmri.data import numpy_fourier
from jdmri.data.acquisition import Acquisition, bright_level, load, series_seed
from jdmri.data.records import Series, SeriesLike, Shape

_ROUND = Shape(frames=4, coils=4, lines=1, columns=32)  # what sizes are rounded up to


class Examples(NamedTuple):
    """Fully sampled series on the device, all of one shape; one series without the first axis.

    Attributes:
        cine: ``[series, frame, y, x]``.
        maps: ``[series, coil, y, x]``, what the reconstruction is given.
        sigma: ``[series]``, noise added to simulated k-space, in the units of ``cine``.
        seed: ``[series]``, identifies a series in its draws.
        true_maps: ``[series, coil, y, x]``, what k-space is simulated with; None: ``maps``.
        kspace: ``[series, frame, coil, ky, kx]`` as measured; None: simulated.
        num_frames: ``[series]``, how many frames are no padding; None: all, and no pixel is padding.
        inside: bool ``[series, 1, y, x]``, what is no padding.
    """

    cine: jax.Array
    maps: jax.Array
    sigma: jax.Array
    seed: jax.Array
    true_maps: jax.Array | None = None
    kspace: jax.Array | None = None
    num_frames: jax.Array | None = None
    inside: jax.Array | None = None


class Bucket(NamedTuple):
    """What series have in common that one compiled step takes.

    Attributes:
        shape: what all are padded to.
        measured: whether they bring k-space.
        padded: whether some of them are smaller, so that all say what is padding.
    """

    shape: Shape
    measured: bool
    padded: bool


def buckets(series: Sequence[SeriesLike]) -> list[Bucket]:
    """Choose the bucket of each series.

    Series with equal numbers of lines share as few shapes as possible: sizes are rounded up, to at most the largest
    among them, so that series of one shape are not padded at all.
    """
    groups: dict[tuple, list[Shape]] = {}
    for one in series:
        groups.setdefault((one.shape.lines, one.measured), []).append(one.shape)
    largest = {key: Shape(*map(max, zip(*shapes, strict=True))) for key, shapes in groups.items()}
    chosen = [_rounded(s.shape, largest[s.shape.lines, s.measured]) for s in series]
    kinds = list(zip(chosen, (s.measured for s in series), strict=True))
    padded = {kind for kind, one in zip(kinds, series, strict=True) if one.shape != kind[0]}
    return [Bucket(*kind, kind in padded) for kind in kinds]


def _rounded(shape: Shape, largest: Shape) -> Shape:
    sizes = zip(shape, _ROUND, largest, strict=True)
    return Shape(*(min(-(-n // step) * step, most) for n, step, most in sizes))


class Reading(NamedTuple):
    """How a series becomes an example with the maps that it comes with: plain values, which worker processes get.

    Attributes:
        reference: see `jdmri.data.acquisition.load`.
        sigma: of the noise, as a fraction of bright tissue.
        cyclic: whether missing frames of cyclic series may repeat the cycle.
    """

    reference: str
    sigma: float
    cyclic: bool


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """How series become what the step takes.

    Attributes:
        acquisition: how series are undersampled; coil maps are estimated once for each series, from its evaluation's mask and noise.
        cyclic: whether missing frames of cyclic series may repeat the cycle.
        streaming: from disk: ``always``, ``never``, or ``auto``: when they do not fit into memory.
        num_workers: processes that read ahead when streaming; 0: a thread.
    """

    acquisition: Acquisition
    cyclic: bool = True
    streaming: str = "auto"
    num_workers: int = 0

    @property
    def reading(self) -> Reading:
        """The part that reads a series."""
        return Reading(self.acquisition.reference, self.acquisition.sigma, self.cyclic)


def prepare(series: SeriesLike, bucket: Bucket, pipeline: Pipeline) -> Examples:
    """Load one series, estimate its coil maps if that is asked for, and pad it to its bucket."""
    if pipeline.acquisition.coil_maps is None:
        return read(series, bucket, pipeline.reading)
    acquired, one = pipeline.acquisition.simulate(series)
    return _example(one, np.asarray(acquired.maps), one.maps, bucket, pipeline.reading)


def read(series: SeriesLike, bucket: Bucket, reading: Reading) -> Examples:
    """Load one series, and pad it to its bucket."""
    one = load(series, reading.reference)
    return _example(one, one.maps, None, bucket, reading)


def _example(
    one: Series, maps: np.ndarray, true_maps: np.ndarray | None, bucket: Bucket, reading: Reading
) -> Examples:
    example = Examples(
        cine=one.cine,
        maps=maps,
        sigma=np.float32(reading.sigma * bright_level(one.cine)),
        seed=series_seed(one),
        true_maps=None if one.measured else true_maps,
        kspace=one.kspace,
    )
    cyclic = one.cyclic and reading.cyclic
    return _pad(example, bucket.shape, cyclic) if bucket.padded else example


def stack(examples: Sequence[Examples]) -> Examples:
    """Stack examples of one shape."""
    return jax.tree.map(lambda *arrays: np.stack(arrays), *examples)


def _pad(example: Examples, bucket: Shape, cyclic: bool) -> Examples:
    frames, *matrix = example.cine.shape
    repeat = np.arange(bucket.frames)
    repeat = repeat % frames if cyclic else np.minimum(repeat, frames - 1)
    images = lambda a: (
        None if a is None else _pad_end(_pad_columns(a, bucket.columns), bucket.coils, 0)
    )
    return example._replace(
        cine=_pad_columns(example.cine, bucket.columns)[repeat],
        maps=images(example.maps),
        true_maps=images(example.true_maps),
        kspace=None if example.kspace is None else _pad_kspace(example.kspace[repeat], bucket),
        num_frames=np.int32(frames),
        inside=_pad_columns(np.ones((1, *matrix), bool), bucket.columns),
    )


def _pad_kspace(kspace: np.ndarray, bucket: Shape) -> np.ndarray:
    """Pad ``[frame, coil, ky, kx]`` with coils, and with columns in image space."""
    hybrid = _pad_columns(numpy_fourier.ifftc(kspace, (-1,)), bucket.columns)
    return _pad_end(numpy_fourier.fftc(hybrid, (-1,)), bucket.coils, 1)


def _pad_columns(image: np.ndarray, size: int) -> np.ndarray:
    """Pad the last axis with zeros so that index N // 2 stays the centre."""
    before = size // 2 - image.shape[-1] // 2
    after = size - image.shape[-1] - before
    return np.pad(image, [(0, 0)] * (image.ndim - 1) + [(before, after)])


def _pad_end(array: np.ndarray, size: int, axis: int) -> np.ndarray:
    width = [(0, 0)] * array.ndim
    width[axis] = (0, size - array.shape[axis])
    return np.pad(array, width)
