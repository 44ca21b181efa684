"""Training losses: factories of pure functions ``(estimate, reference, step) -> scalar``.

For one series ``[frame, y, x]``, complex, in the network's scale (bright tissue about 1); batch by
`jax.vmap`. Each is zero at equality and has a finite gradient there. A new loss is one new file, which
registers its factory.
"""

from jdmri.losses.family import LOSSES, Loss
from jdmri.losses.perceptual import note
from jdmri.runtime.registry import import_modules

import_modules(__name__)
globals().update(LOSSES.exports())  # losses.perceptual is the loss, not its module

__all__ = ["LOSSES", "Loss", "note", *LOSSES.exports()]
