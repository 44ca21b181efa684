"""Unrolled cascades with data consistency: ours, and those of S0 and S1.

    python -m jdmri.main --config=configs/cascade.py             three cascades of (2+1)-D CNNs, soft consistency
    python -m jdmri.main --config=configs/cascade.py:2           two
    python -m jdmri.main --config=configs/cascade.py:simple3     S1: n × its simple 3-D CNN, 100 epochs (0, 2 or 3)
    python -m jdmri.main --config=configs/cascade.py:dual2       S0: n × its dual UNet + ResNet, 300 epochs (2 or 3)

Also complex, unet and resnet (of S3, 4 blocks) + n. Ours takes any number of frames and has 87,177 parameters; 515 steps (ten
minutes on two cores) on the demo's subjects give 33.9 dB, linear view sharing 32.1. The published ones take their systems' data and
optimizer; 29.76 dB with simple3, 28.96 with simple2, 28.04 with simple0; 28.87 with dual2, 28.96 with dual3 (their data).
"""

import re

from configs import cnn3d, default, dual_unet, ghodrati
from jdmri.errors import InputError

SYSTEMS = {
    "simple": lambda: cnn3d.get_config("simple-100"),
    "complex": lambda: cnn3d.get_config("complex-100"),
    "dual": dual_unet.get_config,
    "unet": lambda: ghodrati.get_config("unet"),
    "resnet": lambda: ghodrati.get_config("resnet4"),
}


def get_config(variant: str = "3"):
    """Return the configuration of ``n``, or of a name in ``SYSTEMS`` + n."""
    found = re.fullmatch(r"([a-z]*)(\d+)", variant)
    if not found or found[1] not in ("", *SYSTEMS):
        raise InputError(
            f"cascade.py takes a number, or {', '.join(SYSTEMS)} and a number; got {variant!r}."
        )
    kind, number = found[1], int(found[2])
    if not kind:
        config = default.get_config()
        config.model.num_cascades = number
        config.model.start = "view_sharing"
        return config
    config = SYSTEMS[kind]()
    if number > 0:
        config.model = _unrolled(config.model.denoiser, number)
    if kind == "dual":
        config.train.num_epochs = 300
    return config


def _unrolled(denoiser, number: int) -> dict:
    """Hard data consistency after each denoiser, from the zero-filled image."""
    return dict(
        name="cascade",
        denoiser=denoiser,
        num_cascades=number,
        shared=False,
        memory="remat",
        start="zero_filled",
        consistency="hard",
        initial_weight=1.0,
    )
