"""What the doctor says of sound and of sick files."""

import numpy as np
import pytest

from jdmri.scans.doctor import examine
from tests.helpers import format_files as write


def image(size=(48, 40)):
    """An ellipse off the middle with a smooth phase, on noise: ``[y, x]``."""
    y, x = np.meshgrid(*(np.arange(n) - n // 2 for n in size), indexing="ij")
    inside = ((y - 2) / (0.3 * size[0])) ** 2 + ((x + 1) / (0.36 * size[1])) ** 2 < 1
    noise = np.random.default_rng(0).normal(size=(2, *size)) * 0.01
    return inside * (1 + 0.3 * np.sin(y / 2)) * np.exp(0.05j * (x + y)) + noise[0] + 1j * noise[1]


def fft(images):
    axes = {"axes": (-2, -1)}
    return np.fft.fftshift(
        np.fft.fft2(np.fft.ifftshift(images, **axes), norm="ortho"), **axes
    ).astype(np.complex64)


def scan(images):
    """One slice ``[1, frame, coil, ky, kx]`` of one coil and two frames."""
    return np.stack([fft(images)] * 2)[None, :, None]


def said(tmp_path, kspace):
    return examine(write.write_bart(tmp_path / "scan.cfl", kspace.astype(np.complex64)))


def test_a_sound_scan(tmp_path):
    text = said(tmp_path, scan(image()))
    assert "scan.cfl: bart, 1 slice(s)" in text and "= 2 x 1 x 48 x 40" in text
    assert "fully sampled" in text and text.count("is centred") == 2
    for word in ("checkerboard", "corner", "padded", "no phase", "JPEG", "oversampling"):
        assert word not in text
    assert "--config=configs/cascade.py --config.data.name=bart --config.data.path=" in text
    assert "--mode=convert --input=" in text and "a .cfl does not say" in text


def test_a_scan_of_twenty_frames_fits_the_demo(tmp_path):
    assert "configs/demo.py" in said(tmp_path, scan(image()).repeat(10, axis=1))


def test_energy_in_the_corner(tmp_path):
    text = said(tmp_path, np.fft.ifftshift(scan(image()), axes=(-2, -1)))
    assert text.count("is at the corner") == 2


def test_a_centre_off_by_some_samples(tmp_path):
    assert "along ky peaks +5 samples" in said(tmp_path, np.roll(scan(image()), 5, axis=-2))


@pytest.mark.parametrize("sampled", [1, 3])
def test_a_checkerboard(tmp_path, sampled):
    kspace = scan(np.fft.fftshift(image()))
    keep = (np.arange(48) % sampled == 0) | (abs(np.arange(48) - 24) < 4)
    text = said(tmp_path, kspace * keep[:, None])
    assert "neighbours along ky alternate" in text and "neighbours along kx alternate" in text


@pytest.mark.parametrize("noise", [0.01, 0.2])
@pytest.mark.parametrize("sampled", [1, 3])
def test_an_object_beside_the_middle_is_no_checkerboard(tmp_path, sampled, noise):
    y, x = np.meshgrid(*(np.arange(n) - n // 2 for n in (96, 80)), indexing="ij")
    inside = ((y - 38) / 8) ** 2 + (
        x / 25
    ) ** 2 < 1  # 30 to 46 of 48: far out, all of it in the picture
    rng = np.random.default_rng(0)
    picture = inside * np.exp(0.05j * x) + noise * (
        rng.normal(size=y.shape) + 1j * rng.normal(size=y.shape)
    )
    keep = (np.arange(96) % sampled == 0) | (abs(np.arange(96) - 48) < 4)
    assert "checkerboard" not in said(tmp_path, scan(picture) * keep[:, None])
    across = np.fft.fftshift(np.roll(picture, -38, 0), axes=0)
    assert "neighbours along ky alternate" in said(tmp_path, scan(across) * keep[:, None])


def test_a_mask_of_points(tmp_path):
    points = np.random.default_rng(0).random((24, 20)) < 0.4
    points[9:15, 7:13], points[9, 7] = True, False
    text = said(tmp_path, write.scan(24, 20) * points)
    assert "a centre of 5 x 5 points in every frame" in text


def test_the_mask_that_is_there(tmp_path):
    kspace, keep = write.undersample(write.scan(24, 20))
    text = said(tmp_path, kspace)
    assert (
        f"R = {1 / keep.mean():.2f}, 3 centre lines in every frame, new from frame to frame" in text
    )
    assert "--mode=reconstruct" in text and "configs/" not in text


def test_zero_padding(tmp_path):
    kspace = scan(image())
    kspace[..., :7, :], kspace[..., -7:, :] = 0, 0
    assert "stops at once 7 and 7 points from the ends: zero-padded from 34 to 48" in said(
        tmp_path, kspace
    )


def test_images_without_phase(tmp_path):
    assert "images have no phase" in said(tmp_path, scan(np.abs(image())))


def test_oversampling_still_in(tmp_path):
    text = said(tmp_path, write.oversample(scan(image()), 3))
    assert "readout oversampling may still be in" in text


def test_jpeg(tmp_path):
    from io import BytesIO

    from PIL import Image

    picture = np.abs(image((96, 80)))
    stream = BytesIO()
    Image.fromarray((picture / picture.max() * 255).astype(np.uint8)).save(
        stream, "JPEG", quality=30
    )
    assert "JPEG" in said(tmp_path, scan(np.asarray(Image.open(stream), float)))
    assert "JPEG" not in said(tmp_path, scan(picture))


def test_images_and_their_doubts(tmp_path):
    folder = tmp_path / "patient 1"
    write.write_nifti(folder / "patient 1_4d.nii.gz", write.pictures())
    text = examine(folder)
    assert (
        "does not say which axis is phase encoded" in text and "[frame, y, x] = 4 x 12 x 10" in text
    )
    assert f"--config.data.path='{folder}'" in text and "--mode=reconstruct" not in text


def test_a_file_of_the_seeds(tmp_path):
    np.savez(tmp_path / "cine.npz", dataset=write.pictures().astype(np.float32))
    text = examine(tmp_path / "cine.npz")
    assert "npz, 2 slice(s)" in text and "no key 'subject'" in text


def test_ismrmrd_facts(tmp_path):
    kspace, _ = write.undersample(write.scan(24, 20))
    text = examine(write.write_ismrmrd(tmp_path / "us.h5", kspace, first_sample=3, factor=1))
    assert "16 samples of 3 coils" in text and "1.5 x 2 mm" in text
    assert "asymmetric echo: the first 3 of 20" in text
