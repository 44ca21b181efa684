"""Metrics against skimage and written-out formulas; the heart region; figures."""

import numpy as np
import pytest
from skimage import metrics as skimage_metrics

from jdmri import metrics
from jdmri.errors import InputError
from jdmri.report.figures import cines
from jdmri.report.tables import latex, results
from jdmri.statistics.describe import describe


@pytest.fixture
def pair(rng):
    reference = rng.uniform(0, 1, (12, 40, 36)) * np.exp(1j * rng.uniform(-1, 1, (12, 40, 36)))
    return reference + 0.1 * rng.normal(size=reference.shape), reference


def score(name, x, g):
    return metrics.METRICS.build({"name": name})(x, g)


def test_error_metrics_by_formula(pair):
    x, g = pair
    a, b = np.abs(x), np.abs(g)
    mse, nmse = np.mean((a - b) ** 2), np.sum((a - b) ** 2) / np.sum(b**2)
    expected = {
        "psnr": 10 * np.log10(b.max() ** 2 / mse),
        "psnr_peak1_series": 10 * np.log10(1 / (mse + 1e-8)),
        "nmse": nmse,
        "nrmse": np.sqrt(nmse),
        "snr_db": 10 * np.log10(np.sum(b**2) / np.sum((a - b) ** 2)),
        "nmse_complex": np.sum(np.abs(x - g) ** 2) / np.sum(np.abs(g) ** 2),
    }
    for name, value in expected.items():
        assert score(name, x, g) == pytest.approx(value, rel=1e-9)
    skimage = skimage_metrics.peak_signal_noise_ratio(b, a, data_range=b.max())
    assert score("psnr", x, g) == pytest.approx(skimage)


def naive_ssim(a, b, size, data_range, sample):
    """Wang et al. 2004 with a uniform window, written out; mean over windows inside the image."""
    values, n = [], size**2
    for i in range(a.shape[0] - size + 1):
        for j in range(a.shape[1] - size + 1):
            u, v = a[i : i + size, j : j + size].ravel(), b[i : i + size, j : j + size].ravel()
            norm = n / (n - 1) if sample else 1
            cov = norm * np.mean((u - u.mean()) * (v - v.mean()))
            c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
            top = (2 * u.mean() * v.mean() + c1) * (2 * cov + c2)
            variances = norm * (u.var() + v.var())
            values.append(top / ((u.mean() ** 2 + v.mean() ** 2 + c1) * (variances + c2)))
    return np.mean(values)


@pytest.mark.parametrize(("name", "size", "sample"), [("ssim", 7, True), ("ssim_box3", 3, False)])
def test_ssim_by_formula(pair, name, size, sample):
    a, b = np.abs(pair[0][:2, :14, :12]), np.abs(pair[1][:2, :14, :12])
    expected = np.mean([naive_ssim(u, v, size, b.max(), sample) for u, v in zip(a, b, strict=True)])
    assert score(name, a, b) == pytest.approx(expected, rel=1e-9)


