"""Schlemper's D5C5: five cascades of five 3-D convolutions of width 64, hard data consistency, from zero-filled.

    python -m jdmri.main --config=configs/dc_cnn.py

Schlemper et al. 2018, doi:10.1109/TMI.2017.2760978, the ancestor that S0, S1 and S3 cite; 0.34 M parameters a cascade. Adam
1e-4, L2. The data-sharing layer of its 2-D form is not built; k-t view sharing as a start comes nearest.
Our augmentation and noise. Made for a GPU; never trained to the end here.
"""

from configs import default


def get_config():
    """Return the configuration."""
    config = default.get_config()
    config.data.update(num_series=200, matrix=(192, 192))
    config.mask.num_center_lines = 11
    config.model = dict(
        name="cascade",
        denoiser=dict(
            name="cnn3d", width=64, depth=5, downsample=False, dropout=0.0, batch_norm=False
        ),
        num_cascades=5,
        shared=False,
        memory="remat",
        start="zero_filled",
        consistency="hard",
        initial_weight=10.0,
    )
    config.loss = dict(name="l2", domain="complex")
    config.optimizer = dict(
        name="adam",
        learning_rate=1e-4,
        weight_decay=1e-7,
        clip_norm=0.0,
        schedule=dict(name="constant"),
    )
    config.train.num_epochs = 200
    config.eval.every_epochs = 5
    return config
