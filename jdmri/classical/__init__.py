"""Methods without training, with a network's call signature ``(kspace, maps, mask) -> cine``.

``zero_filled``, ``temporal_average`` and ``view_sharing`` fill k-space (`jdmri.ops.filling`) and transform
back. The iterative ones also have ``.solve(kspace, maps, mask)``, which tells iterations and residual.
"""

from jdmri.classical.cg_sense import cg_sense
from jdmri.classical.fillings import temporal_average, view_sharing, zero_filled
from jdmri.classical.grappa import grappa
from jdmri.classical.kt_focuss import kt_blast, kt_focuss
from jdmri.classical.kt_sparse import kt_sparse
from jdmri.classical.l_plus_s import l_plus_s
from jdmri.classical.llr import llr
from jdmri.classical.low_rank import low_rank
from jdmri.classical.method import METHODS, Iterative, reconstruct
from jdmri.classical.problem import Minimiser
from jdmri.classical.total_variation import spatiotemporal_tv, temporal_tv
from jdmri.classical.wavelet import wavelet

__all__ = [
    "METHODS",
    "Iterative",
    "Minimiser",
    "cg_sense",
    "grappa",
    "kt_blast",
    "kt_focuss",
    "kt_sparse",
    "l_plus_s",
    "llr",
    "low_rank",
    "reconstruct",
    "spatiotemporal_tv",
    "temporal_average",
    "temporal_tv",
    "view_sharing",
    "wavelet",
    "zero_filled",
]
