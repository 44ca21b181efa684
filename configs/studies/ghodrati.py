"""S3's comparisons: four losses for UNet and ResNet, and the depth of the ResNet.

    python -m jdmri.main --mode=study --config=configs/studies/ghodrati.py:loss-quick      24 runs
    python -m jdmri.main --mode=study --config=configs/studies/ghodrati.py:depth-quick     18 runs
    python -m jdmri.main --mode=study --config=configs/studies/ghodrati.py:loss            for a GPU

S3 had readers rank the images of five of them: `--mode=reader` makes such a study from trained runs.
"""

from configs import ghodrati
from configs.studies import default
from configs.studies.losses import PERCEPTUAL
from jdmri.errors import InputError

LOSSES = ghodrati.LOSSES | dict(perceptual=PERCEPTUAL)


def get_config(variant: str = "loss"):
    """Return the study of ``loss`` or ``depth``, each also with ``-quick``."""
    part, _, size = variant.partition("-")
    if part not in ("loss", "depth"):
        raise InputError(f"ghodrati.py takes loss or depth, also with -quick; got {variant!r}.")
    if part == "depth":
        question = "How many residual blocks?"
        base = ghodrati.get_config("resnet4-perceptual")
        base.loss = PERCEPTUAL
        variants = {f"blocks_{k}": dict(model=dict(denoiser=dict(num_blocks=k))) for k in range(2, 8)}  # fmt: skip
    else:
        question = "Which loss for UNet and ResNet, frame by frame?"
        base = ghodrati.get_config("unet-l1")
        networks = {n: ghodrati.get_config(n).model.denoiser.to_dict() for n in ("unet", "resnet4")}
        if size == "quick":
            networks["unet"]["width"] = networks["resnet4"]["width"] = 16
        variants = {
            f"{network}_{loss}": dict(model=dict(denoiser=denoiser), loss=LOSSES[loss])
            for network, denoiser in networks.items()
            for loss in LOSSES
        }
    return default.build(question, base, variants, size or "published", _narrow)


def _narrow(base) -> None:
    """22 ACS lines of 192 are 7 of 64; few steps, since the perceptual loss costs more than the network."""
    base.model.denoiser.width = 16
    base.mask.num_center_lines = 7
    base.train.num_steps = 100 if base.loss.name == "perceptual" else 200
