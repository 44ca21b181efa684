"""Every field of a study, and the small size that all studies share.

    python -m jdmri.main --mode=study --config=configs/studies/losses.py:quick

Takes PUBLISHED (the default) or quick as its argument: the size of the system that is studied, for a GPU, or one that two CPU
cores finish in less than half an hour. A small run answers for small runs; its page says so.
"""

from ml_collections import ConfigDict

from configs import default
from jdmri.errors import InputError

QUICK_SEEDS = (0, 1, 2)


def get_config() -> ConfigDict:
    """Return the fields: two losses on the default network."""
    study = ConfigDict()
    study.plugins = ()  # of every run, with those of the base
    study.question = ""  # one sentence, the title of the page
    # The config of every run; split.name="kfold" tests each subject once.
    study.base = default.get_config()
    # name → the fields that differ from the base; a section with another `name` is replaced, others are merged.
    study.variants = ConfigDict()
    study.seeds = (0, 1, 2)  # of initial weights, batches, masks, noise and dropout
    study.metric = "psnr"  # of the tests, the figures, and the choice of series to show
    study.metrics = ("psnr", "psnr_heart", "ssim", "nmse")  # columns of the table
    return study


def build(question: str, base, variants, size: str = "published", quick=None) -> ConfigDict:
    """Fill a study in.

    Args:
        question: what is compared.
        base: the config of a run, at its published size.
        variants: name → changes.
        size: ``published`` or ``quick``.
        quick: changes the base for the small size, after `shrink`.
    """
    if size not in ("published", "quick"):
        raise InputError(f"a study takes published or quick, got {size!r}.")
    study = get_config()
    study.question = question
    if size == "quick":
        shrink(base)
        if quick is not None:
            quick(base)
    study.base = base
    study.variants = ConfigDict(variants)
    return study


def shrink(base, *, num_steps: int = 300) -> None:
    """Make a run last about a minute on two cores: 70 synthetic hearts of 20×64×64, few steps.

    Noise, augmentation and averaged weights stay as the base has them.
    """
    base.data.update(num_series=70, matrix=(64, 64))
    base.split = default.get_config().split
    base.mask.num_center_lines = 4
    base.metrics = ("psnr", "ssim", "nmse")
    base.train.update(num_steps=num_steps, batch_size=1, num_series=0)
    base.eval.update(every_epochs=2, num_series=0)
