"""Fillings as methods, and one contract for the batches of all methods."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri.classical import METHODS, view_sharing
from jdmri.errors import InputError
from jdmri.ops import sense
from tests.helpers.arrays import complex_normal, unit_maps

FILLED = ("zero_filled", "temporal_average", "view_sharing")
# Tested in their own files: GRAPPA needs a regular mask, the others stop farther from the solution.
OWN_BATCHES = ("flagship", "grappa", "kt_blast", "kt_focuss")  # tested elsewhere


@pytest.mark.parametrize("name", FILLED)
@pytest.mark.parametrize("num_coils", [1, 3])
def test_full_sampling_gives_the_image_back(key, name, num_coils):
    maps = unit_maps(key, num_coils, (9, 8))
    cine, mask = complex_normal(key, (4, 9, 8)), jnp.ones((4, 9, 1), bool)
    got = METHODS.build({"name": name})(sense.forward(cine, maps, mask), maps, mask)
    np.testing.assert_allclose(got, cine, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in METHODS if name not in OWN_BATCHES])
def test_batched_equals_one_by_one(key, name):
    method = METHODS.build({"name": name})
    kspace = complex_normal(key, (2, 4, 2, 9, 8))
    maps = jnp.stack([unit_maps(k, 2, (9, 8)) for k in jax.random.split(key)])
    mask = jax.random.bernoulli(key, 0.5, (2, 4, 9, 1))
    kspace = jnp.where(mask[:, :, None], kspace, 0)
    for i in range(2):
        one = method(kspace[i], maps[i], mask[i])
        np.testing.assert_allclose(method(kspace, maps, mask)[i], one, atol=1e-5)


@pytest.mark.parametrize("mode", ["linear", "nearest", "sliding_window"])
@pytest.mark.parametrize("num_coils", [1, 8])
def test_a_static_cine_comes_back(key, mode, num_coils):
    maps = unit_maps(key, num_coils, (9, 7))
    cine = jnp.broadcast_to(complex_normal(key, (9, 7)), (4, 9, 7))
    lines = (jnp.arange(9)[None] - jnp.arange(4)[:, None]) % 4 == 0
    kspace = sense.forward(cine, maps, lines[..., None])
    got = view_sharing(mode=mode)(kspace, maps, lines[..., None])
    np.testing.assert_allclose(got, cine, atol=1e-5)


def test_an_unknown_mode_is_refused():
    with pytest.raises(InputError, match="knows the modes linear, nearest, sliding_window, got"):
        view_sharing(mode="keyhole")
