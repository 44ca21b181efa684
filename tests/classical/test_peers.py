"""Methods that minimise find the minima of sigpy, BART and deepinv, where those are installed: the same data, weights and objective."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.peers import (
    bart,
    deepinv,
    sigpy,
    sigpy_low_rank,
    sigpy_wavelet,
)
from jdmri import masks, phantom
from jdmri.classical import METHODS
from jdmri.classical.wavelet import analyse
from jdmri.ops import sense
from tests.helpers.arrays import complex_normal

WEIGHT, MEAN_WEIGHT = 0.02, 0.1


@pytest.fixture(scope="module")
def data():
    """Six frames of the middle of a heart, one coil, R = 2: k-space, maps and mask."""
    scan = phantom.simulate(jax.random.key(3), num_frames=12, matrix=(64, 64))
    cine = scan.cine[::2, 16:48, 16:48]
    sampler = masks.variable_density(acceleration=2.0, num_center_lines=5)
    mask = sampler(jax.random.key(1), cine.shape)
    maps = jnp.ones((1, 32, 32), jnp.complex64)
    return sense.acquire(jax.random.key(2), cine, maps, mask, 0.02), maps, mask


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # BART's threads wait in loops


# Peer, its further arguments, its iterations and options, our tolerance, and how far apart images may be. Where the mean of the frames is
# free, nothing holds the lines that no frame sampled, and FISTA, deepinv's, takes long.
CASES = [
    (sigpy.SigpySparse, (MEAN_WEIGHT,), 3000, {}, 1e-6, 1e-3),
    (sigpy.SigpySparse, (), 3000, dict(sigma=0.05), 1e-6, 1e-3),
    (sigpy.SigpyVariation, (MEAN_WEIGHT,), 3000, dict(sigma=0.05), 5e-5, 1e-3),
    (sigpy.SigpyVariation, (), 3000, dict(sigma=0.05), 5e-5, 1e-3),
    (sigpy.SigpySpatiotemporal, (), 3000, dict(sigma=0.05), 5e-5, 1e-3),
    (sigpy_wavelet.SigpyWavelet, (), 1000, {}, 1e-5, 1e-3),
    (sigpy_low_rank.SigpyLowRank, (), 1000, {}, 1e-5, 1e-3),
    (sigpy_low_rank.SigpyLowRankSparse, (), 3000, {}, 1e-6, 1e-3),
    (bart.BartVariation, (), 4000, {}, 1e-5, 1e-3),
    (bart.BartLowRank, (), 300, {}, 1e-6, 1e-3),
    (deepinv.DeepinvSparse, (), 1000, {}, 1e-6, 1e-2),
]


@pytest.mark.parametrize(
    ("peer", "further", "iterations", "options", "tolerance", "apart"), CASES, ids=[c[0].__name__ for c in CASES]
)  # fmt: skip
def test_ours_is_the_minimum_of(data, peer, further, iterations, options, tolerance, apart):
    if not peer.installed():
        pytest.skip(f"needs {peer.library} and the extra peers")
    peer = peer(data, WEIGHT, *further)
    theirs = peer.run(iterations, **options)
    limits = dict(tolerance=tolerance, max_iterations=5000)
    ours = METHODS.build({"name": peer.method, **peer.settings, **limits}).solve(*data)
    assert peer.cost(ours) == pytest.approx(peer.cost(theirs), rel=1e-4)
    difference = np.linalg.norm(peer.image(ours) - peer.image(theirs))
    assert difference < apart * np.linalg.norm(peer.image(theirs))


def test_wavelets_are_those_of_pywt(key):
    pytest.importorskip("pywt")
    image = np.asarray(complex_normal(key, (2, 32, 48)))
    theirs, _ = sigpy_wavelet.analyse(image, 3)
    sizes = lambda coefficients: np.sort(np.abs(coefficients), axis=None)
    np.testing.assert_allclose(sizes(analyse(jnp.asarray(image), 3)), sizes(theirs), atol=1e-5)
