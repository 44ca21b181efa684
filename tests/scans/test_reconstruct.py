"""Scans without a reference: the noise estimate, the residual, and files in and out."""

import dataclasses

import h5py
import jax
import numpy as np
import pytest

from jdmri import masks, phantom
from jdmri.classical import METHODS
from jdmri.data.measurements import Measurement
from jdmri.errors import InputError
from jdmri.ops import sense
from jdmri.runtime.registry import Registry
from jdmri.scans import reconstruct, writers


@pytest.fixture(scope="module")
def scan():
    """Four coils, R about 3, white noise of σ = 0.02."""
    key = jax.random.key(0)
    cine, maps, *_ = phantom.simulate(key, num_frames=6, matrix=(80, 72), num_coils=4)
    mask = masks.variable_density(acceleration=3.0, num_center_lines=12)(key, cine.shape)
    rng = np.random.default_rng(0)
    shape = (6, 4, 80, 72)
    noise = 0.02 / np.sqrt(2) * (rng.normal(size=shape) + 1j * rng.normal(size=shape))
    kspace = np.where(
        mask[:, None], np.asarray(sense.forward(cine, maps, np.ones_like(mask))) + noise, 0
    )
    return cine, maps, Measurement(kspace.astype(np.complex64), np.asarray(mask), "slice-0", "someone", frame_time=50.0)  # fmt: skip


def test_the_true_image_has_residual_one(scan):
    cine, maps, one = scan
    assert reconstruct.residual(cine, one.kspace, maps, one.mask, 0.02) == pytest.approx(
        1, abs=0.03
    )
    assert reconstruct.residual(1.5 * cine, one.kspace, maps, one.mask, 0.02) > 10


def test_the_border_tells_the_noise(scan):
    _, _, one = scan
    assert reconstruct.border_noise(one.kspace, one.mask) == pytest.approx(0.02, rel=0.3)
    rng = np.random.default_rng(1)
    white = (
        0.3 / np.sqrt(2) * (rng.normal(size=(5, 2, 31, 64)) + 1j * rng.normal(size=(5, 2, 31, 64)))
    )
    mask = np.ones((5, 31, 1), bool)
    assert reconstruct.border_noise(white, mask) == pytest.approx(0.3, rel=0.05)
    points = rng.random((5, 31, 64)) < 0.3  # a mask of points, column 0 unlike the others
    points[..., 0] = False
    partly = np.where(points[:, None], white, 0)
    assert reconstruct.border_noise(partly, points) == pytest.approx(0.3, rel=0.15)
    late = white.copy()
    late[..., :20] = 0  # asymmetric echo
    assert reconstruct.border_noise(late, mask) == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize("method", ["zero_filled", "view_sharing", "cg_sense"])
def test_a_slice_is_reconstructed_from_estimated_maps(scan, method):
    cine, _, one = scan
    done = reconstruct.reconstruct_slice(one, METHODS.build({"name": method}))
    assert done.cine.shape == cine.shape and np.isfinite(done.cine).all() and done.seconds > 0
    assert np.isfinite(done.residual) and "border" in done.sigma_from
    if method != "zero_filled":
        error = np.linalg.norm(np.abs(done.cine) - np.abs(cine)) / np.linalg.norm(cine)
        assert error < 0.25


def test_a_noise_scan_whitens(scan):
    _, _, one = scan
    rng = np.random.default_rng(2)
    noise = (0.02 / np.sqrt(2) * (rng.normal(size=(4, 5000)) + 1j * rng.normal(size=(4, 5000)))).astype(np.complex64)  # fmt: skip
    measured = Measurement(one.kspace, one.mask, "s", "p", noise=noise)
    done = reconstruct.reconstruct_slice(measured, METHODS.build({"name": "cg_sense"}))
    assert done.sigma_from == "the noise scan" and 0.05 < done.residual < 5


@pytest.mark.parametrize("name", ["out.npz", "out.h5", "out.gif", "out.nii.gz"])
def test_outputs_hold_all_slices(scan, name, tmp_path):
    if name.endswith(".nii.gz"):
        pytest.importorskip("nibabel")
    cine, _, one = scan
    cine, path = np.asarray(cine), tmp_path / name
    other = Measurement(one.kspace, one.mask, "slice-1", "someone", frame_time=50.0)
    writers.choose(path)(path, [cine, cine], [one, other])
    assert path.stat().st_size > 0
    if name == "out.h5":
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file["slice-1"], cine)
            assert file["slice-0"].attrs["frame_time_ms"] == 50
    if name == "out.nii.gz":
        import nibabel

        image = nibabel.load(path)
        assert image.shape == (72, 80, 2, 6) and image.header.get_zooms()[3] == 50
    if name == "out.npz":
        with np.load(path) as loaded:
            np.testing.assert_array_equal(loaded["dataset"][0], cine)
    with pytest.raises(InputError, match="exists"):
        writers.choose(path)


def test_wrong_outputs_are_refused_before_work(scan, tmp_path):
    with pytest.raises(InputError, match=r"must end in \.npz"):
        reconstruct.reconstruct_scan(tmp_path, tmp_path / "out.jpeg", method="cg_sense")
    cine, _, one = scan
    cine = np.asarray(cine)
    with pytest.raises(InputError, match=r"write \.h5 instead"):
        writers.choose(tmp_path / "a.npz")(tmp_path / "a.npz", [cine, cine[:2]], [one, one])
    assert not list(tmp_path.iterdir())


def test_a_method_is_told_whether_a_slice_is_cyclic(scan, tmp_path, monkeypatch):
    known, seen = Registry("method"), []

    @known.register("probe")
    def probe(*, cyclic=True):
        def method(kspace, maps, mask):
            seen.append(cyclic)
            return METHODS.build({"name": "zero_filled"})(kspace, maps, mask)

        return method

    slices = [dataclasses.replace(scan[2], name=str(c), cyclic=c) for c in (False, True)]
    monkeypatch.setattr(reconstruct, "METHODS", known)
    monkeypatch.setattr(reconstruct, "measurements", lambda source: iter(slices))
    reconstruct.reconstruct_scan(tmp_path, tmp_path / "a.npz", folder=None, method="probe")
    assert list(dict.fromkeys(seen)) == [False, True]
