"""A beating heart in six minutes on a laptop: the embedded phantom, five-fold k-t undersampling.

    ./launch/run.sh --config=configs/demo.py

Trains a small cascade of frames-as-channels CNNs on synthetic subjects, then evaluates on unseen ones.
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
        remat=False,
        start="view_sharing",
        consistency="soft",
        initial_weight=10.0,
    )
    config.train.num_epochs = 30
    config.eval.every_epochs = 3
    return config