def test_ssim3d_is_that_of_s0(pair):
    a, b = np.abs(pair[0]), np.abs(pair[1])
    expected = skimage_metrics.structural_similarity(
        a,
        b,
        data_range=b.max() - b.min(),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert score("ssim3d_gauss", *pair) == pytest.approx(expected)
    assert np.isnan(score("ssim3d_gauss", pair[0][:8], pair[1][:8]))


def test_ssim_xt_sees_time(pair):
    _, g = pair
    frozen = np.broadcast_to(g.mean(axis=0), g.shape)
    assert score("ssim_xt", g, g) == pytest.approx(1)
    assert score("ssim_xt", frozen, g) < 0.5


@pytest.mark.parametrize("name", list(metrics.METRICS))
def test_every_metric(pair, name):
    x, g = pair
    assert score(name, g, g) in (
        pytest.approx(1),
        pytest.approx(0, abs=1e-12),
        pytest.approx(80),
        np.inf,
    )
    assert np.isnan(score(name, x * np.nan, g)) and np.isnan(score(name, x, 0 * g))
    turned = score(name, x * np.exp(1j), g)
    assert (turned == pytest.approx(score(name, x, g), rel=1e-9)) == ("complex" not in name)
    scaled = score(name, 3 * x, 3 * g)
    assert (scaled == pytest.approx(score(name, x, g), rel=1e-9)) == ("peak1" not in name)
    assert len(metrics.facts(name).protocol) > 20


def test_facts_of_columns():
    better = ["psnr", "psnr_heart", "ssim", "ssim_xt_heart", "snr_db"]
    assert all(metrics.facts(name).higher_is_better for name in better)
    worse = ["nmse", "nrmse", "nmse_complex", "nmse_complex_heart", "nmse_heart", "seconds"]
    assert not any(metrics.facts(name).higher_is_better for name in worse)
    assert metrics.label("psnr_heart") == "PSNR (dB), heart" and metrics.label("ssim") == "SSIM"
    columns = ["psnr", "psnr_heart", "ssim_xt", "ssim", "nmse", "iterations", "seconds"]
    shown = {"psnr": ".2f", "psnr_heart": ".2f", "ssim": ".3f", "nmse": ".4f"}
    assert metrics.short_formats(columns) == shown
    with pytest.raises(InputError, match="Did you mean 'psnr'"):
        metrics.facts("psnrr_heart")


def test_a_metric_is_registered_once_with_what_tables_need(pair, monkeypatch):
    for table in ("_factories", "_facts"):
        monkeypatch.setattr(metrics.METRICS, table, dict(getattr(metrics.METRICS, table)))
    with pytest.raises(TypeError, match="higher_is_better"):
        metrics.METRICS.register("mae", heading="MAE", protocol="mean", decimals=3)(lambda: None)
    facts = dict(heading="MAE", unit="a.u.", protocol="Mean error.", decimals=1, short_decimals=2)
    known = metrics.METRICS.register("mae", higher_is_better=False, **facts)
    known(lambda: lambda x, g: float(np.mean(np.abs(x - g))))
    assert 0 < score("mae", *pair) < 1
    assert results.number("mae_heart", 3.1415) == "3.1"
    table = results.ResultTable(["mae"], {"net": {"mae": describe([1.0, 2.0])}}, {}, {}, "Note")
    assert r"MAE (a.u.) $\downarrow$" in latex.to_latex(table)


def moving_disc(centre, size=(60, 70)):
    y, x = np.mgrid[: size[0], : size[1]]
    radius = 6 + 3 * np.sin(2 * np.pi * np.arange(10) / 10)
    texture = np.random.default_rng(0).uniform(0, 1, size)
    disc = np.hypot(y - centre[0], x - centre[1])[None] < radius[:, None, None]
    return texture[None] + 2 * disc


@pytest.mark.parametrize("centre", [(30, 35), (5, 60), (57, 3)])
def test_heart_region_is_around_what_moves(centre):
    region = metrics.heart_region(moving_disc(centre))
    for extent, position, size in zip(region, centre, (60, 70), strict=True):
        assert 0 <= extent.start <= position < extent.stop <= size
        assert extent.stop - extent.start == 32
    assert metrics.heart_region(moving_disc((8, 9), (20, 18))) == (slice(0, 20), slice(0, 18))


def test_heart_metrics_are_those_of_the_crop(pair):
    x, g = pair
    region = (slice(2, 36), slice(1, 34))
    got = metrics.evaluate(x, g, ("psnr", "nmse"), region)
    assert set(got) == {"psnr", "psnr_heart", "nmse", "nmse_heart"}
    assert got["psnr_heart"] == score("psnr", x[:, 2:36, 1:34], g[:, 2:36, 1:34]) != got["psnr"]
    with pytest.raises(InputError, match="Did you mean 'psnr'"):
        metrics.evaluate(x, g, ("psnrr",), region)


def test_figures_are_written_whole(tmp_path, pair):
    x, g = pair
    region = metrics.heart_region(g)
    drawn = {
        "comparison": cines.comparison(g, {"zero_filled": x, "model": x}, region=region, frame=3, title="t", captions={"model": "30 dB"}),
        "profile": cines.profile(g, {"model": x}, region=region),
        "masks": cines.masks(np.ones((3, 9, 1), bool), title="m"),
        "curves": cines.loss_curves([{"step": 1, "split": "train", "loss": None}, {"step": 2, "split": "train", "loss": 0.1, "psnr": 20.0}]),
        "no curves": cines.loss_curves([]),
    }  # fmt: skip
    for name, figure in drawn.items():
        cines.save(figure, tmp_path / f"{name}.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"{n}.png" for n in drawn)
    assert all(p.read_bytes()[:4] == b"\x89PNG" for p in tmp_path.iterdir())
