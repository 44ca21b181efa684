"""Structural similarity of frames, in 3-D, and of temporal profiles."""

import numpy as np
from skimage.metrics import structural_similarity

from jdmri.metrics.heart import profile, profile_lines
from jdmri.metrics.registry import METRICS, Metric, on_magnitude


@METRICS.register(
    "ssim",
    heading="SSIM",
    higher_is_better=True,
    decimals=4,
    short_decimals=3,
    protocol="SSIM, 7×7 uniform window, sample covariance, range = series maximum, mean over frames.",
)
def ssim() -> Metric:
    """Structural similarity of the frames (Wang et al. 2004)."""
    return _framewise_ssim(7, use_sample_covariance=True)


@METRICS.register(
    "ssim_box3",
    heading="SSIM, 3×3",
    higher_is_better=True,
    decimals=4,
    protocol="SSIM, 3×3 uniform window, population covariance, range = series maximum, mean over frames (S3).",
)
def ssim_box3() -> Metric:
    """Structural similarity of the frames in small windows."""
    return _framewise_ssim(3, use_sample_covariance=False)


@METRICS.register(
    "ssim3d_gauss",
    heading="SSIM, 3-D",
    higher_is_better=True,
    decimals=4,
    protocol="SSIM in 3-D, Gaussian σ = 1.5 (11 wide), population covariance, range = max - min (S0).",
)
def ssim3d_gauss() -> Metric:
    """Structural similarity in windows of time and space; NaN for series shorter than a window."""

    def metric(x, g):
        if min(g.shape) < 11:
            return np.nan
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        return structural_similarity(g, x, data_range=np.ptp(g), **options)

    return on_magnitude(metric)


@METRICS.register(
    "ssim_xt",
    heading="SSIM, x-t",
    higher_is_better=True,
    decimals=4,
    protocol="SSIM (7×7) of 8 x-t profiles through the heart at 22.5° steps, radius min(H, W)/4.",
)
def ssim_xt() -> Metric:
    """Structural similarity of temporal profiles; NaN for series shorter than a window."""

    def metric(x, g):
        if len(g) < 7:
            return np.nan
        lines = profile_lines(g)
        scores = [
            structural_similarity(profile(g, line), profile(x, line), data_range=g.max())
            for line in lines
        ]
        return np.mean(scores)

    return on_magnitude(metric)


def _framewise_ssim(window: int, *, use_sample_covariance: bool) -> Metric:
    def metric(x, g):
        options = {"win_size": window, "use_sample_covariance": use_sample_covariance}
        scores = [
            structural_similarity(b, a, data_range=g.max(), **options)
            for a, b in zip(x, g, strict=True)
        ]
        return np.mean(scores)

    return on_magnitude(metric)
