"""jdmri: dynamic MRI reconstruction with deep learning, in JAX and Flax."""

from collections.abc import Callable

__version__ = "0.1.0"


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
