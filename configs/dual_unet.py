"""Dual UNet + 3D ResNet of S0 with its settings: 800 epochs, Adam 1e-4, coupled decay 1e-4, batch 10, L2.

    python -m jdmri.main --config=configs/dual_unet.py                 repaired
    python -m jdmri.main --config=configs/dual_unet.py:original        as published: 29.08 ± 1.93 dB (their data)
    python -m jdmri.main --config=configs/dual_unet.py --config.data.name=npz --config.data.path=cine.npz

Variants: original; attention (32.39 dB; its log shows that the head was off, so it is here); headless (neither); plain (no attention);
l1 (29.15); single (one UNet, 29.16); constant (no dropout, constant rate, 24.15); composite (L1 and
SSIM, recommended there); repaired. On S0's 200 series of
192×192 the split 4:1:2 gives 114/29/57. 63 M parameters: made for a GPU (2 h on an RTX 2080 Ti in S0).
"""

from configs import default
from jdmri.errors import InputError

PUBLISHED = dict(faithful=True, head_stride=2)
VARIANTS = {  # changes of the denoiser
    "repaired": {},
    "original": PUBLISHED,
    "attention": PUBLISHED | dict(head=False),
    "headless": PUBLISHED | dict(attention="none", head=False),
    "plain": PUBLISHED | dict(attention="none"),
    "l1": PUBLISHED,
    "single": PUBLISHED | dict(single=True),
    "constant": PUBLISHED | dict(dropout=0.0),
    "composite": {},
}
L1_AND_SSIM = dict(name="composite", terms=dict(l1=dict(weight=1.0), ssim=dict(weight=0.1)))


def get_config(variant: str = "repaired"):
    """Return the configuration of one of ``VARIANTS``."""
    if variant not in VARIANTS:
        raise InputError(f"dual_unet.py takes {', '.join(VARIANTS)}; got {variant!r}.")
    config = default.get_config()
    config.data.update(num_series=200, matrix=(192, 192))
    config.mask.num_center_lines = 11
    denoiser = (
        dict(
            name="dual_unet",
            num_frames=20,
            width=64,
            dropout=0.3,
            attention="bottleneck",  # none, bottleneck, encoder_decoder or all
            single=False,
            head=True,
            head_stride=1,  # 2 as published
            head_width=32,
            faithful=False,
        )
        | VARIANTS[variant]
    )
    config.model = dict(name="denoise", denoiser=denoiser, start="zero_filled")
    config.loss = _loss(variant)
    schedule = dict(name="constant") if variant == "constant" else dict(name="warmup_cosine", warmup=0.05)  # fmt: skip
    config.optimizer = dict(
        name="adam", learning_rate=1e-4, weight_decay=1e-4, clip_norm=0.0, schedule=schedule
    )
    config.train.update(num_epochs=800, batch_size=10)
    if denoiser["faithful"]:
        config.noise.sigma = 0.0
        config.augment.update(flips=False, frame_roll=False, global_phase=False)
        config.train.ema_decay = 0.0
    config.eval.every_epochs = 5
    return config


def _loss(variant: str) -> dict:
    """L2 unless the variant says otherwise; the published output is a magnitude."""
    if variant == "composite":
        return L1_AND_SSIM
    name = "l1" if variant == "l1" else "l2"
    return dict(name=name, domain="complex" if variant == "repaired" else "magnitude")
