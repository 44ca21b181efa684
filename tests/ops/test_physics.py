"""Fourier transforms, the forward model and data consistency."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri.ops import consistency, fourier, sense
from tests.helpers.arrays import complex_normal, problem

SIZES = [(8, 8), (9, 7), (8, 7), (10, 12)]


@pytest.mark.parametrize("size", SIZES)
def test_fourier_is_unitary_and_centred(key, size):
    x = complex_normal(key, size)
    y = complex_normal(jax.random.key(1), size)
    np.testing.assert_allclose(jnp.linalg.norm(fourier.fftc(x)), jnp.linalg.norm(x), rtol=1e-5)
    np.testing.assert_allclose(
        jnp.vdot(fourier.fftc(x), y), jnp.vdot(x, fourier.ifftc(y)), rtol=1e-4
    )
    np.testing.assert_allclose(fourier.ifftc(fourier.fftc(x)), x, atol=1e-5)
    constant = fourier.fftc(jnp.ones(size, jnp.complex64))
    expected = np.zeros(size)
    expected[size[0] // 2, size[1] // 2] = np.sqrt(size[0] * size[1])
    np.testing.assert_allclose(constant, expected, atol=1e-5)


@pytest.mark.parametrize("n", [7, 8, 10])
def test_fourier_equals_the_sum(n):
    x = np.random.default_rng(0).normal(size=n) + 0j
    index = np.arange(n) - n // 2
    matrix = np.exp(-2j * np.pi * np.outer(index, index) / n) / np.sqrt(n)
    got = fourier.fftc(jnp.asarray(x, jnp.complex64), (-1,))
    np.testing.assert_allclose(got, matrix @ x, atol=1e-5)
    phase = fourier.centre_phase(n)
    folded = np.conj(phase[n // 2]) * phase * np.fft.fft(phase * x, norm="ortho")
    np.testing.assert_allclose(folded, matrix @ x, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("line_mask", [True, False])
def test_sense_adjoint_matches_forward(key, size, line_mask):
    cine, maps, mask, kspace = problem(key, size, line_mask=line_mask)
    lhs = jnp.vdot(kspace, sense.forward(cine, maps, mask))
    rhs = jnp.vdot(sense.adjoint(kspace, maps, mask), cine)
    np.testing.assert_allclose(lhs, rhs, rtol=1e-4)
    np.testing.assert_allclose(
        sense.normal(cine, maps, mask),
        sense.adjoint(sense.forward(cine, maps, mask), maps, mask),
        atol=1e-5,
    )
    sampled = jnp.broadcast_to(mask[:, None], kspace.shape)
    assert not np.any(sense.forward(cine, maps, mask)[~sampled])
    assert jnp.linalg.norm(sense.normal(cine, maps, mask)) <= jnp.linalg.norm(cine) * 1.0001


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("line_mask", [True, False])
def test_folded_operator_equals_the_plain_one(key, size, line_mask):
    cine, maps, mask, kspace = problem(key, size, line_mask=line_mask)
    plain = sense.encoding(maps, mask)
    folded, data = sense.fold(kspace, maps, mask)
    np.testing.assert_allclose(folded.normal(cine), plain.normal(cine), atol=2e-5)
    np.testing.assert_allclose(folded.adjoint(data), plain.adjoint(kspace), atol=2e-5)
    for step in (consistency.hard, lambda *a: consistency.soft(*a, 0.7)):
        np.testing.assert_allclose(step(cine, data, folded), step(cine, kspace, plain), atol=2e-5)


def test_soft_consistency_with_one_coil_is_the_weighted_mean(key):
    cine, _, mask, kspace = problem(key, (9, 8), num_coils=1)
    maps, weight = jnp.ones((1, 9, 8), jnp.complex64), 2.5
    got = consistency.soft(cine, kspace, sense.encoding(maps, mask), weight)
    k = fourier.fftc(cine)
    expected = jnp.where(mask, (k + weight * kspace[:, 0]) / (1 + weight), k)
    np.testing.assert_allclose(fourier.fftc(got), expected, atol=1e-5)


def test_hard_consistency_keeps_the_measured_points_and_nothing_else(key):
    cine, _, mask, kspace = problem(key, (9, 8), num_coils=1)
    maps = jnp.ones((1, 9, 8), jnp.complex64)
    got = fourier.fftc(consistency.hard(cine, kspace, sense.encoding(maps, mask)))
    np.testing.assert_allclose(got, jnp.where(mask, kspace[:, 0], fourier.fftc(cine)), atol=1e-5)


@pytest.mark.parametrize("step", [consistency.hard, lambda *a: consistency.soft(*a, 3.0)])
def test_consistency_leaves_the_true_image_alone_with_many_coils(key, step):
    cine, maps, mask, _ = problem(key, (9, 8), num_coils=4)
    kspace = sense.forward(cine, maps, mask)
    np.testing.assert_allclose(step(cine, kspace, sense.encoding(maps, mask)), cine, atol=1e-5)


def test_soft_consistency_lowers_the_residual_with_many_coils(key):
    cine, maps, mask, _ = problem(key, (9, 8), num_coils=4)
    kspace = sense.forward(cine, maps, mask)
    encoding = sense.encoding(maps, mask)
    residual = lambda x: float(jnp.linalg.norm(encoding.forward(x) - kspace))
    image, last = jnp.zeros_like(cine), np.inf
    for _ in range(5):
        assert residual(image) < last
        last = residual(image)
        image = consistency.soft(image, kspace, encoding, 4.0)


def test_noise_has_the_stated_deviation_and_only_where_sampled(key):
    maps, mask = jnp.ones((1, 64, 64), jnp.complex64), jnp.arange(64)[None, :, None] % 2 == 0
    cine = jnp.zeros((1, 64, 64), jnp.complex64)
    kspace = np.asarray(sense.acquire(key, cine, maps, mask, 0.5))[0, 0]
    assert not kspace[1::2].any()
    np.testing.assert_allclose(np.mean(np.abs(kspace[::2]) ** 2), 0.25, rtol=0.1)
    np.testing.assert_allclose(np.mean(kspace[::2].real ** 2), 0.125, rtol=0.1)
    clean = sense.acquire(key, cine + 1, maps, mask, 0.0)
    np.testing.assert_allclose(clean, sense.forward(cine + 1, maps, mask), atol=1e-6)
