"""Which loss? Pixel, structural, edge and perceptual losses for the same cascade with data consistency.

    ./launch/run.sh --mode=study --config=configs/studies/losses.py:quick       the demo's cascade, 20×64×64; 18 runs
    python -m jdmri.main --mode=study --config=configs/studies/losses.py        configs/cascade.py; for a GPU

VGG weights (`launch/convert_vgg.py`) come with --config.variants.perceptual.loss.vgg_path=vgg16.npz; without them the
perceptual loss has fixed random filters, and every table says so.
"""

from configs import cascade, demo
from configs.studies import default

PERCEPTUAL = dict(
    name="perceptual", vgg_path="random", sha256="", weights=(0.65, 0.3, 0.05), alpha=1.0
)
VARIANTS = dict(
    l1=dict(loss=dict(name="l1", domain="complex")),
    l2=dict(loss=dict(name="l2", domain="complex")),
    dssim=dict(loss=dict(name="dssim")),
    edge=dict(loss=dict(name="edge", alpha=0.2, start_epoch=0)),
    perceptual=dict(loss=PERCEPTUAL),
    l1_and_ssim=dict(loss=dict(name="composite", terms=dict(l1=dict(weight=1.0), ssim=dict(weight=0.1)))),
)  # fmt: skip


def get_config(size: str = "published"):
    """Return the study; ``quick`` takes the demo's network."""
    base = demo.get_config() if size == "quick" else cascade.get_config()
    return default.build("Which loss trains the better cascade?", base, VARIANTS, size)
