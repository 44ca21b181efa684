"""Metrics of the difference pixel by pixel."""

import numpy as np

from jdmri.metrics.registry import METRICS, Metric, Series, guarded, on_magnitude


@METRICS.register(
    "psnr",
    heading="PSNR",
    unit="dB",
    higher_is_better=True,
    decimals=2,
    short_decimals=2,
    protocol="PSNR in dB: peak = maximum of the reference series, one mean squared error per series.",
)
def psnr() -> Metric:
    """Peak signal-to-noise ratio, relative to the brightest pixel of the series."""
    return on_magnitude(lambda x, g: 10 * np.log10(g.max() ** 2 / np.mean((x - g) ** 2)))


@METRICS.register(
    "psnr_peak1_series",
    heading="PSNR, peak 1",
    unit="dB",
    higher_is_better=True,
    decimals=2,
    protocol="PSNR in dB with peak 1: -10 log10(MSE + 1e-8), one error per series (S0).",
)
def psnr_peak1_series() -> Metric:
    """Peak signal-to-noise ratio of images that lie in 0…1."""
    return on_magnitude(lambda x, g: -10 * np.log10(np.mean((x - g) ** 2) + 1e-8))


@METRICS.register(
    "nmse",
    heading="NMSE",
    higher_is_better=False,
    decimals=4,
    short_decimals=4,
    protocol="NMSE: ‖|x| - |g|‖² / ‖g‖² per series, magnitude.",
)
def nmse() -> Metric:
    """Normalised mean squared error."""
    return on_magnitude(_nmse)


@METRICS.register(
    "nrmse",
    heading="NRMSE",
    higher_is_better=False,
    decimals=4,
    protocol="NRMSE: square root of NMSE, magnitude.",
)
def nrmse() -> Metric:
    """Normalised root mean squared error."""
    return on_magnitude(lambda x, g: np.sqrt(_nmse(x, g)))


@METRICS.register(
    "snr_db",
    heading="SNR",
    unit="dB",
    higher_is_better=True,
    decimals=2,
    protocol="SNR in dB: -10 log10 NMSE, magnitude (S3).",
)
def snr_db() -> Metric:
    """Signal-to-noise ratio."""
    return on_magnitude(lambda x, g: -10 * np.log10(_nmse(x, g)))


@METRICS.register(
    "nmse_complex",
    heading="NMSE, complex",
    higher_is_better=False,
    decimals=4,
    protocol="NMSE of the complex images: ‖x - g‖² / ‖g‖² per series.",
)
def nmse_complex() -> Metric:
    """Normalised mean squared error of magnitude and phase."""
    return guarded(lambda x, g: _nmse(np.asarray(x, complex), np.asarray(g, complex)))


def _nmse(x: Series, g: Series) -> float:
    return np.sum(np.abs(x - g) ** 2) / np.sum(np.abs(g) ** 2)
