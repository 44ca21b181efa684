"""Which mask? Families, one mask a series or one a frame, and R; the network is trained on each.

    python -m jdmri.main --mode=study --config=configs/studies/masks.py:quick       21 runs
    python -m jdmri.main --mode=study --config=configs/studies/masks.py             configs/cascade.py; for a GPU

All have the same number of centre lines; the true R of each is in its protocol (uniform masks have the ACS lines on top).
"""

from configs import cascade, demo
from configs.studies import default


def get_config(size: str = "published"):
    """Return the study."""
    base = demo.get_config() if size == "quick" else cascade.get_config()
    lines = 4 if size == "quick" else base.mask.num_center_lines
    variants = {
        f"{family}_{'frames' if per_frame else 'shared'}_R{factor}": dict(
            mask=dict(
                name=family,
                acceleration=float(factor),
                num_center_lines=lines,
                per_frame=per_frame,
            )
        )
        for family, per_frame, factor in (
            ("variable_density", True, 4),
            ("variable_density", False, 4),
            ("variable_density", True, 8),
            ("kt_gaussian", True, 4),
            ("uniform", False, 4),
            ("lattice", True, 4),
            ("lattice", True, 8),
        )
    }
    return default.build("Which undersampling mask serves the network best?", base, variants, size)
