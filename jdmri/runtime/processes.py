"""Several processes, one training: how they find each other, what is shared among them, and what only the first one does.

Every process holds the same state and takes the same decisions; the first one writes. With one process nothing here costs anything.
"""

import os
import pickle
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from jdmri.errors import InputError
from jdmri.runtime import watchdog

_SHUTDOWN_SECONDS = 3600  # the first process may draw figures while the others wait
_LAUNCHERS = ("SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE")  # each says how many processes it started
T = TypeVar("T")


def initialize(where: str) -> None:
    """Join the other processes; to be called before anything else of JAX.

    Args:
        where: ``off``; ``auto``: as SLURM or Open MPI say, if they started several processes; or ``HOST:PORT,n,i``: n processes,
            of which this is number i from 0, and number 0 runs on HOST.

    Raises:
        InputError: ``where`` is something else, or the others cannot be reached.
    """
    if where == "off" or (where == "auto" and not _launched_with_others()):
        return
    arguments = {} if where == "auto" else _parse(where)
    try:
        jax.distributed.initialize(**arguments, shutdown_timeout_seconds=_SHUTDOWN_SECONDS)
        watchdog.watch()
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(
            f"--distributed={where}: the processes did not find each other: {str(error).splitlines()[0]}"
        ) from error


def is_first() -> bool:
    """Whether this process writes."""
    # Asking JAX starts its back end, which a doctor does not need.
    return not jax.distributed.is_initialized() or jax.process_index() == 0


def no_progress() -> bool | None:
    """Return tqdm's ``disable``: bars only in the first process, and there on a terminal."""
    return None if is_first() else True


def first_does(action: Callable[[], Any]) -> None:
    """Let the first process do something that the others then find done."""
    if is_first():
        action()
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices("first_does")


def share(items: Sequence[T]) -> Sequence[T]:
    """Return this process's part of what all have."""
    return items[jax.process_index() :: jax.process_count()]


def gather(part: Sequence[Any]) -> list[Any]:
    """Put the results of all processes' `share` together again, in their order, in every process.

    Args:
        part: what can be pickled.
    """
    if jax.process_count() == 1:
        return list(part)
    own = np.frombuffer(pickle.dumps(list(part)), np.uint8)
    longest = int(multihost_utils.process_allgather(np.int32(len(own))).max())
    padded = np.pad(own, (0, longest - len(own)))
    parts = [pickle.loads(row.tobytes()) for row in multihost_utils.process_allgather(padded)]
    whole = [None] * sum(map(len, parts))
    for index, one in enumerate(parts):
        whole[index :: len(parts)] = one
    return whole


def any_of(value: bool) -> bool:
    """Whether it is true in any process."""
    if jax.process_count() == 1:
        return value
    return bool(multihost_utils.process_allgather(np.int32(value)).any())


def put(tree: T, sharding: jax.sharding.NamedSharding) -> T:
    """Put arrays that every process holds whole onto the devices of all."""
    if jax.process_count() == 1:
        return jax.device_put(tree, sharding)

    def one(array):
        host = np.asarray(array)
        return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])

    return jax.tree.map(one, tree)


def join(tree: T, sharding: jax.sharding.NamedSharding) -> T:
    """Put arrays onto the devices of all, of which every process holds its part along the first axis."""
    make = jax.make_array_from_process_local_data
    return jax.tree.map(lambda a: make(sharding, np.asarray(a)), tree)


def local(tree: T) -> T:
    """Return the copy of replicated arrays that this process's first device holds."""
    if jax.process_count() == 1:
        return tree
    return jax.tree.map(lambda a: a.addressable_data(0), tree)


def _launched_with_others() -> bool:
    return any(int(os.environ.get(name, "1")) > 1 for name in _LAUNCHERS)


def _parse(where: str) -> dict[str, Any]:
    parts = where.split(",")
    if len(parts) != 3 or ":" not in parts[0] or not (parts[1] + parts[2]).isdigit():
        raise InputError(
            f"--distributed={where!r} must be auto, off or HOST:PORT,n,i with i from 0 to n - 1."
        )
    count, index = int(parts[1]), int(parts[2])
    if not 0 <= index < count:
        raise InputError(f"--distributed={where!r}: i must be from 0 to n - 1.")
    return {"coordinator_address": parts[0], "num_processes": count, "process_id": index}
