"""Starting images of the networks: k-space filled along time, transformed back."""

from jdmri.errors import InputError
from jdmri.ops import sense
from jdmri.ops.filling import fill_temporal_average, fill_view_sharing
from jdmri.typing import Cine, KSpace


def starting_image(name: str, data: KSpace, encoding: sense.Encoding, *, cyclic: bool) -> Cine:
    """Fill ``data`` (k-space, or hybrid as of `sense.fold`) and transform to an image.

    Args:
        name: ``zero_filled``, ``temporal_average`` or ``view_sharing``.
        data: ``[*batch, frame, coil, ky, kx or x]``.
        encoding: the operator that belongs to ``data``.
        cyclic: whether the last frame is followed by the first.

    Raises:
        InputError: unknown name.
    """
    fills = {
        "zero_filled": lambda: data,
        "temporal_average": lambda: fill_temporal_average(data, encoding.mask),
        "view_sharing": lambda: fill_view_sharing(data, encoding.mask, cyclic=cyclic),
    }
    if name not in fills:
        raise InputError(f"unknown start {name!r}; known: {', '.join(fills)}.")
    return encoding.combine(fills[name]())
