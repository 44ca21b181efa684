"""Methods without training, with a network's call signature ``(kspace, maps, mask) -> cine``.

``zero_filled``, ``temporal_average`` and ``view_sharing`` fill k-space and transform back. The
``fill_…`` functions are linear in k-space, so they work as well on hybrid (ky, x) data; networks
start from them.
"""

from jdmri.classical.cg_sense import cg_sense
from jdmri.classical.kt_sparse import kt_sparse
from jdmri.classical.method import METHODS
from jdmri.classical.temporal_average import fill_temporal_average, temporal_average
from jdmri.classical.view_sharing import fill_view_sharing, view_sharing
from jdmri.classical.zero_filled import zero_filled

__all__ = [
    "METHODS",
    "cg_sense",
    "fill_temporal_average",
    "fill_view_sharing",
    "kt_sparse",
    "temporal_average",
    "view_sharing",
    "zero_filled",
]
