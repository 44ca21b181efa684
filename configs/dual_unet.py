"""Dual UNet + 3D ResNet of S0 with its settings: 800 epochs, Adam 1e-4, coupled decay 1e-4, batch 10, L2.

    python -m jdmri.main --config=configs/dual_unet.py --config.data.name=npz --config.data.path=cine.npz

The repaired network; as published: --config.model.denoiser.faithful=True
--config.model.denoiser.head_stride=2 --config.loss.domain=magnitude. On S0's 200 series of 192×192 the
split 4:1:2 gives 114/29/57. 63 M parameters: made for a GPU (2 h on an RTX 2080 Ti in S0).
"""

from configs import default


def get_config():
    """Return the configuration."""
    config = default.get_config()
    config.data.num_series = 200
    config.data.matrix = (192, 192)
    config.mask.num_center_lines = 11
    config.model = dict(
        name="denoise",
        denoiser=dict(
            name="dual_unet",
            num_frames=20,
            width=64,
            dropout=0.3,
            attention="bottleneck",  # none, bottleneck or all
            head=True,
            head_stride=1,  # 2 as published
            head_width=32,
            faithful=False,
        ),
        start="zero_filled",
    )
    config.loss = dict(name="l2", domain="complex")
    config.optimizer = dict(
        name="adam",
        learning_rate=1e-4,
        weight_decay=1e-4,
        clip_norm=0.0,
        schedule=dict(name="warmup_cosine", warmup=0.05),
    )
    config.train.num_epochs = 800
    config.train.batch_size = 10
    config.eval.every_epochs = 5
    return config
