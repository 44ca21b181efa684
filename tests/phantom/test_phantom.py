"""The phantom: signal against Bloch, motion that never folds, acquisition, ground truth, export."""

import subprocess
import sys
from functools import partial

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import default
from jdmri import phantom
from jdmri.data.formats.npz_images import npz
from jdmri.errors import InputError
from jdmri.ops import fourier, sense
from jdmri.phantom import (
    coils,
    motion,
    rhythm,
    scanner,
)
from jdmri.phantom.population import draw_subject
from jdmri.phantom.signal import GYROMAGNETIC, TISSUES, Sequence, bssfp
from jdmri.scans import phantoms

SIZE = dict(num_frames=6, matrix=(24, 21))


@pytest.fixture(scope="module")
def scan():
    return phantom.simulate(jax.random.key(0), **SIZE)


@pytest.fixture(scope="module")
def subjects():
    keys = jax.random.split(jax.random.key(3), 200)
    return jax.jit(jax.vmap(draw_subject))(keys)


def bloch(t1, t2, frequency, flip, tr, num_pulses=4000):
    """Steady state of phase-alternated pulses, magnetisation followed pulse by pulse; at TR/2."""
    cosine, sine = np.cos(flip), np.sin(flip)
    m = np.array([0.0, 0.0, 1.0])
    half = tr / 2

    def precess(m, time):
        turn = 2 * np.pi * frequency * time * 1e-3
        e1, e2 = np.exp(-time / t1), np.exp(-time / t2)
        transverse = (m[0] + 1j * m[1]) * e2 * np.exp(1j * turn)
        return np.array([transverse.real, transverse.imag, 1 + (m[2] - 1) * e1])

    for i in range(num_pulses):
        sign = (-1) ** i
        y, z = m[1], m[2]
        m = np.array([m[0], cosine * y - sign * sine * z, sign * sine * y + cosine * z])
        echo = precess(m, half)
        m = precess(echo, half)
    return sign * (echo[0] + 1j * echo[1])


@pytest.mark.parametrize("tissue", ["arterial_blood", "fat", "myocardium"])
def test_signal_equals_the_bloch_equations(tissue):
    density, t1, t2, _, _, ppm = TISSUES[tissue]
    sequence = Sequence(jnp.float32(1.5), jnp.float32(0.9), jnp.float32(3.1))
    offsets = np.array([0.0, 20.0, -35.0, 60.0])
    got = np.asarray(bssfp(tissue, jnp.asarray(offsets), sequence))
    shift = ppm * GYROMAGNETIC * 1.5
    wanted = density * np.array([bloch(t1, t2, f + shift, 0.9, 3.1) for f in offsets])
    np.testing.assert_allclose(np.abs(got), np.abs(wanted), rtol=2e-3)
    turn = got / wanted  # one constant phase, that of the pulse
    np.testing.assert_allclose(turn, turn[0], atol=5e-3)


def test_fat_and_water_have_opposite_signs_at_short_repetition_times():
    for field in (1.5, 3.0):
        sequence = Sequence(jnp.float32(field), jnp.float32(0.8), jnp.float32(3.0))
        fat, water = (bssfp(name, jnp.zeros(()), sequence) for name in ("fat", "muscle"))
        opposite = np.cos(np.angle(fat * np.conj(water)))
        assert opposite < -0.9


def test_contraction_is_a_heartbeat(subjects):
    one = jax.tree.map(lambda a: a[0], subjects)
    phase = jnp.linspace(0, 1, 201)
    share = np.asarray(motion.contraction(phase, one))
    assert share[0] == 0 and share[-1] == pytest.approx(0, abs=1e-6)
    assert share.max() == pytest.approx(1, abs=1e-4)
    assert phase[share.argmax()] == pytest.approx(float(one.systole), abs=0.06)
    assert (np.diff(share)[: share.argmax()] >= 0).all()
    np.testing.assert_allclose(motion.contraction(phase + 1, one), share, atol=1e-4)


def test_motion_never_folds(subjects):
    """The Jacobian of the backward map is positive for 200 subjects over the whole cycle."""
    axis = jnp.linspace(-120, 120, 60) + 0.37
    y, x = jnp.meshgrid(axis, axis, indexing="ij")

    def determinant(subject, phase):
        moment = motion.Moment(phase, jnp.ones(()), jnp.zeros(()))
        place = lambda y, x: motion.backward(y, x, subject, moment)
        _, down = jax.jvp(place, (y, x), (jnp.ones_like(y), jnp.zeros_like(x)))
        _, right = jax.jvp(place, (y, x), (jnp.zeros_like(y), jnp.ones_like(x)))
        return jnp.min(down[0] * right[1] - down[1] * right[0])

    phases = jnp.array([0.15, 0.35, 0.45, 0.6, 0.9])
    smallest = jax.jit(jax.vmap(jax.vmap(determinant, (None, 0)), (0, None)))(subjects, phases)
    assert np.isfinite(smallest).all() and smallest.min() > 0.05


