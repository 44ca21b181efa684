"""All of CMRxRecon, or any converted data set of many shapes: a variational network on measured multi-coil k-space.

    python -m jdmri.main --mode=convert --input=CMRxRecon/MultiCoil --output=cmrxrecon.h5
    python -m jdmri.main --config=configs/cmrxrecon.py --config.data.path=cmrxrecon.h5
    python -m jdmri.main --config=configs/cmrxrecon.py:modl --config.data.path=cmrxrecon.h5

Series of different matrix, frames and coils are padded to a few shapes, each compiled once; the log names them. What does
not fit into memory is streamed from the store (``pip install 'jdmri[grain]'``). Cost and result: not measured, for no real file was at hand.
"""

from configs import modl, varnet
from jdmri.errors import InputError

NETWORKS = {"varnet": varnet, "modl": modl}


def get_config(variant: str = "varnet"):
    """Return the configuration of a name in ``NETWORKS``."""
    if variant not in NETWORKS:
        raise InputError(f"unknown variant {variant!r}; known: {', '.join(NETWORKS)}.")
    config = NETWORKS[variant].get_config()
    config.data.name = "store"
    config.data.path = "cmrxrecon.h5"
    config.mask.update(name="kt_gaussian", acceleration=8.0, num_center_lines=8)
    config.augment.flips = True
    config.noise.sigma = 0.0  # measured k-space brings its own
    config.train.num_epochs = 20
    return config
