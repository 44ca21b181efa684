"""The series that figures and pages show: images of every method, and where in k-space they err."""

from collections.abc import Callable, Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from jdmri import metrics
from jdmri.data.acquisition import Acquisition
from jdmri.data.records import Series, SeriesLike
from jdmri.ops import sense
from jdmri.report.page import View

NUM_WORST = 3


def worst_and_median(
    series: Sequence[SeriesLike],
    acquisition: Acquisition,
    methods: Mapping[str, Callable],
    rows: Sequence[Mapping],
) -> list[View]:
    """Reconstruct the series with the lowest PSNR of the last method, and the median one.

    Args:
        series: the evaluated ones.
        acquisition: how they were undersampled.
        methods: name → ``(kspace, maps, mask) -> cine``.
        rows: of ``series.csv``.
    """
    ranked = _rank(series, rows, list(methods)[-1])
    chosen = [(f"worst {i}", one) for i, one in enumerate(ranked[:NUM_WORST], 1)]
    views = []
    for label, one in [*chosen, ("median", ranked[len(ranked) // 2])]:
        data, reference = acquisition.simulate(one)
        estimates = reconstruct_all(methods, data)
        own = [r for r in rows if r["series"] == one.name and "psnr" in r]
        captions = {r["method"]: f"{r['psnr']:.1f} dB" for r in own}
        views.append(view(reference, data[-1], estimates, label=label, captions=captions))
    return views


def view(
    series: Series,
    mask: np.ndarray,
    estimates: Mapping[str, np.ndarray],
    *,
    label: str,
    captions: Mapping[str, str],
) -> View:
    """Gather what is shown of one series.

    Args:
        series: the reference.
        mask: bool ``[frame, ky, kx or 1]``.
        estimates: method → ``[frame, y, x]``.
        label: why this series is shown.
        captions: method → a few words.
    """
    return View(
        name=series.name,
        label=label,
        reference=series.cine,
        estimates=estimates,
        captions=captions,
        mask=np.asarray(mask),
        residual={name: kspace_error(series, one) for name, one in estimates.items()},
        region=metrics.heart_region(series.cine),
    )


def kspace_error(series: Series, estimate: np.ndarray) -> np.ndarray:
    """Return the error of all of k-space, sampled or not, ``[frame, ky]``: root mean square over coils and kx."""
    error = jnp.asarray(estimate) - jnp.asarray(series.cine)
    everywhere = jnp.ones((*series.cine.shape[:2], 1), bool)
    kspace = np.asarray(sense.forward(error, jnp.asarray(series.maps), everywhere))
    return np.sqrt(np.mean(np.abs(kspace) ** 2, axis=(1, 3)))


def reconstruct_all(methods: Mapping[str, Callable], data: tuple) -> dict[str, np.ndarray]:
    """Apply every method to one acquired series."""
    return {name: np.asarray(method(*data)) for name, method in methods.items()}


def _rank(series: Sequence[SeriesLike], rows: Sequence[Mapping], method: str) -> list[SeriesLike]:
    """Sort by the method's PSNR, lowest first; NaN counts as lowest."""
    psnr = {r["series"]: r.get("psnr", 0.0) for r in rows if r["method"] == method}
    return sorted(series, key=lambda s: -np.inf if np.isnan(psnr[s.name]) else psnr[s.name])
