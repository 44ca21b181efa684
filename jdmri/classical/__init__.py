"""Methods without training, with a network's call signature ``(kspace, maps, mask) -> cine``.

``zero_filled``, ``temporal_average`` and ``view_sharing`` fill k-space and transform back. The
``fill_…`` functions are linear in k-space, so they work as well on hybrid (ky, x) data; networks
start from them. The iterative ones also have ``.solve(kspace, maps, mask)``, which tells iterations and residual.
"""

from jdmri.classical.adaptive_tv import AdaptiveTV
from jdmri.classical.cg_sense import cg_sense
from jdmri.classical.fillings import fill_view_sharing, view_sharing
from jdmri.classical.grappa import grappa
from jdmri.classical.kt_focuss import kt_blast, kt_focuss
from jdmri.classical.kt_sparse import kt_sparse
from jdmri.classical.l_plus_s import l_plus_s
from jdmri.classical.llr import llr
from jdmri.classical.low_rank import low_rank
from jdmri.classical.method import METHODS, Iterative, Solution
from jdmri.classical.problem import Minimiser
from jdmri.classical.temporal_average import fill_temporal_average, temporal_average
from jdmri.classical.total_variation import spatiotemporal_tv, temporal_tv
from jdmri.classical.wavelet import wavelet
from jdmri.classical.zero_filled import zero_filled

__all__ = [
    "METHODS",
    "AdaptiveTV",
    "Iterative",
    "Minimiser",
    "Solution",
    "cg_sense",
    "fill_temporal_average",
    "fill_view_sharing",
    "grappa",
    "kt_blast",
    "kt_focuss",
    "kt_sparse",
    "l_plus_s",
    "llr",
    "low_rank",
    "spatiotemporal_tv",
    "temporal_average",
    "temporal_tv",
    "view_sharing",
    "wavelet",
    "zero_filled",
]
