"""Cases of a reading study."""

import numpy as np

from jdmri.studies import reading

METHODS = ["cascade_secret", "zero_filled_secret", "unet_secret", "kt_secret"]


def case(i, *, methods=METHODS, subject=None, reference=True, shape=(5, 12, 10), order=1):
    rng = np.random.default_rng(i)
    cine = rng.uniform(0, 1, shape)
    noisy = {m: cine + 0.1 * (j + 1) * rng.standard_normal(shape) for j, m in enumerate(methods)}
    shown = {m: noisy[m] for m in methods[::order]}
    return reading.Case(f"series{i:02d}", subject or f"patient{i:02d}", cine if reference else None, shown)  # fmt: skip
