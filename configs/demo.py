"""A beating heart in four minutes on two CPU cores: synthetic subjects, five-fold k-t undersampling.

    ./launch/run.sh --config=configs/demo.py

Trains a small cascade of frames-as-channels CNNs (1200 steps of 0.14 s, 1.2 GiB), then evaluates on 20 unseen subjects.
Expected: PSNR 34.2 dB; linear view sharing 32.1, temporal average 30.8, zero-filled 19.6; and 34.9 for spatio-temporal total
variation, the best of the methods without training, which so short a training does not reach.
"""

from configs import default


def get_config():
    """Return the configuration."""
    config = default.get_config()
    config.model = dict(
        name="cascade",
        denoiser=dict(name="frames_cnn", num_frames=20, width=64, depth=4),
        num_cascades=4,
        shared=False,
        memory="plain",
        start="view_sharing",
        consistency="soft",
        initial_weight=10.0,
    )
    config.methods = (*config.methods, "spatiotemporal_tv")
    config.train.num_epochs = 30
    config.eval.every_epochs = 3
    return config
