"""k-t BLAST and k-t FOCUSS: the system they solve, what they recover, how they end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri import masks, metrics, phantom
from jdmri.classical.fillings import view_sharing
from jdmri.classical.kt_focuss import Settings, kt_blast, kt_focuss, weighted_least_squares
from jdmri.errors import InputError
from jdmri.ops import fourier, sense
from tests.helpers.arrays import complex_normal, unit_maps

BOTH = pytest.mark.parametrize("build", [kt_blast, kt_focuss])


def random_problem(key, num_coils, size, *, num_frames=5, kx=1):
    maps, cine = unit_maps(key, num_coils, size), complex_normal(key, (num_frames, *size))
    mask = jax.random.bernoulli(key, 0.5, (num_frames, size[0], kx)).at[0].set(True)
    return cine, sense.forward(cine, maps, mask), maps, mask


def dense(operator, shape):
    """Return the matrix of a linear operator, in double precision."""
    basis = jnp.eye(int(np.prod(shape)), dtype=jnp.complex64).reshape(-1, *shape)
    return np.asarray(jax.vmap(operator)(basis), np.complex128).reshape(len(basis), -1).T


@pytest.mark.parametrize("kx", [1, 3])
def test_a_round_solves_the_weighted_normal_equations(key, kx):
    """ρ = W (W A W + λ)⁻¹ W b, A and b as matrices."""
    _, kspace, maps, mask = random_problem(key, 2, (4, 3), kx=kx)
    shape = (5, 4, 3)
    weights, b = jax.random.uniform(key, shape), complex_normal(key, shape)
    encoding, _ = sense.fold(kspace, maps, mask)
    settings = Settings(0.05, 3, True, 1e-6, 200)
    done = weighted_least_squares(encoding, b, weights, settings)
    plain = lambda x: sense.normal(jnp.fft.ifft(x, axis=0, norm="ortho"), maps, mask)
    a = dense(lambda x: jnp.fft.fft(plain(x), axis=0, norm="ortho"), shape)
    np.testing.assert_allclose(a, a.conj().T, atol=1e-5)
    w = np.diag(np.asarray(weights, np.float64).ravel())
    wanted = w @ np.linalg.solve(w @ a @ w + 0.05 * np.eye(60), w @ np.asarray(b).ravel())
    np.testing.assert_allclose(np.asarray(done.value).ravel(), wanted, atol=1e-4)
    assert done.residual <= 1e-6 and done.iterations < 100


@BOTH
@pytest.mark.parametrize("num_coils", [1, 8])
@pytest.mark.parametrize("size", [(9, 8), (8, 7)])
def test_a_static_cine_comes_back(key, build, num_coils, size):
    """It is the baseline; neither weight nor mask matter where some frame sampled each line."""
    cine = jnp.broadcast_to(complex_normal(key, size), (4, *size))
    maps = unit_maps(key, num_coils, size)
    mask = ((jnp.arange(size[0])[None] - jnp.arange(4)[:, None]) % 4 == 0)[..., None]
    done = build(weight=0.1).solve(sense.forward(cine, maps, mask), maps, mask)
    np.testing.assert_allclose(done.value, cine, atol=1e-4)


@BOTH
def test_zero_data_give_zero(key, build):
    _, kspace, maps, mask = random_problem(key, 2, (9, 8))
    done = build().solve(0 * kspace, maps, mask)
    assert not done.value.any() and done.iterations == 0 and done.residual == 0


@BOTH
def test_a_mask_with_columns_is_the_same_problem(key, build):
    _, kspace, maps, mask = random_problem(key, 2, (9, 8))
    method = build(tolerance=1e-6)
    points = jnp.broadcast_to(mask, (5, 9, 8))
    got, wanted = method(kspace, maps, points), method(kspace, maps, mask)
    np.testing.assert_allclose(got, wanted, atol=1e-3)


@BOTH
def test_a_batch_is_a_loop(key, build):
    problems = [random_problem(k, 2, (9, 8))[1:] for k in jax.random.split(key)]
    method = build(tolerance=1e-4)
    both = method.solve(*map(jnp.stack, zip(*problems, strict=True)))
    for i, one in enumerate(problems):
        wanted = method.solve(*one)
        # Near the tolerance, rounding decides about one iteration more.
        assert jnp.linalg.norm(both.value[i] - wanted.value) < 1e-3 * jnp.linalg.norm(wanted.value)
        assert abs(both.iterations[i] - wanted.iterations) <= 3


def test_rounds_find_a_sparse_spectrum(key):
    """A pixel has one frequency besides the mean: reweighting towards ℓ1 finds it, one round does not."""
    spectrum = jnp.zeros((12, 9, 8), jnp.complex64).at[0].set(3)
    spectrum = spectrum.at[2, 2:5].set(1).at[9, 5:7].set(1j)
    cine = jnp.fft.ifft(spectrum, axis=0, norm="ortho")
    maps = unit_maps(key, 1, (9, 8))
    mask = jax.random.bernoulli(key, 0.5, (12, 9, 1)).at[:, 3:6].set(True)
    kspace = sense.forward(cine, maps, mask)
    options = dict(weight=1e-4, num_training_lines=9, tolerance=1e-4)
    error = lambda rounds: float(
        jnp.linalg.norm(kt_focuss(num_rounds=rounds, **options)(kspace, maps, mask) - cine)
        / jnp.linalg.norm(cine - cine.mean(axis=0, keepdims=True))
    )
    assert error(10) < 0.02 < 0.1 < error(1)


@pytest.fixture(scope="module", params=[1, pytest.param(8, marks=pytest.mark.slow)])
def heart(request):
    key = jax.random.key(3)
    scan = phantom.simulate(key, num_frames=8, matrix=(64, 56), num_coils=8, snr=40.0)
    kspace, maps = scan.kspace, scan.maps
    if request.param == 1:
        maps = jnp.ones((1, 64, 56), jnp.complex64)
        kspace = fourier.fftc(sense.adjoint(kspace, scan.maps, jnp.ones((8, 64, 1), bool)))[:, None]
    mask = masks.variable_density(acceleration=4.0, num_center_lines=7)(key, scan.cine.shape)
    score = lambda x: metrics.psnr()(np.asarray(x), np.asarray(scan.cine))
    return jnp.where(mask[:, None], kspace, 0), maps, mask, score


@BOTH
def test_a_beating_heart_converged(heart, build):
    """Far above zero-filling; a ten-fold tighter tolerance changes less than 0.05 dB."""
    *data, score = heart
    loose = build(num_training_lines=7).solve(*data)
    tight = build(num_training_lines=7, tolerance=1e-4).solve(*data)
    assert loose.residual <= 1e-3 and tight.residual <= 1e-4
    assert tight.iterations > loose.iterations > 5
    assert abs(score(loose.value) - score(tight.value)) < 0.05
    assert score(loose.value) > score(sense.adjoint(*data)) + 5


def test_focuss_beats_view_sharing_on_a_beating_heart(heart):
    *data, score = heart
    shared = score(view_sharing()(*data))
    assert score(kt_focuss(num_training_lines=7)(*data)) > shared + 0.1


@BOTH
@pytest.mark.parametrize(
    "settings",
    [dict(weight=0.0), dict(num_training_lines=0), dict(tolerance=0.0), dict(max_iterations=0)],
)
def test_bad_settings_are_refused(build, settings):
    (name,) = settings
    with pytest.raises(InputError, match=f"{build.__name__} needs settings above 0, got {name}=0"):
        build(**settings)


def test_focuss_needs_a_round():
    with pytest.raises(InputError, match="num_rounds >= 1, got 0"):
        kt_focuss(num_rounds=0)
