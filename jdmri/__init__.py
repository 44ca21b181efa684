"""jdmri: dynamic MRI reconstruction with deep learning, in JAX and Flax.

``jdmri.masks``, ``ops``, ``models``, ``classical``, ``metrics``, ``losses`` and ``phantom`` are imported when
they are first used.
"""

import importlib
from collections.abc import Callable
from types import ModuleType

__version__ = "0.1.0"
_LAZY = ("classical", "losses", "masks", "metrics", "models", "ops", "phantom")
__all__ = [*_LAZY, "restore"]


def __getattr__(name: str) -> ModuleType:
    if name in _LAZY:
        return importlib.import_module(f"jdmri.{name}")
    raise AttributeError(f"module 'jdmri' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])


def restore(workdir: str, checkpoint: str = "best") -> Callable:
    """Restore a trained network as a function ``(kspace, maps, mask) -> cine``.

    Args:
        workdir: of a training run; or ``flagship``, unless there is a folder of that name: the network that comes with
            the package, trained on phantoms (`jdmri.models.pretrained.card`).
        checkpoint: ``best``, ``latest`` or a step.

    Returns:
        A function of one series or a batch: ``kspace`` complex ``[*batch, frame, coil, ky, kx]``, zero
        where not sampled, ``maps`` complex ``[*batch, coil, y, x]``, ``mask`` bool ``[*batch, frame, ky, kx or 1]``;
        it gives the cine ``[*batch, frame, y, x]`` in the units of the data.

    Raises:
        jdmri.errors.InputError: there is no such checkpoint, or it is damaged.
    """
    from jdmri.training import restore

    return restore.restore(workdir, checkpoint)
