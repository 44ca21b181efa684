"""The perceptual loss: distance between features of a fixed network."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.losses import vgg
from jdmri.losses.family import LOSSES, Loss


@LOSSES.register("perceptual")
def perceptual(
    *,
    vgg_path: str = "",
    sha256: str = "",
    weights: Sequence[float] = (0.65, 0.3, 0.05),
    alpha: float = 1.0,
) -> Loss:
    """(1 - α) mean (|x| - |g|)² + α Σ_l w_l mean (F_l|x| - F_l|g|)², F_l after conv1_1, conv2_1, conv3_1.

    α = 1 is S3's form (Ghodrati et al. 2019, eq. 7; it weighs the first layer most and does not print the
    weights: the default is ours), smaller α is S1's (eq. 3). After Johnson et al. 2016, arXiv:1603.08155.

    Args:
        vgg_path: see `jdmri.losses.vgg.load`; ``random`` takes fixed random filters.
        sha256: of that file; "" does not check.
        weights: of the three layers.
        alpha: weight of the features, 0…1.

    Raises:
        InputError: the file cannot be used, or other numbers are impossible.
    """
    if len(weights) != len(vgg.TAPS) or min(weights) < 0 or not 0 <= alpha <= 1:
        raise InputError(
            f"the perceptual loss takes three weights of 0 or more and alpha in [0, 1]; got {tuple(weights)} and {alpha:g}."
        )
    filters = vgg.load(vgg_path, sha256)

    def loss(estimate, reference, step):
        x, g = jnp.abs(estimate), jnp.abs(reference)
        pairs = zip(vgg.features(filters, x), vgg.features(filters, g), strict=True)
        distances = [jnp.mean((a - b) ** 2) for a, b in pairs]
        feature = sum(w * d for w, d in zip(weights, distances, strict=True))
        return (1 - alpha) * jnp.mean((x - g) ** 2) + alpha * feature

    return loss


def note(section: Mapping[str, Any]) -> str:
    """Say what every table and figure of a network trained with this loss must say, or ""."""
    terms = section.get("terms", {})
    parts = [section, *({"name": n, **t.get("arguments", {})} for n, t in terms.items())]
    if any(p["name"] == "perceptual" and p.get("vgg_path") == "random" for p in parts):
        return "perceptual loss with fixed random filters, not VGG"
    return ""
