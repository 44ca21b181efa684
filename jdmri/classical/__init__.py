"""Methods without training, with a network's call signature ``(kspace, maps, mask) -> cine``.

``zero_filled``, ``temporal_average`` and ``view_sharing`` fill k-space (`jdmri.ops.filling`) and transform
back. The iterative ones also have ``.solve(kspace, maps, mask)``, which tells iterations and residual.
A new method is one new file, which registers its factory.
"""

from jdmri.classical.method import METHODS, Iterative, reconstruct
from jdmri.classical.problem import Minimiser
from jdmri.runtime.registry import import_modules

import_modules(__name__)
globals().update(METHODS.exports())  # classical.wavelet is the method, not its module

__all__ = ["METHODS", "Iterative", "Minimiser", "reconstruct", *METHODS.exports()]
