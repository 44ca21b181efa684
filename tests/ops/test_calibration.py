"""Coil maps: ESPIRiT against an exact model, the phantom and sigpy; Walsh, compression, noise."""

import jax
import numpy as np
import pytest

from jdmri import phantom
from jdmri.errors import InputError
from jdmri.ops import (
    calibration,
    coil_maps,
    combine,
    espirit,
    fourier,
    sense,
)

MATRIX = (96, 96)
# Distances of projectors, root mean square inside the body; measured values are half of these.
LIMIT_FULL, LIMIT_FRAMES, LIMIT_CENTRE, LIMIT_FOLDED, LIMIT_WALSH = 0.025, 0.035, 0.045, 0.12, 0.06


@pytest.fixture(scope="module")
def scan():
    return phantom.simulate(jax.random.key(3), num_coils=8, matrix=MATRIX, num_frames=8, snr=30.0)


@pytest.fixture(scope="module")
def body(scan):
    """Where there is tissue to speak of: a tenth of the blood."""
    return np.mean(np.abs(scan.cine), axis=0) > 0.07


@pytest.fixture(scope="module")
def inside(body):
    """The same, away from the edge: the phantom's torso is cut there, and neighbours wrap around."""
    where = np.zeros(MATRIX, bool)
    where[12:-12, 12:-12] = True
    return where & body


def outside_span(maps, vectors):
    """Return ‖(1 − Σ_s S_s S_sᴴ) v‖ of unit vectors v [coil, y, x]; for one set the projectors' distance."""
    maps = np.asarray(maps).reshape(-1, *vectors.shape)
    parts = np.sum(maps.conj() * np.asarray(vectors)[None], axis=1)
    return np.sqrt(np.maximum(1 - np.sum(np.abs(parts) ** 2, axis=0), 0))


def rms(values):
    return np.sqrt(np.mean(values**2))


def support(maps):
    return np.linalg.norm(maps, axis=-3) > 0.5


def normal(rng, *shape):
    """Draw complex64 white noise, E|n|² = 2."""
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


def everything(kspace):
    return np.ones((len(kspace), kspace.shape[-2], 1), bool)


