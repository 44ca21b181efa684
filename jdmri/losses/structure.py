"""Losses that compare neighbourhoods of the magnitude: SSIM, its dissimilarity, edges."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jdmri.errors import InputError
from jdmri.losses.family import LOSSES, Loss

_K1, _K2 = 0.01, 0.03


@LOSSES.register("ssim")
def ssim(*, dimensions: int = 2) -> Loss:
    """1 - SSIM of the magnitude: uniform window of 7, sample covariance, range = series maximum.

    The protocol of the metric ``ssim`` (Wang et al. 2004, doi:10.1109/TIP.2003.819861), whose windows lie
    inside the image.

    Args:
        dimensions: 2: windows 7×7 of each frame; 3: 7×7×7 over frames too.

    Raises:
        InputError: other dimensions.
    """
    if dimensions not in (2, 3):
        raise InputError(f"dimensions must be 2 or 3, got {dimensions}.")

    def loss(estimate, reference, step):
        size = 7**dimensions
        similarity = _ssim(estimate, reference, 7, dimensions, size / (size - 1))
        return 1 - jnp.mean(similarity)

    return loss


@LOSSES.register("dssim")
def dssim() -> Loss:
    """Mean structural dissimilarity (1 - SSIM) / 2 of 3×3 patches of each frame (S3 eq. 5).

    Ghodrati et al. 2019, doi:10.21037/qims.2019.08.10. Population covariance, range = series maximum.
    """
    return lambda x, g, step: jnp.mean(1 - _ssim(x, g, 3, 2, 1.0)) / 2


@LOSSES.register("edge")
def edge(*, alpha: float = 0.2, start_epoch: int = 0, steps_per_epoch: int = 1) -> Loss:
    """(1 - α) mean (|x| - |g|)² + α mean |Sobel|x| - Sobel|g||²; before ``start_epoch`` the first mean alone (S1 eq. 2).

    The Sobel operator is the unnormalised one, its two components compared; borders are left out. S1 switches it
    on after 100 epochs, since edges of blurred early outputs mislead.

    Args:
        alpha: weight of the edges, 0…1.
        start_epoch: epochs before they count.
        steps_per_epoch: of the run, which knows it.

    Raises:
        InputError: ``alpha`` outside 0…1.
    """
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha must be in [0, 1], got {alpha:g}.")

    def loss(estimate, reference, step):
        error = jnp.abs(estimate) - jnp.abs(reference)
        weight = jnp.where(step >= start_epoch * steps_per_epoch, alpha, 0.0)
        edges = jnp.mean(sum(part**2 for part in _sobel(error)))  # the operator is linear
        return (1 - weight) * jnp.mean(error**2) + weight * edges

    return loss


def _ssim(estimate, reference, window: int, dimensions: int, correction: float):
    """SSIM at every window inside the series; ``correction`` turns covariances into sample covariances."""
    if min(reference.shape[-dimensions:]) < window:
        raise InputError(
            f"this SSIM loss has windows of {window}, the series is {list(reference.shape)}."
        )
    x, g = jnp.abs(estimate), jnp.abs(reference)
    mean = lambda a: _box_mean(a, window, dimensions)
    mx, mg = mean(x), mean(g)
    vx, vg, cov = (correction * v for v in (mean(x * x) - mx**2, mean(g * g) - mg**2, mean(x * g) - mx * mg))  # fmt: skip
    peak = lax.stop_gradient(jnp.max(g))
    c1, c2 = (_K1 * peak) ** 2, (_K2 * peak) ** 2
    return (2 * mx * mg + c1) * (2 * cov + c2) / ((mx**2 + mg**2 + c1) * (vx + vg + c2))


def _box_mean(image: Float[Array, "t y x"], window: int, dimensions: int) -> Array:
    """Mean over each window inside the image, along the last axes, one axis after the other."""
    for axis in range(-dimensions, 0):
        axis = axis % image.ndim
        length = image.shape[axis] - window + 1
        parts = [lax.slice_in_dim(image, i, i + length, axis=axis) for i in range(window)]
        image = sum(parts) / window
    return image


def _sobel(image: Float[Array, "t y x"]) -> tuple[Array, Array]:
    """Derivatives along y and x by Sobel's operator, inside the image."""
    at = lambda i, j: image[:, i : image.shape[1] - 2 + i, j : image.shape[2] - 2 + j]
    down = at(2, 0) + 2 * at(2, 1) + at(2, 2) - at(0, 0) - 2 * at(0, 1) - at(0, 2)
    right = at(0, 2) + 2 * at(1, 2) + at(2, 2) - at(0, 0) - 2 * at(1, 0) - at(2, 0)
    return down, right
