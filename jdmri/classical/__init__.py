"""Methods without training, with a network's call signature ``(kspace, maps, mask) -> cine``.

Each fills k-space and transforms back. The ``fill_…`` functions are linear in k-space, so they work
as well on hybrid (ky, x) data; networks start from them.
"""

from jdmri.classical.method import METHODS
from jdmri.classical.temporal_average import fill_temporal_average, temporal_average
from jdmri.classical.view_sharing import fill_view_sharing, view_sharing
from jdmri.classical.zero_filled import zero_filled

__all__ = [
    "METHODS",
    "fill_temporal_average",
    "fill_view_sharing",
    "temporal_average",
    "view_sharing",
    "zero_filled",
]
