"""CG-SENSE: how it ends; its solution is tested in ``test_multicoil``."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdmri import masks, metrics, phantom
from jdmri.classical.cg_sense import cg_sense
from jdmri.ops import conjugate_gradient as cg
from jdmri.ops import sense
from tests.helpers.arrays import complex_normal, unit_maps


def problem(key, num_coils, *, per_frame=True, size=(9, 8)):
    maps, cine = unit_maps(key, num_coils, size), complex_normal(key, (4, *size))
    mask = jax.random.bernoulli(key, 0.5, (4 if per_frame else 1, size[0], 1))
    mask = jnp.broadcast_to(mask, (4, size[0], 1))
    return sense.forward(cine, maps, mask), maps, mask


@pytest.mark.parametrize("per_frame", [True, False])
@pytest.mark.parametrize("size", [(9, 8), (8, 7)])
def test_the_residual_is_that_of_the_normal_equations(key, per_frame, size):
    kspace, maps, mask = problem(key, 3, per_frame=per_frame, size=size)
    done = cg_sense(weight=0.1, tolerance=1e-9, max_iterations=4).solve(kspace, maps, mask)
    wanted = sense.adjoint(kspace, maps, mask)
    left = wanted - sense.normal(done.value, maps, mask) - 0.1 * done.value
    norm = lambda x: np.linalg.norm(np.asarray(x).reshape(4, -1), axis=1)
    assert done.iterations == 4
    np.testing.assert_allclose(done.residual, np.max(norm(left) / norm(wanted)), rtol=1e-3)


def test_one_coil_takes_one_step_to_zero_filling_over_one_plus_weight(key):
    kspace, maps, mask = problem(key, 1)
    done = cg_sense(weight=0.25).solve(kspace, maps, mask)
    np.testing.assert_allclose(done.value, sense.adjoint(kspace, maps, mask) / 1.25, atol=1e-5)
    assert done.iterations == 1 and done.residual < 1e-5


def test_a_batch_reports_each_series(key):
    kspace, maps, mask = (
        jnp.stack(pair) for pair in zip(problem(key, 1), problem(key, 1), strict=True)
    )
    done = cg_sense().solve(kspace.at[1].set(0), maps, mask)
    assert done.iterations.tolist() == [1, 0] and done.residual[1] == 0
    assert not done.value[1].any()


def test_a_ten_fold_tighter_tolerance_changes_nothing(key):
    scan = phantom.simulate(key, num_frames=8, matrix=(64, 56), num_coils=8, snr=40.0)
    mask = masks.variable_density(acceleration=4.0, num_center_lines=7)(key, scan.cine.shape)
    kspace = jnp.where(mask[:, None], scan.kspace, 0)
    score = lambda x: metrics.psnr()(np.asarray(x), np.asarray(scan.cine))
    loose = cg_sense().solve(kspace, scan.maps, mask)
    tight = cg_sense(tolerance=1e-5, max_iterations=200).solve(kspace, scan.maps, mask)
    assert loose.residual <= 1e-4 and tight.residual <= 1e-5
    assert abs(score(loose.value) - score(tight.value)) < 0.05
    assert score(loose.value) > score(sense.adjoint(kspace, scan.maps, mask)) + 1


def test_iterate_until_counts_to_the_solution_of_a_diagonal_system():
    """As many steps as different eigenvalues; none for b = 0."""
    values = jnp.array([1.0, 2.0, 2.0, 5.0])[:, None, None]
    b = jnp.ones((4, 1, 1), jnp.complex64)
    solve = lambda b: cg.iterate_until(lambda x: values * x, b, tolerance=1e-5, max_iterations=9)
    done = solve(b)
    assert done.iterations == 3 and done.residual < 1e-5
    np.testing.assert_allclose(done.value, b / values, rtol=1e-5)
    assert solve(0 * b).iterations == 0


@pytest.mark.parametrize("size", [(9, 8), (8, 7)])
def test_it_is_sigpys_sense(key, size):
    app = pytest.importorskip("sigpy.mri.app")
    kspace, maps, mask = (np.asarray(a) for a in problem(key, 3, size=size))
    ours = cg_sense(weight=0.1, tolerance=1e-6)(kspace, maps, mask)
    options = dict(lamda=0.1, max_iter=200, show_pbar=False)
    for data, weights, image in zip(kspace, mask.astype(np.float32), ours, strict=True):
        weights = np.broadcast_to(weights, data.shape)
        theirs = app.SenseRecon(data, maps, weights=weights, **options).run()
        assert np.linalg.norm(image - theirs) < 1e-3 * np.linalg.norm(theirs)
