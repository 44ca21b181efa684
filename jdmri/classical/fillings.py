"""Linear fillings of k-space, transformed back: zeros, the temporal average, view sharing."""

import functools

from jdmri.classical.method import METHODS, Method, filled
from jdmri.errors import InputError
from jdmri.ops import filling


@METHODS.register("zero_filled")
def zero_filled() -> Method:
    """Leave at zero what was not measured: ``Eᴴ y``, without density compensation."""
    return filled(lambda kspace, mask: kspace)


@METHODS.register("temporal_average")
def temporal_average() -> Method:
    """Fill each frame with the temporal mean of k-space ("composite" image)."""
    return filled(filling.fill_temporal_average)


@METHODS.register("view_sharing")
def view_sharing(*, mode: str = "linear", cyclic: bool = True) -> Method:
    """View sharing (Foo et al. 1995, doi:10.1148/radiology.195.2.7724769): borrow lines in time.

    Args:
        mode: what an unsampled point takes.
            ``linear``: the straight line between its previous and its next sample.
            ``nearest``: the sample nearest in time, of two equally near ones the earlier.
            ``sliding_window``: the newest sample, as in MR fluoroscopy (Riederer et al. 1988,
            doi:10.1002/mrm.1910080102). It needs nothing from the future and lags behind. The window reaches
            back until each point is found: R frames when a uniform mask moves on by one line a frame.
        cyclic: the last frame is followed by the first, as in gated series.

    Raises:
        InputError: an unknown mode.
    """
    if mode not in filling.VIEW_SHARING_MODES:
        raise InputError(
            f"view_sharing knows the modes {', '.join(filling.VIEW_SHARING_MODES)}, got mode={mode!r}."
        )
    return filled(functools.partial(filling.fill_view_sharing, cyclic=cyclic, mode=mode))
