"""End-to-end variational network with time on eight coils: learned gradient steps beside (2+1)-D CNNs.

    python -m jdmri.main --config=configs/varnet.py           three rounds; the given coil maps are refined
    python -m jdmri.main --config=configs/varnet.py:fixed     the maps as they are

Hammernik et al. 2018, doi:10.1002/mrm.26977; Sriram et al. 2020, arXiv:2004.06688. The phantom's maps are the true ones: what refining is
worth shows with estimated maps only. 88,931 parameters, of which 1,754 refine the maps.
Cost and result: not measured.
"""

from configs import default
from jdmri.errors import InputError

VARIANTS = ("refined", "fixed")


def get_config(variant: str = "refined"):
    """Return the configuration of a name in ``VARIANTS``."""
    if variant not in VARIANTS:
        raise InputError(f"unknown variant {variant!r}; known: {', '.join(VARIANTS)}.")
    config = default.get_config()
    config.data.num_coils = 8
    config.model = dict(
        name="varnet",
        denoiser=config.model.denoiser,
        num_cascades=3,
        memory="plain",
        start="view_sharing",
        initial_step=1.0,  # η at the start
        refine_maps=variant == "refined",
        maps_width=8,  # channels of the network that refines the maps
    )
    config.methods = (*config.methods, "cg_sense")
    return config
