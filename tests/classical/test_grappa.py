"""GRAPPA against coils that it predicts exactly, and against pygrappa where that is installed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri import masks, metrics, phantom
from jdmri.classical.grappa import calibrate, convolve, grappa
from jdmri.classical.regular_lines import regular_lines
from jdmri.errors import InputError
from jdmri.ops import fourier, sense
from tests.helpers.arrays import complex_normal, unit_maps


def harmonic_coils(key, num_coils, size, num_frames, *, margin=5):
    """K-space of coils of three harmonics along y and x.

    Enough coils on two lines at most three apart tell all that a point between depends on.
    Near the edges it is 0, as GRAPPA takes it to be beyond them.
    """
    spectrum_key, coil_key = jax.random.split(key)
    inner = tuple(n - 2 * margin for n in size)
    cine_kspace = jnp.pad(
        complex_normal(spectrum_key, (num_frames, *inner)), [(0, 0), *[(margin, margin)] * 2]
    )
    harmonics = complex_normal(coil_key, (num_coils, 3, 3))
    shifted = [jnp.roll(cine_kspace, (h - 1, g - 1), (1, 2)) for h in range(3) for g in range(3)]
    return jnp.einsum("hfyx,ch->fcyx", jnp.stack(shifted), harmonics.reshape(num_coils, 9))


def relative_error(got, wanted):
    return np.linalg.norm(got - wanted) / np.linalg.norm(wanted)


@pytest.mark.parametrize("size", [(46, 32), (45, 33)])
@pytest.mark.parametrize("spacing", [2, 3])
def test_it_predicts_harmonic_coils_of_a_moving_object(key, size, spacing):
    """One mask and ACS lines for all frames: their mean obeys the same relation as each frame."""
    kspace = harmonic_coils(key, 10, size, num_frames=3)
    mask = masks.uniform(acceleration=spacing, num_center_lines=20)(key, (3, *size))
    maps = unit_maps(key, 10, size)
    method = grappa(kernel=(4, 3), weight=0.0)
    got = method(jnp.where(mask[:, None], kspace, 0), maps, mask)
    wanted = sense.adjoint(kspace, maps, jnp.ones_like(mask))
    missing = sense.adjoint(kspace, maps, mask)
    assert relative_error(got, wanted) < 0.02 < 0.3 < relative_error(missing, wanted)


@pytest.mark.parametrize("kernel", [(2, 3), (3, 3), (4, 5)])
def test_a_moving_mask_calibrates_itself(key, kernel):
    """No ACS lines: the temporal mean of a still object has every line."""
    kspace = jnp.broadcast_to(harmonic_coils(key, 10, (38, 33), 1), (3, 10, 38, 33))
    mask = masks.uniform(acceleration=3, num_center_lines=0, per_frame=True)(key, (3, 38, 33))
    assert not mask.all(axis=0).any() and mask.any(axis=0).all()
    maps = unit_maps(key, 10, (38, 33))
    got = grappa(kernel=kernel, weight=0.0)(jnp.where(mask[:, None], kspace, 0), maps, mask)
    assert relative_error(got, sense.adjoint(kspace, maps, jnp.ones_like(mask))) < 0.02


def test_the_taps_are_a_correlation_with_zeros_beyond_the_edge(key):
    taps, kspace = complex_normal(key, (5, 3, 2, 2)), complex_normal(key, (2, 2, 7, 6))
    padded = np.pad(np.asarray(kspace), [(0, 0), (0, 0), (2, 2), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 3), (-2, -1))
    wanted = np.einsum("fcyxij,ijcd->fdyx", windows, np.asarray(taps))
    np.testing.assert_allclose(convolve(kspace, taps), wanted, atol=1e-4)


def test_the_weights_minimise_the_regularised_squares(key):
    """Against least squares of the stacked system, two lines at spacing 2 and one column."""
    calibration, weight = complex_normal(key, (2, 9, 4)), 0.1
    taps = np.asarray(calibrate(calibration, 2, (2, 1), weight))
    data = np.asarray(calibration, np.complex128)
    samples = np.concatenate([data[:, :-2], data[:, 2:]]).reshape(4, -1).T
    ridge = np.sqrt(weight * np.mean(np.sum(np.abs(samples) ** 2, axis=0)))
    stacked = np.concatenate([samples, ridge * np.eye(4)])
    target = np.concatenate([data[:, 1:-1].reshape(2, -1).T, np.zeros((4, 2))])
    wanted = np.linalg.lstsq(stacked, target, rcond=None)[0].reshape(2, 2, 2)
    np.testing.assert_allclose(taps[[0, 2], 0], wanted, atol=1e-5)
    assert taps.shape == (3, 1, 2, 2) and not taps[1].any()


def test_full_sampling_gives_the_image_back(key):
    maps, cine = unit_maps(key, 2, (9, 8)), complex_normal(key, (3, 9, 8))
    mask = jnp.ones((3, 9, 1), bool)
    np.testing.assert_allclose(
        grappa()(sense.forward(cine, maps, mask), maps, mask), cine, atol=1e-5
    )


def shifted_phantom(key, *, spacing=3, num_center_lines=0, per_frame=True):
    scan = phantom.simulate(key, num_frames=8, matrix=(64, 56), num_coils=8, snr=40.0)
    sampler = masks.uniform(
        acceleration=spacing, num_center_lines=num_center_lines, per_frame=per_frame
    )
    mask = sampler(key, scan.cine.shape)
    return scan, jnp.where(mask[:, None], scan.kspace, 0), mask


@pytest.mark.slow
def test_it_beats_zero_filling_on_a_phantom_and_keeps_what_was_measured(key):
    scan, kspace, mask = shifted_phantom(key, num_center_lines=4)
    score = lambda x: metrics.psnr()(np.asarray(x), np.asarray(scan.cine))
    # Identity maps show the coil whose k-space is asked for.
    one_coil = jnp.zeros_like(scan.maps).at[2].set(1)
    coil = fourier.fftc(grappa()(kspace, one_coil, mask))
    np.testing.assert_allclose(np.where(mask, coil, 0), kspace[:, 2], atol=1e-4)
    got = score(grappa()(kspace, scan.maps, mask))
    assert got > score(sense.adjoint(kspace, scan.maps, mask)) + 5


@pytest.mark.slow
def test_a_batch_may_have_different_spacings(key):
    maps, kspace = unit_maps(key, 3, (24, 10)), complex_normal(key, (2, 4, 3, 24, 10))
    draw = lambda r: masks.uniform(acceleration=r, num_center_lines=10)(key, (4, 24, 10))
    mask, maps = jnp.stack([draw(2), draw(3)]), jnp.stack([maps, maps])
    kspace, method = jnp.where(mask[:, :, None], kspace, 0), grappa()
    both = method(kspace, maps, mask)
    for i in range(2):
        np.testing.assert_allclose(both[i], method(kspace[i], maps[i], mask[i]), atol=1e-6)


def test_the_geometry_of_a_mask(key):
    mask = np.zeros((2, 20, 1), bool)
    mask[0, 1::4], mask[1, 3::4], mask[:, 8:15] = True, True, True
    regular = regular_lines(mask, kernel_lines=2)
    assert regular.spacing == 4 and regular.calibration == slice(7, 16)
    wanted = np.arange(20) % 4 == np.array([[1], [3]])
    np.testing.assert_array_equal(regular.lattice, wanted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.at[0, ::2].set(True), "got frame 0 with gaps from|one spacing for all frames"),
        (
            lambda m: m.at[0, 1].set(True),
            "a run of centre lines, got frame 0 with gaps from 1 to 3",
        ),
        (
            lambda m: m.at[1].set(jnp.arange(24)[:, None] % 4 == 0),
            "one spacing for all frames, got",
        ),
        (
            lambda m: m & (jnp.arange(24)[None, :, None] % 3 == 0),
            "got 1; use a mask with per_frame=True, or",
        ),
        (lambda m: m.at[2].set(False), "two lines or more a frame, frame 2 has 0"),
        (
            lambda m: jnp.tile(m, (1, 1, 8)).at[0, 0, 0].set(False),
            "whole lines, got a mask that varies",
        ),
    ],
)
def test_other_masks_are_refused_in_one_line(key, change, message):
    mask = jnp.broadcast_to((jnp.arange(24) % 3 == 0)[:, None], (3, 24, 1)).at[:, 9:18].set(True)
    kspace, maps = complex_normal(key, (3, 2, 24, 8)), unit_maps(key, 2, (24, 8))
    with pytest.raises(InputError, match=message):
        grappa()(kspace, maps, change(mask))


def test_one_coil_and_jit_are_refused(key):
    kspace, maps, mask = (
        complex_normal(key, (3, 1, 8, 8)),
        unit_maps(key, 1, (8, 8)),
        jnp.ones((3, 8, 1), bool),
    )
    with pytest.raises(InputError, match="several coils, got 1"):
        grappa()(kspace, maps, mask)
    with pytest.raises(InputError, match=r"outside jax\.jit"):
        jax.jit(lambda m: grappa()(jnp.tile(kspace, (1, 2, 1, 1)), jnp.tile(maps, (2, 1, 1)), m))(
            mask
        )


@pytest.mark.parametrize("settings", [dict(kernel=(1, 5)), dict(kernel=(4, 4)), dict(weight=-1.0)])
def test_bad_settings_are_refused(settings):
    with pytest.raises(InputError, match="grappa needs kernel="):
        grappa(**settings)


def test_it_is_as_good_as_pygrappa(key):
    """R = 2, four lines of five columns each, the calibration lines given, one frame."""
    pygrappa = pytest.importorskip("pygrappa")
    scan, kspace, mask = shifted_phantom(key, spacing=2, num_center_lines=20, per_frame=False)
    first, acs = np.moveaxis(np.asarray(kspace[:1]), 1, -1)[0], slice(22, 42)
    assert mask[0, acs].all()
    theirs = pygrappa.grappa(first, first[acs].copy(), kernel_size=(7, 5), coil_axis=-1, lamda=1e-3)
    theirs = np.moveaxis(theirs, -1, 0)[None].astype(np.complex64)
    combine = lambda k: sense.adjoint(k, scan.maps, jnp.ones_like(mask[:1]))
    wanted = combine(scan.kspace[:1])
    ours = grappa(weight=1e-3)(kspace[:1], scan.maps, mask[:1])
    assert relative_error(ours, wanted) < 1.05 * relative_error(combine(theirs), wanted)