def band_limited(num_coils, size):
    """Draw maps of 3 × 3 spatial frequencies, and k-space of a white image: ESPIRiT's model is exact."""
    draw = lambda *shape: normal(np.random.default_rng(len(shape)), *shape)
    y, x = (np.exp(2j * np.pi * np.outer(np.arange(n) - n // 2, [-1, 0, 1]) / n) for n in size)
    maps = np.einsum(
        "yp,xq,cpq->cyx", y, x, draw(num_coils, 3, 3) * (1 + np.eye(9)[4].reshape(3, 3))
    )
    images = np.fft.ifftshift(maps * draw(*size), axes=(1, 2))
    kspace = np.fft.fftshift(np.fft.fft2(images), axes=(1, 2))
    maps = maps / np.linalg.norm(maps, axis=0)
    return maps.astype(np.complex64), kspace.astype(np.complex64)


# ---- calibration data -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(20, 18), (21, 17)])
def test_calibration_is_the_centre_of_the_mean_over_the_frames_that_sampled(rng, size):
    kspace = normal(rng, 5, 2, *size)
    mask = rng.random((5, size[0], 1)) < 0.3
    first = size[0] // 2 - 4
    mask[:, first - 1], mask[0, first : first + 9], mask[:, first + 9] = False, True, False
    band, description = calibration.calibration(kspace, mask, limit=12)
    assert band.shape == (2, 9, 12)
    assert description == {
        "num_lines": 9,
        "num_columns": 12,
        "min_frames": mask[:, first : first + 9, 0].sum(axis=0).min(),
    }
    column = size[1] // 2 - 6
    for line in range(9):
        chosen = kspace[mask[:, first + line, 0], :, first + line, column : column + 12]
        np.testing.assert_allclose(band[:, line], chosen.mean(axis=0), atol=1e-6)


def test_calibration_of_a_mask_of_points_is_a_gapless_rectangle(rng):
    mask = rng.random((1, 20, 20)) < 0.1
    mask[:, 6:14, 5:15] = True
    mask[:, 5], mask[:, :, 4] = False, False
    _, description = calibration.calibration(np.zeros((1, 1, 20, 20), np.complex64), mask)
    assert (description["num_lines"], description["num_columns"]) == (8, 10)


def test_calibration_without_the_centre_is_refused():
    mask = np.ones((2, 16, 1), bool)
    mask[:, 8] = False
    with pytest.raises(InputError, match="no frame sampled line 8 of 16"):
        calibration.calibration(np.zeros((2, 1, 16, 16), np.complex64), mask)


@pytest.mark.parametrize("size", [(16, 14), (15, 17)])
def test_low_resolution_images_keep_their_place(size):
    """A smooth blob and its low resolution image have the same centre."""
    y, x = (np.arange(n) - n // 2 for n in size)
    blob = np.exp(-((y[:, None] - 2) ** 2 + (x + 1) ** 2) / 8).astype(np.complex64)
    band = calibration.mean_centre(
        fourier.fftc(blob)[None, None], np.ones((1, size[0], 1), bool), (9, 8)
    )
    image = np.abs(calibration.low_resolution(band, size)[0])
    assert np.unravel_index(image.argmax(), size) == (size[0] // 2 + 2, size[1] // 2 - 1)


# ---- ESPIRiT ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(32, 36), (33, 31)])
def test_espirit_is_exact_on_its_own_model(size):
    truth, kspace = band_limited(5, size)
    values, maps = espirit.eigenmaps(kspace[:, 4:28, 5:29], size, threshold=1e-3, num_sets=2)
    np.testing.assert_allclose(values[0], 1, atol=1e-4)
    assert values[1].max() < 0.98
    assert outside_span(maps[:1], truth).max() < 2e-3
    np.testing.assert_allclose(np.linalg.norm(maps, axis=1), 1, atol=1e-5)


def test_one_coil_has_a_map_of_ones():
    _, kspace = band_limited(1, (33, 32))
    maps = espirit.espirit(kspace[:, 4:28, 4:28], (33, 32))
    np.testing.assert_allclose(maps, 1, atol=1e-5)
    np.testing.assert_allclose(calibration.walsh(fourier.ifftc(kspace)), 1, atol=1e-5)


def test_espirit_recovers_the_maps_of_the_phantom(scan, inside):
    band, _ = calibration.calibration(scan.kspace, everything(scan.kspace))
    maps = espirit.espirit(band, MATRIX)
    assert support(maps)[inside].all()
    assert rms(outside_span(maps, scan.maps)[inside]) < LIMIT_FULL
    norms = np.linalg.norm(maps, axis=0)
    np.testing.assert_allclose(norms[support(maps)], 1, atol=1e-5)
    assert not norms[~support(maps)].any() and (~support(maps)).any()
    steps = np.linalg.norm(np.diff(maps[:, 12:-12, 12:-12], axis=-1), axis=0)
    assert np.max(steps, where=inside[12:-12, 13:-12] & inside[12:-12, 12:-13], initial=0) < 0.1


def fourfold_mask(rng, num_center_lines, per_frame):
    """Draw 24 of 96 lines a frame: the centre, and the rest anywhere."""
    first = 48 - num_center_lines // 2
    score = rng.random((8, 96)) + 1
    score[:, first : first + num_center_lines] = 0
    score = score if per_frame else score[:1].repeat(8, axis=0)
    return (score.argsort().argsort() < 24)[..., None]


@pytest.mark.parametrize(
    ("per_frame", "num_center_lines", "limit"), [(True, 8, LIMIT_FRAMES), (False, 12, LIMIT_CENTRE)]
)
def test_espirit_from_fourfold_undersampling(rng, scan, inside, per_frame, num_center_lines, limit):
    mask = fourfold_mask(rng, num_center_lines, per_frame)
    kspace = np.where(mask[:, None], scan.kspace, 0)
    band, description = calibration.calibration(kspace, mask)
    assert num_center_lines <= description["num_lines"] <= 24
    maps = espirit.espirit(band, MATRIX)
    assert support(maps)[inside].mean() > 0.98
    assert rms(outside_span(maps, scan.maps)[inside & support(maps)]) < limit


def test_scale_and_phase_of_the_data_do_not_matter(scan, inside):
    band, _ = calibration.calibration(scan.kspace, everything(scan.kspace))
    maps = espirit.espirit(band, MATRIX)
    other = espirit.espirit(np.asarray(band) * np.complex64(1e-4 * np.exp(2j)), MATRIX)
    np.testing.assert_allclose(np.asarray(other)[:, inside], maps[:, inside], atol=2e-4)


def test_one_set_suffices_inside_and_two_carry_the_cut_edge(scan, body, inside):
    band, _ = calibration.calibration(scan.kspace, everything(scan.kspace))
    values, maps = espirit.eigenmaps(band, MATRIX, num_sets=2)
    assert np.median(values[1][inside]) < 0.6
    assert rms(outside_span(maps, scan.maps)[body]) < 0.5 * rms(
        outside_span(maps[:1], scan.maps)[body]
    )


def test_folded_field_of_view_needs_two_sets(scan):
    """Every other line halves the field of view: two places n and n + N / 2 fall onto one pixel."""
    half = MATRIX[0] // 2
    folded = np.asarray(scan.kspace)[:, :, ::2]
    band, _ = calibration.calibration(folded, everything(folded))
    maps = espirit.espirit(band, (half, MATRIX[1]), num_sets=2)
    rows = np.arange(half) + half // 2
    signal = np.mean(np.abs(scan.cine), axis=0)
    both = np.minimum(signal[rows], signal[(rows + half) % MATRIX[0]]) > 0.2
    both[:, :12] = both[:, -12:] = False
    assert both.sum() > 200
    assert support(maps)[:, both].mean() > 0.9
    for there in (rows, (rows + half) % MATRIX[0]):
        truth = np.asarray(scan.maps)[:, there]
        assert rms(outside_span(maps, truth)[both]) < LIMIT_FOLDED
        assert rms(outside_span(maps[:1], truth)[both]) > 0.3


def test_espirit_equals_sigpy(scan):
    app = pytest.importorskip("sigpy.mri.app")
    kspace = np.mean(scan.kspace, axis=0)
    settings = dict(calib_width=24, thresh=0.02, kernel_width=6, crop=0.95, show_pbar=False)
    theirs = app.EspiritCalib(kspace, max_iter=60, **settings).run()
    band, _ = calibration.calibration(scan.kspace, everything(scan.kspace))
    values, _ = espirit.eigenmaps(band, MATRIX, num_sets=2)
    ours = espirit.espirit(band, MATRIX)
    assert (support(ours) == support(theirs)).mean() > 0.99
    # Where both eigenvalues are near 1, a power iteration has not converged to either vector.
    clear = support(ours) & support(theirs) & np.asarray(values[1] < 0.8)
    assert clear.mean() > 0.5
    assert outside_span(ours, theirs)[clear].max() < 2e-3


@pytest.mark.gpu
def test_maps_on_the_accelerator_equal_those_on_the_cpu():
    if jax.default_backend() == "cpu":
        pytest.skip("needs an accelerator")
    _, kspace = band_limited(8, (64, 60))
    band = kspace[:, 20:44, 18:42]
    here = espirit.espirit(band, (64, 60))
    with jax.default_device(jax.devices("cpu")[0]):
        there = espirit.espirit(band, (64, 60))
    np.testing.assert_allclose(here, np.asarray(there), atol=1e-4)


def test_damaged_data_do_not_become_a_support():
    _, kspace = band_limited(2, (16, 16))
    assert not np.any(espirit.espirit(0 * kspace, (16, 16)))
    kspace[0, 8, 8] = np.nan
    assert np.isnan(espirit.espirit(kspace, (16, 16))).any()


@pytest.mark.parametrize(
    ("shape", "settings", "message"),
    [
        ((4, 5, 24), {}, "kernel of 6×6 does not fit the calibration band of 5 lines × 24 columns"),
        ((4, 24, 24), {"kernel": 0}, "kernel of 0×0"),
        ((4, 40, 24), {}, "maps of 32×32 are smaller than their calibration band of 40×24"),
        ((4, 24, 24), {"num_sets": 5}, "1 to 4 sets of 4 coils, not 5"),
    ],
)
def test_impossible_estimates_are_refused(shape, settings, message):
    with pytest.raises(InputError, match=message):
        espirit.espirit(np.zeros(shape, np.complex64), (32, 32), **settings)


# ---- Walsh ------------------------------------------------------------------------------------


def test_walsh_recovers_the_maps_of_the_phantom(scan, inside):
    band, _ = calibration.calibration(scan.kspace, everything(scan.kspace), limit=64)
    maps = calibration.walsh(calibration.low_resolution(band, MATRIX), size=5)
    assert rms(outside_span(maps, scan.maps)[inside]) < LIMIT_WALSH
    np.testing.assert_allclose(np.linalg.norm(maps, axis=0), 1, atol=1e-5)


def test_walsh_is_the_main_direction_of_a_patch(rng):
    images = normal(rng, 3, 9, 8)
    maps = calibration.walsh(images, size=3)
    patch = images[:, 2:5, 5:8].reshape(3, -1)
    main = np.linalg.svd(patch)[0][:, 0]
    np.testing.assert_allclose(abs(np.vdot(main, maps[:, 3, 6])), 1, atol=1e-4)
    corner = np.linalg.svd(images[:, :2, :2].reshape(3, -1))[0][:, 0]
    np.testing.assert_allclose(abs(np.vdot(corner, maps[:, 0, 0])), 1, atol=1e-4)


# ---- combination, compression, noise ----------------------------------------------------------


def test_combination_is_the_adjoint_of_the_coils_and_undoes_them(rng):
    maps = normal(rng, 4, 7, 8)
    maps /= np.linalg.norm(maps, axis=0)
    cine = normal(rng, 3, 7, 8)
    images = cine[:, None] * maps
    np.testing.assert_allclose(combine.combine(images, maps), cine, atol=1e-5)
    np.testing.assert_allclose(combine.root_sum_of_squares(images), np.abs(cine), atol=1e-5)
    other = normal(rng, *images.shape)
    combined = combine.combine(other, maps)
    np.testing.assert_allclose(np.vdot(other, images), np.vdot(combined, cine), rtol=1e-4)
    same = sense.adjoint(fourier.fftc(other), maps, everything(other))
    np.testing.assert_allclose(combined, same, atol=1e-5)


def test_compression_keeps_the_energy_and_the_model(scan):
    everyone = np.asarray(scan.kspace)
    kspace, matrix = map(np.asarray, combine.compress(everyone, 6))
    assert 0.99 < np.sum(np.abs(kspace) ** 2) / np.sum(np.abs(everyone) ** 2) <= 1
    assert (np.diff(np.sum(np.abs(kspace) ** 2, axis=(0, 2, 3))) < 0).all()
    np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(6), atol=1e-5)
    mixed = np.einsum("vc,fcyx->fvyx", matrix, everyone)
    np.testing.assert_allclose(kspace, mixed, atol=1e-5 * np.abs(mixed).max())
    flat = everyone.transpose(1, 0, 2, 3).reshape(8, -1)
    best = np.linalg.svd(flat @ flat.conj().T)[1][:6].sum()
    np.testing.assert_allclose(np.sum(np.abs(kspace) ** 2), best, rtol=1e-4)
    with pytest.raises(InputError, match="8 coils compress to 1 to 8, not 9"):
        combine.compress(everyone, 9)


def test_prewhitening_gives_white_noise_of_unit_variance(rng, key):
    mixing = normal(rng, 4, 4) * np.float32([[1], [10], [0.1], [1]])
    noise = mixing @ normal(rng, 4, 40000)
    kspace = np.einsum("dc,fcyx->fdyx", mixing, normal(rng, 2, 4, 100, 100))
    white = np.asarray(combine.prewhiten(kspace, noise))
    samples = white.transpose(1, 0, 2, 3).reshape(4, -1)
    covariance = samples @ samples.conj().T / samples.shape[1]
    np.testing.assert_allclose(covariance, np.eye(4), atol=0.03)
    ones = np.ones((1, 128, 128), np.complex64)
    house = sense.acquire(key, 0 * ones, ones, everything(ones), 1.0)
    np.testing.assert_allclose(np.mean(np.abs(house) ** 2), np.mean(np.abs(white) ** 2), rtol=0.03)


@pytest.mark.parametrize("noise", [np.ones((3, 2)), np.ones((3, 50)), np.zeros((2, 50))])
def test_noise_that_cannot_be_whitened_is_refused(noise):
    with pytest.raises(InputError, match="not of full rank"):
        combine.whitening(noise.astype(np.complex64))


@pytest.mark.parametrize("num_lines", [5, 8, 12])
def test_few_centre_lines_do_not_lose_the_maps(scan, inside, num_lines):
    """A kernel as large as the centre leaves a support of 1 % of the image."""
    everything = np.ones((*scan.cine.shape[:2], 1), bool)
    centre = abs(np.arange(everything.shape[1]) - everything.shape[1] // 2) <= num_lines // 2
    mask = everything & centre[:, None]
    maps = coil_maps.espirit()(sense.forward(scan.cine, scan.maps, mask), mask, None)
    known = np.abs(np.asarray(maps)).sum(axis=0) > 0
    assert known[inside].mean() > 0.8
    overlap = np.abs(np.sum(np.conj(maps) * scan.maps, axis=0))[inside & known]
    assert overlap.mean() > 0.9
