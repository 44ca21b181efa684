"""How series reach the step: all of them on the device, or streamed from disk batch by batch."""

import dataclasses
import importlib
from collections.abc import Iterator, Sequence

import jax
import numpy as np
from absl import flags
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jdmri.data.records import SeriesLike
from jdmri.errors import InputError
from jdmri.runtime import memory, processes
from jdmri.runtime.log import log
from jdmri.training.examples import (
    Bucket,
    Examples,
    Pipeline,
    Reading,
    buckets,
    prepare,
    read,
    stack,
)

_MODES = ("auto", "always", "never")
_SHARE = 0.5  # of the free memory that resident series may take


@dataclasses.dataclass(frozen=True)
class Resident:
    """Series on the device, one stack of arrays a bucket.

    Attributes:
        buckets: of each series.
        stacks: ``[series, …]`` of each bucket.
        rows: of each series in its stack.
    """

    buckets: Sequence[Bucket]
    stacks: dict[Bucket, Examples]
    rows: Sequence[int]
    streamed = False

    def __len__(self) -> int:
        """Count the series."""
        return len(self.rows)

    def one(self, index: int) -> Examples:
        """Return one series, without the first axis."""
        row = self.rows[index]
        return jax.tree.map(lambda a: a[row], self.stacks[self.buckets[index]])

    def batches(self, plan: np.ndarray, mesh: Mesh) -> Iterator[tuple[Examples, jax.Array]]:
        """Yield what the step takes for each row of a `Schedule`'s batches."""
        stacks = processes.put(self.stacks, NamedSharding(mesh, P()))
        split = NamedSharding(mesh, P(mesh.axis_names))
        for batch in plan:
            rows = np.array([self.rows[i] for i in batch], np.int32)
            yield stacks[self.buckets[batch[0]]], processes.put(rows, split)


@dataclasses.dataclass(frozen=True)
class Streamed:
    """Series on disk, read by Grain's worker processes a few batches ahead of the step.

    Each process reads its part of each batch. Which batch comes when is a row of the schedule, and so a function of seed and step: the step that a checkpoint
    holds is the position of the stream, and the number of workers changes nothing.

    Attributes:
        series: records that load themselves.
        buckets: of each of them.
        reading: how a series becomes an example.
        num_workers: processes that read ahead; 0: a thread.
    """

    series: Sequence[SeriesLike]
    buckets: Sequence[Bucket]
    reading: Reading
    num_workers: int = 0
    streamed = True

    def __len__(self) -> int:
        """Count the series."""
        return len(self.series)

    def one(self, index: int) -> Examples:
        """Read one series, without the first axis."""
        return read(self.series[index], self.buckets[index], self.reading)

    def batches(self, plan: np.ndarray, mesh: Mesh) -> Iterator[tuple[Examples, jax.Array]]:
        """Yield what the step takes for each row of a `Schedule`'s batches."""
        split = NamedSharding(mesh, P(mesh.axis_names))
        rows = np.tile(np.arange(plan.shape[1] // mesh.size, dtype=np.int32), mesh.size)
        rows = processes.put(rows, split)
        own = np.split(plan, jax.process_count(), axis=1)[jax.process_index()]
        for batch in _read_ahead(_Batches(self, own), self.num_workers):
            yield processes.join(batch, split), rows


@dataclasses.dataclass(frozen=True)
class _Batches:
    """A source of whole batches: formed here, so that workers cannot reorder series among them."""

    feed: Streamed
    plan: np.ndarray

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, position: int) -> Examples:
        return stack([self.feed.one(int(index)) for index in self.plan[position]])


def _read_ahead(batches: _Batches, num_workers: int) -> Iterator[Examples]:
    grain = _grain()
    reading = grain.ReadOptions(num_threads=1, prefetch_buffer_size=1)
    stream = grain.MapDataset.source(batches).to_iter_dataset(reading)
    if num_workers:
        stream = stream.mp_prefetch(
            grain.MultiprocessingOptions(num_workers=num_workers, per_worker_buffer_size=1)
        )
    return iter(stream)


def feed(series: Sequence[SeriesLike], pipeline: Pipeline) -> Resident | Streamed:
    """Put the series on the device if they fit; otherwise stream them.

    Raises:
        InputError: ``train.streaming`` is not known, or streaming is not possible.
    """
    mode = pipeline.streaming
    if mode not in _MODES:
        raise InputError(f"train.streaming must be one of {', '.join(_MODES)}, got {mode!r}.")
    kinds = buckets(series)
    _report(kinds)
    if mode == "always" or (mode == "auto" and not _fits(kinds)):
        return _stream(series, kinds, pipeline)
    members: dict[Bucket, list[Examples]] = {}
    rows = []
    for one, kind in zip(series, kinds, strict=True):
        members.setdefault(kind, []).append(prepare(one, kind, pipeline))
        rows.append(len(members[kind]) - 1)
    stacks = {kind: jax.device_put(stack(examples)) for kind, examples in members.items()}
    return Resident(kinds, stacks, rows)


def _stream(series: Sequence[SeriesLike], kinds: list[Bucket], pipeline: Pipeline) -> Streamed:
    _grain()
    if pipeline.acquisition.coil_maps is not None:
        raise InputError(
            "coil maps are estimated from all series in memory, and they are streamed; type "
            "--config.coil_maps.name=given, or --config.train.streaming=never."
        )
    log.info("Streaming %d series by %d worker(s).", len(series), pipeline.num_workers)
    return Streamed(series, kinds, pipeline.reading, pipeline.num_workers)


def _fits(kinds: Sequence[Bucket]) -> bool:
    free = memory.free_bytes()
    return free is None or sum(map(_num_bytes, kinds)) < _SHARE * free


def _num_bytes(kind: Bucket) -> int:
    frames, num_coils, lines, columns = kind.shape
    images = frames + num_coils + frames * num_coils * kind.measured
    return 8 * images * lines * columns


def _report(kinds: Sequence[Bucket]) -> None:
    """Say which shapes there are, if there are several: each is compiled once."""
    if len(set(kinds)) > 1:
        listed = ", ".join(f"{kinds.count(k)}× {list(k.shape)}" for k in dict.fromkeys(kinds))
        log.info("%d shapes [frame, coil, y, x], each compiled once: %s.", len(set(kinds)), listed)


def _grain():
    if not flags.FLAGS.is_parsed():  # as in a notebook; Grain reads flags of its own
        flags.FLAGS.mark_as_parsed()
    try:
        return importlib.import_module("grain")
    except ImportError as error:
        raise InputError(
            "the series do not fit into memory, and streaming them needs the package 'grain'; type "
            "pip install 'jdmri[grain]'."
        ) from error
