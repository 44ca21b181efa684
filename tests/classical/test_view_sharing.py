"""View sharing by hand, in each mode; linear and the ends are in ``test_fillings``."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri.classical.fillings import view_sharing
from jdmri.errors import InputError
from jdmri.ops import sense
from jdmri.ops.filling import fill_view_sharing
from tests.helpers.arrays import complex_normal, unit_maps

SAMPLES = {1: 1.0, 4: 4.0}  # of seven frames


@pytest.mark.parametrize(
    ("mode", "cyclic", "expected"),
    [
        ("nearest", True, [1, 1, 1, 4, 4, 4, 4]),
        ("nearest", False, [1, 1, 1, 4, 4, 4, 4]),
        ("sliding_window", True, [4, 1, 1, 1, 4, 4, 4]),
        ("sliding_window", False, [1, 1, 1, 1, 4, 4, 4]),
    ],
)
@pytest.mark.parametrize("kx", [1, 3])
def test_modes_by_hand(mode, cyclic, expected, kx):
    kspace, mask = jnp.zeros((7, 2, 1, 3), jnp.complex64), jnp.zeros((7, 1, kx), bool)
    for frame, value in SAMPLES.items():
        kspace, mask = kspace.at[frame].set(value), mask.at[frame].set(True)
    got = fill_view_sharing(kspace, mask, cyclic=cyclic, mode=mode)
    np.testing.assert_array_equal(got[:, 1, 0, 2], expected)


def test_of_two_equally_near_samples_the_earlier_is_nearest():
    kspace = jnp.array([1, 0, 3, 0], jnp.complex64).reshape(4, 1, 1, 1)
    mask = (kspace != 0)[:, 0]
    got = fill_view_sharing(kspace, mask, cyclic=True, mode="nearest")
    np.testing.assert_array_equal(got.ravel(), [1, 1, 3, 3])


@pytest.mark.parametrize("mode", ["linear", "nearest", "sliding_window"])
@pytest.mark.parametrize("cyclic", [True, False])
def test_measured_points_stay_and_unmeasured_ones_are_zero(key, mode, cyclic):
    mask = jax.random.bernoulli(key, 0.4, (5, 9, 1)).at[:, 3].set(False).at[2, 0].set(True)
    kspace = jnp.where(mask[:, None], complex_normal(key, (5, 2, 9, 8)), 0)
    got = fill_view_sharing(kspace, mask, cyclic=cyclic, mode=mode)
    np.testing.assert_array_equal(np.where(mask[:, None], got, 0), kspace)
    assert not got[:, :, 3].any() and np.abs(got[:, :, 0]).min() > 0


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
