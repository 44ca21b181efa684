"""S0's comparisons for the dual UNet: dropout and schedule, loss, attention × head × stride; each disentangled.

    python -m jdmri.main --mode=study --config=configs/studies/dual_unet.py:attention-quick     18 runs
    python -m jdmri.main --mode=study --config=configs/studies/dual_unet.py:schedule            63 M parameters, for a GPU

Parts: schedule (dropout × schedule), loss (L2, L1, L1 with SSIM), attention (attention × head with its stride), unets (one or
two). S0 changed several things between two rows, on different test series; here each pair differs in what its names say.
"""

from configs import dual_unet
from configs.studies import default
from jdmri.errors import InputError

CONSTANT = dict(name="constant")
COSINE = dict(name="warmup_cosine", warmup=0.05)
STUDIES = {
    "schedule": (
        "Dropout or not, constant rate or warm-up and cosine?",
        {
            f"{'dropout' if rate else 'no_dropout'}_{schedule['name']}": dict(
                model=dict(denoiser=dict(dropout=rate)), optimizer=dict(schedule=schedule)
            )
            for rate in (0.3, 0.0)
            for schedule in (COSINE, CONSTANT)
        },
    ),
    "loss": (
        "L1, L2, or L1 with SSIM, for the dual UNet?",
        dict(
            l2=dict(loss=dict(name="l2", domain="magnitude")),
            l1=dict(loss=dict(name="l1", domain="magnitude")),
            l1_and_ssim=dict(loss=dual_unet.L1_AND_SSIM),
        ),
    ),
    "attention": (
        "Does attention help the dual UNet, with or without its 3-D ResNet head?",
        {
            f"{'attention' if attention != 'none' else 'none'}_{head}": dict(
                model=dict(
                    denoiser=dict(
                        attention=attention,
                        head=head != "headless",
                        head_stride=1 if head == "head_stride1" else 2,
                    )
                )
            )
            for attention in ("none", "bottleneck")
            for head in ("headless", "head_stride1", "head_stride2")
        },
    ),
    "unets": (
        "One UNet for both channels, or two?",
        dict(
            two=dict(model=dict(denoiser=dict(single=False))),
            one=dict(model=dict(denoiser=dict(single=True))),
        ),
    ),
}


def get_config(variant: str = "attention"):
    """Return the study of one part, e.g. ``attention`` or ``attention-quick``."""
    part, _, size = variant.partition("-")
    if part not in STUDIES:
        raise InputError(
            f"dual_unet.py takes {', '.join(STUDIES)}, each also with -quick; got {variant!r}."
        )
    return default.build(
        *(STUDIES[part][0], dual_unet.get_config("original"), STUDIES[part][1]),
        size or "published",
        _narrow,
    )


def _narrow(base) -> None:
    """An eighth of the width, twenty times the rate: 1,200 steps of one series instead of 9,000 of ten."""
    base.model.denoiser.update(width=8, head_width=8)
    base.optimizer.learning_rate = 2e-3
    base.train.num_steps = 1200
    base.eval.every_epochs = 6
