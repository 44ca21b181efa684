"""MoDL on eight coils: one (2+1)-D CNN for all rounds, each followed by conjugate gradients with a learned λ.

    python -m jdmri.main --config=configs/modl.py             three rounds
    python -m jdmri.main --config=configs/modl.py:10          ten, as published

Aggarwal et al. 2019, doi:10.1109/TMI.2018.2865356; its CNN sees single images, this one the whole cine. 29,059 parameters.
Cost and result: not measured.
"""

from configs import default
from jdmri.errors import InputError


def get_config(variant: str = "3"):
    """Return the configuration of ``variant`` rounds."""
    if not variant.isdecimal() or int(variant) < 1:
        raise InputError(f"modl.py takes a number of rounds, got {variant!r}.")
    config = default.get_config()
    config.data.num_coils = 8
    config.model = dict(
        name="modl",
        denoiser=config.model.denoiser,
        num_cascades=int(variant),
        num_iterations=10,  # of conjugate gradients in each round
        memory="plain",
        start="view_sharing",
        initial_weight=0.05,  # λ of the denoised image at the start
    )
    config.methods = (*config.methods, "cg_sense")
    return config
