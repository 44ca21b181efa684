"""The 3-D CNNs of S1 (Shen et al.): 4 convolutions, or 8 at half resolution; 20 frames of 192×192, Adam, 500 epochs.

    python -m jdmri.main --config=configs/cnn3d.py:simple      28.66 ± 0.73 dB as published (their data)
    python -m jdmri.main --config=configs/cnn3d.py:complex     31.12 ± 0.87
    python -m jdmri.main --config=configs/cnn3d.py:complex-edge-300

What follows the network's name: edge, perceptual (needs --config.loss.vgg_path), dropout, sgd, batchnorm, 100 or 300 (epochs).
No noise, no augmentation, as published. S1 prints neither widths nor the learning rate: 32 and 1e-3 are ours. The split
5:1:2 gives 125/25/50 of 200 series. For a GPU; on a laptop shorten it with --config.data.num_series=40 --config.train.num_epochs=20.
"""

from configs import default
from jdmri.errors import InputError

EDGE_EPOCHS = 100  # the edge loss begins then


def get_config(variant: str = "complex"):
    """Return the configuration of ``simple`` or ``complex``, with modifiers after dashes."""
    network, *modifiers = variant.split("-")
    if network not in ("simple", "complex"):
        raise InputError(f"cnn3d.py takes simple or complex, got {network!r}.")
    config = default.get_config()
    config.data.update(num_series=200, matrix=(192, 192))
    config.split.ratios = (5, 1, 2)
    config.mask.num_center_lines = 11
    denoiser = dict(
        name="cnn3d", width=32, depth=4, downsample=False, dropout=0.0, batch_norm=False
    )
    if network == "complex":
        denoiser |= dict(depth=8, downsample=True)
    config.model = dict(name="denoise", denoiser=denoiser, start="zero_filled")
    config.loss = dict(name="l2", domain="complex")
    config.optimizer = dict(
        name="adam",
        learning_rate=1e-3,
        weight_decay=1e-8,
        clip_norm=0.0,
        schedule=dict(name="constant"),
    )
    config.noise.sigma = 0.0
    config.augment.update(flips=False, frame_roll=False, global_phase=False)
    config.train.update(num_epochs=500, ema_decay=0.0)
    config.eval.every_epochs = 5
    for modifier in modifiers:
        _modify(config, modifier)
    return config


def _modify(config, modifier: str) -> None:
    if modifier == "edge":
        config.loss = dict(name="edge", alpha=0.2, start_epoch=EDGE_EPOCHS)
    elif modifier == "perceptual":
        config.loss = dict(
            name="perceptual", vgg_path="", sha256="", weights=(0.65, 0.3, 0.05), alpha=0.2
        )
    elif modifier == "dropout":
        config.model.denoiser.dropout = 0.4
    elif modifier == "batchnorm":
        config.model.denoiser.batch_norm = True
    elif modifier == "sgd":
        schedule = dict(name="constant")
        config.optimizer = dict(
            name="sgd", learning_rate=0.01, momentum=0.0, clip_norm=0.0, schedule=schedule
        )
    elif modifier in ("100", "300"):
        config.train.num_epochs = int(modifier)
    else:
        raise InputError(
            f"unknown modifier {modifier!r}; known: edge, perceptual, dropout, batchnorm, sgd, 100, 300."
        )
