"""Image metrics with named protocols, in float64 on the host.

Each name builds a pure function ``(estimate, reference) -> float`` of one series ``[frame, y, x]``, complex
or real, on the magnitude unless the name says complex. The first line of its docstring is its
protocol, which every table prints. A zero reference or an estimate that is
not finite gives NaN.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.ndimage
from jaxtyping import Complex, Float
from skimage.metrics import structural_similarity

from jdmri.runtime.registry import Registry

METRICS = Registry("metric")
Series = Complex[np.ndarray, "frame y x"] | Float[np.ndarray, "frame y x"]
Metric = Callable[[Series, Series], float]
Region = tuple[slice, slice]

_REGION = 5 / 12  # of each side
_MIN_REGION = 32  # pixels; every SSIM window fits
_NUM_PROFILES = 8


@METRICS.register("psnr")
def psnr() -> Metric:
    """PSNR in dB: peak = maximum of the reference series, one mean squared error per series."""
    return _on_magnitude(lambda x, g: 10 * np.log10(g.max() ** 2 / np.mean((x - g) ** 2)))


@METRICS.register("psnr_peak1_series")
def psnr_peak1_series() -> Metric:
    """PSNR in dB with peak 1: -10 log10(MSE + 1e-8), one error per series (S0)."""
    return _on_magnitude(lambda x, g: -10 * np.log10(np.mean((x - g) ** 2) + 1e-8))


@METRICS.register("ssim")
def ssim() -> Metric:
    """SSIM, 7×7 uniform window, sample covariance, range = series maximum, mean over frames."""
    return _framewise_ssim(7, use_sample_covariance=True)


@METRICS.register("ssim_box3")
def ssim_box3() -> Metric:
    """SSIM, 3×3 uniform window, population covariance, range = series maximum, mean over frames (S3)."""
    return _framewise_ssim(3, use_sample_covariance=False)


@METRICS.register("ssim3d_gauss")
def ssim3d_gauss() -> Metric:
    """SSIM in 3-D, Gaussian σ = 1.5 (11 wide), population covariance, range = max - min (S0)."""

    def metric(x, g):
        if min(g.shape) < 11:
            return np.nan
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        return structural_similarity(g, x, data_range=np.ptp(g), **options)

    return _on_magnitude(metric)


@METRICS.register("ssim_xt")
def ssim_xt() -> Metric:
    """SSIM (7×7) of 8 x-t profiles through the heart at 22.5° steps, radius min(H, W)/4."""

    def metric(x, g):
        if len(g) < 7:
            return np.nan
        lines = _profile_lines(g)
        scores = [
            structural_similarity(_profile(g, line), _profile(x, line), data_range=g.max())
            for line in lines
        ]
        return np.mean(scores)

    return _on_magnitude(metric)


@METRICS.register("nmse")
def nmse() -> Metric:
    """NMSE: ‖|x| - |g|‖² / ‖g‖² per series, magnitude."""
    return _on_magnitude(_nmse)


@METRICS.register("nrmse")
def nrmse() -> Metric:
    """NRMSE: square root of NMSE, magnitude."""
    return _on_magnitude(lambda x, g: np.sqrt(_nmse(x, g)))


@METRICS.register("snr_db")
def snr_db() -> Metric:
    """SNR in dB: -10 log10 NMSE, magnitude (S3)."""
    return _on_magnitude(lambda x, g: -10 * np.log10(_nmse(x, g)))


@METRICS.register("nmse_complex")
def nmse_complex() -> Metric:
    """NMSE of the complex images: ‖x - g‖² / ‖g‖² per series."""
    return _guarded(lambda x, g: _nmse(np.asarray(x, complex), np.asarray(g, complex)))


def protocol(name: str) -> str:
    """Return the sentence that says how a metric is measured."""
    return (METRICS[name].__doc__ or "").splitlines()[0]


def evaluate(
    estimate: Series, reference: Series, names: Sequence[str], region: Region
) -> dict[str, float]:
    """Score one series over the whole image and, as ``NAME_heart``, over the heart region.

    The heart metrics are the same functions of the cropped series, so that their data range is the
    crop's own maximum.

    Args:
        estimate: ``[frame, y, x]``.
        reference: the same shape.
        names: of ``METRICS``.
        region: from `heart_region`.

    Raises:
        InputError: an unknown name.
    """
    crop = (slice(None), *region)
    scores = {}
    for name in names:
        metric = METRICS.build({"name": name})
        scores[name] = metric(estimate, reference)
        scores[f"{name}_heart"] = metric(estimate[crop], reference[crop])
    return scores


def heart_region(reference: Series) -> Region:
    """Find the box around the heart, from the reference alone.

    The power of the first temporal harmonic of the magnitude (what beats once a cycle: not noise, not
    bright tissue), smoothed (Gaussian, σ = 10 % of the image); a box of 5/12 of the image, 80×80 of
    192×192 and at least 32×32, around its maximum.
    """
    harmonic = np.fft.fft(np.abs(reference), axis=0)[min(1, len(reference) - 1)]
    sigma = 0.1 * np.mean(harmonic.shape)
    power = scipy.ndimage.gaussian_filter(np.abs(harmonic) ** 2, sigma, mode="constant")
    centre = np.unravel_index(power.argmax(), power.shape)
    return tuple(_extent(c, size) for c, size in zip(map(int, centre), power.shape, strict=True))


def _extent(centre: int, size: int) -> slice:
    length = min(max(round(_REGION * size), _MIN_REGION), size)
    start = min(max(centre - length // 2, 0), size - length)
    return slice(start, start + length)


def _guarded(metric: Metric) -> Metric:
    """Answer NaN where a metric has no meaning, without warnings."""

    def guarded(estimate, reference):
        if not np.all(np.isfinite(estimate)) or not np.any(reference):
            return float("nan")
        with np.errstate(divide="ignore"):
            return float(metric(estimate, reference))

    return guarded


def _on_magnitude(metric: Metric) -> Metric:
    to64 = lambda a: np.abs(np.asarray(a, np.complex128))
    return _guarded(lambda estimate, reference: metric(to64(estimate), to64(reference)))


def _framewise_ssim(window: int, *, use_sample_covariance: bool) -> Metric:
    def metric(x, g):
        options = {"win_size": window, "use_sample_covariance": use_sample_covariance}
        scores = [
            structural_similarity(b, a, data_range=g.max(), **options)
            for a, b in zip(x, g, strict=True)
        ]
        return np.mean(scores)

    return _on_magnitude(metric)


def _nmse(x: Series, g: Series) -> float:
    return np.sum(np.abs(x - g) ** 2) / np.sum(np.abs(g) ** 2)


def _profile_lines(reference: Series) -> list[np.ndarray]:
    """Coordinates ``[2, points]`` of the profiles through the centre of the heart."""
    region = heart_region(reference)
    centre = np.array([(s.start + s.stop - 1) / 2 for s in region])
    reach = min(reference.shape[1:]) / 4
    radius = np.arange(-np.floor(reach), np.floor(reach) + 1)
    angles = np.pi * np.arange(_NUM_PROFILES) / _NUM_PROFILES
    return [centre[:, None] + radius * np.array([[np.sin(a)], [np.cos(a)]]) for a in angles]


def _profile(series: Series, line: np.ndarray) -> np.ndarray:
    """Sample ``[frame, point]`` along a line, linearly; beyond the border the edge continues."""
    return np.stack(
        [scipy.ndimage.map_coordinates(f, line, order=1, mode="nearest") for f in series]
    )
