r"""The methods without training, tuned: what a network has to beat.

    python -m jdmri.main --mode=tune --config=configs/classical.py            phantoms, one coil; R 4, 5, 8, 12; masks per frame and shared
    python -m jdmri.main --mode=tune --config=configs/classical.py:coils      eight coils, with CG-SENSE
    python -m jdmri.main --mode=evaluate --workdir=runs/cascade --config.tuned=runs/classical/tuned.json \
        --config.methods="('view_sharing', 'kt_focuss', 'spatiotemporal_tv')" --config.eval.name=classical

Parameters are tuned by validation PSNR for each acceleration and kind of mask, on a grid of seven points that grows at its ends and is refined
once, parameters in alphabetical order. All weights are relative to the data's own scale.
"""

from ml_collections import ConfigDict

from configs import default
from jdmri.errors import InputError

VARIANTS = ("", "coils")


def get_config(variant: str = ""):
    """Return the settings of the tuning."""
    if variant not in VARIANTS:
        raise InputError(f"unknown variant {variant!r}; known: {', '.join(VARIANTS[1:])}.")
    config = ConfigDict()
    config.plugins = ()  # of every run, with those of the base
    config.base = default.get_config()
    if variant == "coils":
        config.base.data.num_coils = 8
    config.accelerations = (4.0, 5.0, 8.0, 12.0)
    config.per_frame = (True, False)
    config.num_series = 4  # validation series; 0: all
    config.num_points = 7
    config.only = ()  # methods to tune now; (): all of the grid
    config.grid = dict(  # lowest and highest value
        kt_sparse=dict(weight=(3e-4, 0.1)),
        temporal_tv=dict(weight=(3e-4, 0.1)),
        spatiotemporal_tv=dict(weight=(3e-4, 0.1), spatial_weight=(3e-5, 0.01)),
        adaptive_tv=dict(
            weight=(1e-3, 0.03), spatial_weight=(3e-6, 1e-4)
        ),  # stopped early: never converged
        kt_blast=dict(weight=(1e-5, 0.1)),
        kt_focuss=dict(weight=(1e-5, 0.1)),
        low_rank=dict(weight=(1e-4, 0.1)),
        l_plus_s=dict(low_rank_weight=(1e-4, 0.1), sparse_weight=(3e-4, 0.1)),
        llr=dict(weight=(3e-4, 0.1)),
        wavelet=dict(weight=(3e-4, 0.1)),
    )
    if variant == "coils":
        config.grid.cg_sense = dict(weight=(1e-4, 0.1))
    return config
