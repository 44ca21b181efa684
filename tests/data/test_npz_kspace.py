"""K-space in NumPy files, from the doctor to a reconstruction, and images that are read again without a flag."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from jdmri.data import READERS
from jdmri.data.formats import detect
from jdmri.data.formats.npz_images import npz
from jdmri.data.references import is_full
from jdmri.errors import InputError
from jdmri.scans import (
    convert,
    doctor,
    reconstruct,
    writers,
)
from tests.helpers import format_files as write
from tests.helpers import refusals

BRAIN = Path(__file__).parents[3] / "shared" / "data" / "brain_8coil_kspace.npz"


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def load(path):
    (one,) = detect.measurements(path)
    return one


@pytest.mark.parametrize("frames", [0, 1, write.FRAMES])
def test_axes(tmp_path, frames):
    kspace = write.scan(slices=1, frames=max(frames, 1))[0]
    path = save(tmp_path / "knee.npz", kspace=kspace if frames else kspace[0])
    assert detect.sniff(path) == "npz_kspace"
    one = load(path)
    np.testing.assert_array_equal(one.kspace, kspace)
    assert one.kspace.dtype == np.complex64 and is_full(one) and one.mask.shape[-1] == 1
    assert one.name == one.subject == "knee" and one.cyclic is (frames > 1)
    said = " ".join(one.warnings)
    assert "second to last was taken for ky" in said and "subject" in said
    assert ("taken for [coil, ky, kx], one frame" in said) is (frames == 0)


def test_npy_files_and_folders(tmp_path):
    for name in ("a_kspace", "b_kspace"):
        np.save(tmp_path / f"{name}.npy", write.scan()[0].astype(np.complex128))
    assert detect.sniff(tmp_path) == "npz_kspace"
    assert [entry.name for entry in detect.entries(tmp_path)] == ["a_kspace", "b_kspace"]
    np.testing.assert_array_equal(load(tmp_path / "a_kspace.npy").kspace, write.scan()[0])
    np.save(tmp_path / "cine.npy", write.scan()[0])
    assert detect.sniff(tmp_path / "cine.npy") == "npz"


def test_images_stay_images(tmp_path):
    images = write.pictures().astype(np.float32)
    assert detect.sniff(save(tmp_path / "a.npz", dataset=images, kspace=write.scan())) == "npz"
    assert detect.sniff(save(tmp_path / "b.npz", cine=images)) == "npz"


def test_zeros_are_the_mask(tmp_path):
    kspace, keep = write.undersample(write.scan())
    one = load(save(tmp_path / "a.npz", kspace=kspace[0]))
    np.testing.assert_array_equal(one.mask[..., 0], keep)
    points = np.random.default_rng(0).random((1, 1, write.KY, write.KX)) < 0.4
    one = load(save(tmp_path / "b.npz", kspace=write.scan(frames=1)[0] * points))
    np.testing.assert_array_equal(one.mask, points[0])
    assert "both axes may be phase encoded" in " ".join(one.warnings)
    with pytest.raises(InputError, match="--mode=reconstruct"):
        READERS["npz_kspace"](path=str(tmp_path / "a.npz"))


@pytest.mark.parametrize("axes", [1, 2, 3, 4])
def test_a_mask_may_be_given(tmp_path, axes):
    _, keep = write.undersample(write.scan())
    keep = keep if axes == 3 else np.broadcast_to(keep[:1], keep.shape)
    points = np.random.default_rng(0).random((write.KY, write.KX)) < 0.5
    mask = {1: keep[0], 2: keep[0, :, None], 3: keep[..., None].astype(np.uint8), 4: points}[axes]
    one = load(save(tmp_path / "a.npz", kspace=write.scan()[0], mask=mask))
    expected = np.broadcast_to(points if axes == 4 else keep[..., None], one.mask.shape)
    np.testing.assert_array_equal(one.mask, expected)
    np.testing.assert_array_equal(one.kspace, write.scan()[0] * expected[:, None])
    assert one.mask.shape == (write.FRAMES, write.KY, write.KX if axes == 4 else 1)
    assert "100% of its points" in one.notes[0]
    one = load(save(tmp_path / "b.npz", kspace=one.kspace, mask=mask))
    assert one.notes == ()


ONES = np.ones((3, 12, 10), np.complex64)
CASES = {
    "real": (dict(kspace=ONES.real), "holds float32 k-space"),
    "two axes": (dict(kspace=ONES[0]), "wanted complex .coil, ky, kx."),
    "five axes": (dict(kspace=ONES[None, None]), "wanted complex .coil, ky, kx."),
    "objects": (dict(kspace=np.array([{}], object)), "cannot read"),
    "empty": (dict(kspace=ONES[:0]), "wanted .frame"),
    "nan": (dict(kspace=ONES * np.nan), "not finite"),
    "zero": (dict(kspace=ONES * 0), "zero everywhere"),
    "mask of kx": (dict(kspace=ONES, mask=np.ones(10)), "a mask of shape"),
    "mask transposed": (dict(kspace=ONES, mask=np.ones((10, 12))), "a mask of shape"),
    "mask of weights": (dict(kspace=ONES, mask=np.full(12, 0.5)), "zeros and ones"),
    "mask of words": (dict(kspace=ONES, mask=np.full(12, "a")), "zeros and ones"),
    "mask of nothing": (dict(kspace=ONES, mask=np.zeros(12)), "zero everywhere"),
}


@pytest.mark.parametrize("case", CASES)
def test_wrong_content(tmp_path, case):
    arrays, message = CASES[case]
    refusals.refused(save(tmp_path / "a.npz", **arrays), tmp_path, message)


@pytest.mark.parametrize("tenth", range(10))
def test_files_cut_off_at_every_tenth(tmp_path, tenth):
    path = save(tmp_path / "a.npz", kspace=write.scan()[0], mask=np.ones(write.KY))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * tenth // 10])
    refusals.refused(path, tmp_path)


@pytest.mark.parametrize("make", ["huge_npz", "lying_zip"])
def test_bombs_are_refused_by_the_reader_of_training_data(tmp_path, make):
    path = getattr(refusals, make)(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="declares") as caught:
            npz(path=str(path))
        assert tracemalloc.get_traced_memory()[1] < refusals.MEMORY
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def test_converted_k_space_comes_back(tmp_path):
    kspace, keep = write.undersample(write.scan())
    convert.convert(save(tmp_path / "a.npz", kspace=kspace[0]), tmp_path / "store.h5")
    (one,) = detect.measurements(tmp_path / "store.h5")
    np.testing.assert_array_equal(one.kspace, kspace[0])
    np.testing.assert_array_equal(one.mask[..., 0], keep)


def test_the_doctor_says_fully_sampled(tmp_path):
    text = doctor.examine(save(tmp_path / "a.npz", kspace=write.scan(24, 20)[0, :1]))
    assert "npz_kspace, 1 slice(s)" in text and "fully sampled" in text
    assert "--config.data.name=npz_kspace" in text and "--mode=reconstruct" in text


# reconstructions in NumPy files


def test_a_reconstruction_is_read_again_without_a_flag(tmp_path):
    scans = list(detect.measurements(save(tmp_path / "a.npz", kspace=write.scan()[0])))
    cine = write.scan()[0, :, 0]
    for frames in (write.FRAMES, 1):
        path = tmp_path / f"cine{frames}.npz"
        writers.choose(path)(path, [cine[:frames]], scans)
        dataset = npz(path=str(path))
        np.testing.assert_array_equal(dataset.series[0].cine, cine[:frames])
        assert dataset.series[0].subject == "a" and dataset.facts.complex


# the real brain


@pytest.fixture(scope="module")
def brain():
    if not BRAIN.is_file():
        pytest.skip("needs the real k-space beside the project")
    return BRAIN


def test_the_doctor_on_a_real_brain(brain):
    text = doctor.examine(brain)
    assert "= 1 x 8 x 230 x 180" in text and "a centre of 24 x 24 points" in text
    assert "R = 8.04" in text and text.count("is centred") == 2 and "checkerboard" not in text


@pytest.mark.parametrize("every", [1, 4])
def test_a_real_brain_is_reconstructed(brain, tmp_path, every):
    with np.load(brain) as loaded:
        kspace = loaded["kspace"]
    line = np.arange(230)
    kept = (line % every == 0) | (abs(line - 115) < 16)
    path = save(tmp_path / "brain.npz", kspace=kspace * kept[:, None])
    said = reconstruct.reconstruct_scan(path, tmp_path / "brain.h5", method="cg_sense")
    residual = float(said.split("residual ")[1].split()[0])
    assert 0.1 < residual < 1.5  # eightfold and more of eight coils: much of the noise is fitted
