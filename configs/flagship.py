"""The network of the package, trained anew: gated cascades from a family of total-variation solutions, on phantoms.

    python -m jdmri.main --config=configs/flagship.py            508,116 parameters, 192×192, bfloat16: for a GPU
    python -m jdmri.main --config=configs/flagship.py:small      94,314 parameters, the demo's subjects: two CPU cores

Cost and result of these two files: not measured. The weights that come with the package (`jdmri.restore("flagship")`, card
jdmri/weights/flagship-1.json) are of the larger network; their training had, beyond what the fields here say: R from 2 to 12,
four kinds of masks and noise of 0.3 to 5 %, drawn anew for every step; phantoms with moving textures, of two sizes; crops of
64 columns, exact because the columns of line masks are independent; the root mean square of each series as its loss.
"""

from configs import default
from jdmri.errors import InputError


def get_config(variant: str = ""):
    """Return the configuration: of the network as it ships, or ``small``."""
    if variant not in ("", "small"):
        raise InputError(f"flagship.py takes nothing or small, got {variant!r}.")
    config = default.get_config()
    config.mask.acceleration = 8.0
    # initial_weight: λ of data consistency at the start; a large one puts noise back.
    config.model = dict(name="gated", width=64, depth=2, num_cascades=4, initial_weight=0.3)
    config.loss = dict(name="l2", domain="complex")
    config.methods = (*config.methods, "spatiotemporal_tv", "adaptive_tv", "flagship")
    config.train.update(num_epochs=40, ema_decay=0.998)
    config.eval.every_epochs = 4
    if variant == "small":
        config.model.update(width=32, num_cascades=2)
    else:
        config.data.update(num_series=700, matrix=(192, 192))
        config.train.update(batch_size=4, precision="bfloat16")
    return config