def test_the_wall_keeps_its_volume_and_the_cavity_ejects(subjects):
    one = jax.tree.map(lambda a: a[5], subjects)._replace(
        delay=jnp.zeros((2, 3)), vigour=jnp.zeros((2, 3))
    )
    rest = motion.contour(one)
    systole = motion.Moment(one.systole, jnp.ones(()), jnp.zeros(()))
    now = motion.contour(one, systole)
    area = lambda c: jnp.sum(c.wall**2 - c.cavity**2)
    np.testing.assert_allclose(area(now) * (1 - one.shortening), area(rest), rtol=1e-4)
    phases = jnp.array([0.0, one.systole])
    beat = lambda strength: motion.Moment(phases, jnp.full(2, strength), jnp.zeros(2))
    volume = motion.ventricular_volume(one, beat(1.0))
    weak = motion.ventricular_volume(one, beat(0.55))
    assert volume[1] < weak[1] < weak[0] == volume[0]
    np.testing.assert_allclose(1 - volume[1] / volume[0], one.ejection, rtol=1e-4)
    np.testing.assert_allclose(
        jnp.sum(now.cavity**2) / jnp.sum(rest.cavity**2), motion.area_ratio(one), rtol=1e-4
    )


@pytest.mark.parametrize("matrix", [(12, 16), (11, 13)])
def test_cropping_keeps_place_and_scale(matrix):
    """A wave that both grids resolve is the same picture on both."""
    fine = tuple(2 * n for n in matrix)
    y, x = np.meshgrid(*(np.arange(n) for n in fine), indexing="ij")
    wave = 3 + np.exp(2j * np.pi * (2 * y / fine[0] - 3 * x / fine[1])).astype(np.complex64)
    cropped = fourier.ifftc(scanner.to_kspace(jnp.asarray(wave), matrix))
    np.testing.assert_allclose(cropped, scanner.at_pixels(wave, matrix), atol=1e-4)


def test_a_loop_has_the_field_of_the_textbook():
    distance = np.array([20.0, 50.0, 90.0])
    points = jnp.asarray(np.stack([distance, 0 * distance, 0 * distance], -1)[None], jnp.float32)
    radius = 60.0
    field = coils._loop_field(points, jnp.zeros(3), jnp.array([1.0, 0.0, 0.0]), jnp.float32(radius))
    wanted = radius**2 / (radius**2 + distance**2) ** 1.5
    np.testing.assert_allclose(field[0, :, 0] / field[0, 0, 0], wanted / wanted[0], rtol=1e-3)


def test_scan_is_complete(scan):
    assert scan.cine.shape == (6, 24, 21) and scan.maps.shape == (1, 24, 21)
    assert scan.kspace.shape == (6, 1, 24, 21) and scan.labels.shape == (6, 3, 24, 21)
    assert scan.displacement.shape == (6, 2, 24, 21) and scan.volume.shape == (6,)
    assert all(np.isfinite(a).all() for a in jax.tree.leaves(scan))
    assert not np.any(scan.labels.sum(axis=1) > 1)
    magnitude = np.abs(scan.cine)
    assert 0.5 < magnitude.max() < 2.5
    blood, wall = (np.mean(magnitude[0][scan.labels[0, i]]) for i in (0, 1))
    assert 0.35 < blood < 1.1 and 0.15 < wall / blood < 0.75
    np.testing.assert_allclose(scan.kspace, fourier.fftc(scan.cine)[:, None], atol=1e-4)
    assert scan.ejection_fraction == pytest.approx(float(scan.subject.ejection), abs=0.06)
    still = np.abs(scan.displacement[0]).max()
    moved = np.abs(scan.displacement).max()
    assert still < 0.5 < moved


def test_several_coils_are_normalised_and_not_quite_consistent(key):
    make = partial(phantom.simulate, key, num_frames=3, matrix=(32, 28), num_coils=4)
    scan = make(consistent=True, snr=50.0)
    assert scan.consistent and not make().consistent
    np.testing.assert_allclose(np.sum(np.abs(scan.maps) ** 2, axis=0), 1, rtol=1e-5)
    full = jnp.ones((3, 32, 28), bool)
    model = sense.forward(scan.cine, scan.maps, full)
    noise = scan.kspace - model
    assert np.sqrt(np.mean(np.abs(noise) ** 2)) == pytest.approx(0.7 / 50, rel=0.05)
    real = make()
    residual = real.kspace - sense.forward(real.cine, real.maps, full)
    share = jnp.linalg.norm(residual) / jnp.linalg.norm(real.kspace)
    assert 0.002 < share < 0.2


