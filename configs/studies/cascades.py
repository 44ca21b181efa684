"""How many cascades? S0's dual UNet (1, 2, 3 with data consistency), S1's simple CNN (0, 2, 3), and ours (1 … 4).

python -m jdmri.main --mode=study --config=configs/studies/cascades.py:ours-quick       12 runs
python -m jdmri.main --mode=study --config=configs/studies/cascades.py:dual             S0; for a GPU
python -m jdmri.main --mode=study --config=configs/studies/cascades.py:simple           S1; for a GPU
"""

from configs import cascade, demo
from configs.studies import default
from jdmri.errors import InputError


def get_config(variant: str = "ours"):
    """Return the study of ``ours``, ``dual`` or ``simple``, each also with ``-quick``."""
    kind, _, size = variant.partition("-")
    if kind not in ("ours", "dual", "simple"):
        raise InputError(f"cascades.py takes ours, dual or simple, also with -quick; got {variant!r}.")  # fmt: skip
    counts = (0, 2, 3) if kind == "simple" else (1, 2, 3) if kind == "dual" else (1, 2, 3, 4)
    return default.build(
        "How many cascades with data consistency?",
        demo.get_config() if kind == "ours" else cascade.get_config(f"{kind}3"),
        {f"cascades_{n}": _changes(kind, n) for n in counts},
        size or "published",
        None if kind == "ours" else _narrow,
    )


def _changes(kind: str, count: int) -> dict:
    """No cascade: the network alone, as it corrects the zero-filled image."""
    if count > 0:
        return dict(model=dict(num_cascades=count))
    denoiser = cascade.get_config(f"{kind}0").model.denoiser.to_dict()
    return dict(model=dict(name="denoise", denoiser=denoiser, start="zero_filled"))


def _narrow(base) -> None:
    base.model.denoiser.width = 8
    if "head_width" in base.model.denoiser:
        base.model.denoiser.head_width = 8
    base.optimizer.learning_rate = 1e-3
