"""S1's comparisons of its 3-D CNNs: size, edge and perceptual loss, dropout 0.4, SGD, BatchNorm.

python -m jdmri.main --mode=study --config=configs/studies/cnn3d.py:quick       21 runs
python -m jdmri.main --mode=study --config=configs/studies/cnn3d.py             300 epochs, for a GPU
"""

from configs import cnn3d
from configs.studies import default
from configs.studies.losses import PERCEPTUAL

SIMPLE = dict(depth=4, downsample=False)
SGD = dict(name="sgd", learning_rate=0.01, momentum=0.0, clip_norm=0.0, schedule=dict(name="constant"))  # fmt: skip


def get_config(size: str = "published"):
    """Return the study."""
    edge_begins = 4 if size == "quick" else cnn3d.EDGE_EPOCHS
    variants = dict(
        complex={},
        simple=dict(model=dict(denoiser=SIMPLE)),
        edge=dict(loss=dict(name="edge", alpha=0.2, start_epoch=edge_begins)),
        perceptual=dict(loss=PERCEPTUAL | dict(alpha=0.2)),
        dropout=dict(model=dict(denoiser=dict(dropout=0.4))),
        sgd=dict(optimizer=SGD),
        batchnorm=dict(model=dict(denoiser=dict(batch_norm=True))),
    )
    question = "What helps a 3-D CNN: size, edges, perception, dropout, SGD, BatchNorm?"
    return default.build(question, cnn3d.get_config("complex-300"), variants, size, _narrow)


def _narrow(base) -> None:
    base.model.denoiser.width = 16