def test_lines_are_taken_at_their_own_moments(key):
    twice = phantom.simulate(key, num_frames=6, matrix=(24, 21))
    scan = phantom.simulate(key, num_frames=3, matrix=(24, 21), moments_per_frame=2)
    np.testing.assert_allclose(scan.kspace[:, :, :12], twice.kspace[::2, :, :12], atol=1e-4)
    np.testing.assert_allclose(scan.kspace[:, :, 12:], twice.kspace[1::2, :, 12:], atol=1e-4)
    np.testing.assert_allclose(scan.cine, twice.cine[1::2], atol=1e-4)


def test_rhythm_of_an_arrhythmia_and_of_the_breath(key):
    times = jnp.linspace(0, 4, 200, endpoint=False)
    regular = rhythm.moments(key, times, num_beats=4, arrhythmia=False, breathing=False)
    np.testing.assert_allclose(regular.phase, times % 1, atol=1e-5)
    assert (regular.strength == 1).all() and (regular.breath == 0).all()
    other = rhythm.moments(key, times, num_beats=4, arrhythmia=True, breathing=True)
    assert other.phase.min() >= 0 and other.phase.max() < 1
    assert 0.02 < np.mean(other.strength < 1) < 0.25
    assert 5 < np.ptp(other.breath) < 15.1


def test_options_change_what_they_say(key):
    size = dict(num_frames=8, matrix=(24, 21), num_beats=2)
    scan = phantom.simulate(
        key, breathing=True, arrhythmia=True, phase_resolution=0.5, partial_echo=0.75, **size
    )
    sampled = np.abs(scan.kspace[0, 0]) > 0
    assert sampled.any(axis=1).sum() in (12, 13) and sampled.any(axis=0).sum() in (15, 16)
    assert np.isfinite(scan.cine).all()
    with pytest.raises(InputError, match="num_beats of 2"):
        phantom.simulate(key, arrhythmia=True)
    with pytest.raises(InputError, match=r"1\.5 or 3"):
        phantom.simulate(key, field=7.0)


def test_same_key_same_bytes_in_another_process(key):
    code = (
        "import jax, numpy as np; from jdmri import phantom;"
        "s = phantom.simulate(jax.random.key(0), num_frames=6, matrix=(24, 21));"
        "print(np.asarray(s.cine).tobytes().hex())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = phantom.simulate(jax.random.key(0), **SIZE).cine
    assert run.stdout.strip() == np.asarray(here).tobytes().hex()
    assert np.abs(here - phantom.simulate(jax.random.key(1), **SIZE).cine).max() > 0.1


def test_export(tmp_path):
    config = default.get_config()
    config.data.update(num_frames=6, matrix=(24, 21))
    phantoms.export(config, tmp_path / "set.npz", 2)
    dataset = npz(path=str(tmp_path / "set.npz"))
    assert [s.subject for s in dataset.series] == ["subject-0000", "subject-0001"]
    assert dataset.facts.complex and not dataset.facts.warnings
    phantoms.export(config, tmp_path / "set.h5", 2)
    with h5py.File(tmp_path / "set.h5") as store:
        assert store.attrs["generator_version"] == phantom.GENERATOR_VERSION
        np.testing.assert_array_equal(store["dataset"][1], dataset.series[1].cine)
        assert store["subject"].asstr()[1] == "subject-0001"
    phantoms.export(config, tmp_path / "gallery", 2)
    names = sorted(p.name for p in (tmp_path / "gallery").iterdir())
    assert names == ["overview.png"] + [
        f"subject-000{i}.{suffix}" for i in range(2) for suffix in ("gif", "png")
    ]
    with pytest.raises(InputError, match="exists already"):
        phantoms.export(config, tmp_path / "gallery", 2)
    with pytest.raises(InputError, match=r"end in \.npz or \.h5"):
        phantoms.export(config, tmp_path / "set.zarr", 2)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (dict(snr=-3.0), "snr is positive"),
        (dict(phase_resolution=0.0), "shares in"),
        (dict(partial_echo=1.5), "shares in"),
    ],
)
def test_impossible_acquisitions_are_refused(key, fields, message):
    with pytest.raises(InputError, match=message):
        phantom.simulate(key, **SIZE, **fields)
