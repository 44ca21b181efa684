"""The UNet and the ResNets of S3 (Ghodrati et al. 2019): frame by frame, 4-fold uniform sampling, 22 ACS lines.

    python -m jdmri.main --config=configs/ghodrati.py:unet-l1
    python -m jdmri.main --config=configs/ghodrati.py:resnet4-perceptual --config.loss.vgg_path=vgg16.npz

Networks: unet (1.3 M parameters), resnet2 … resnet7 (0.1 M with 4 blocks). Losses: l1, l2, dssim, perceptual. RMSProp,
rate 0.001, decay 0.9, 100 epochs. S3 trained on 2,000 diverse images, validated on 500 random ones an epoch,
and took batches of 32 images: here series of 20 frames, so 100, 25 and 2. 192×128 with phase encoding along
the longer side (our choice), split 27:7:19, no noise, no augmentation.
"""

from configs import default
from jdmri.errors import InputError

LOSSES = {
    "l1": dict(name="l1", domain="magnitude"),
    "l2": dict(name="l2", domain="magnitude"),
    "dssim": dict(name="dssim"),
    "perceptual": dict(
        name="perceptual", vgg_path="", sha256="", weights=(0.65, 0.3, 0.05), alpha=1.0
    ),
}


def get_config(variant: str = "unet-l1"):
    """Return the configuration of ``NETWORK`` or ``NETWORK-LOSS``."""
    network, _, loss = variant.partition("-")
    loss = loss or "l1"
    if loss not in LOSSES:
        raise InputError(f"ghodrati.py takes the losses {', '.join(LOSSES)}; got {loss!r}.")
    config = default.get_config()
    config.data.update(num_series=200, matrix=(192, 128))
    config.split.ratios = (27, 7, 19)
    config.mask = dict(name="uniform", acceleration=4.0, num_center_lines=22, per_frame=False)
    config.noise.sigma = 0.0
    config.augment.update(flips=False, frame_roll=False, global_phase=False)
    config.model = dict(name="denoise", denoiser=_denoiser(network), start="zero_filled")
    config.loss = LOSSES[loss]
    config.optimizer = dict(
        name="rmsprop",
        learning_rate=1e-3,
        decay=0.9,
        clip_norm=0.0,
        schedule=dict(name="constant"),
    )
    config.train.update(num_epochs=100, batch_size=2, num_series=100, ema_decay=0.0)
    config.eval.num_series = 25
    return config


def _denoiser(network: str) -> dict:
    if network == "unet":
        return dict(name="unet", width=54, domain="magnitude", dropout=0.0)
    if network in {f"resnet{k}" for k in range(2, 8)}:
        return dict(name="resnet", num_blocks=int(network[6:]), width=32, domain="magnitude")
    raise InputError(f"ghodrati.py takes unet, or resnet2 … resnet7; got {network!r}.")
