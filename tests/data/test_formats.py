"""Every reader on files of its format, written by the format's own library."""

import h5py
import numpy as np
import pytest

from jdmri.data import READERS, numpy_fourier
from jdmri.data.formats import (
    bart,
    detect,
    nifti,
    reading,
    skmtea,
    store,
)
from jdmri.data.formats.dicom import dicom
from jdmri.data.measurements import Measurement
from jdmri.data.references import is_full, sampled, to_series
from jdmri.errors import InputError
from jdmri.ops import fourier, sense
from jdmri.scans import convert as conversion
from jdmri.scans.convert import convert
from tests.helpers import format_files as write


def slices_of(path, name):
    assert detect.sniff(path) == name
    return list(detect.measurements(path))


def same(measurements, kspace, rtol=2e-6):
    """The scan ``[slice, frame, coil, ky, kx]`` came back."""
    assert len(measurements) == len(kspace)
    for one, expected in zip(measurements, kspace, strict=True):
        assert one.kspace.dtype == np.complex64 and one.mask.dtype == bool
        np.testing.assert_allclose(one.kspace, expected, atol=rtol * np.abs(kspace).max())


# BART


def test_bart(tmp_path):
    path = write.write_bart(tmp_path / "scan.cfl", write.scan())
    same(slices_of(path, "bart"), write.scan(), rtol=0)
    for other in (path.with_suffix(".hdr"), path.with_suffix(""), tmp_path):
        same(slices_of(other, "bart"), write.scan(), rtol=0)


def test_bart_reads_the_mask_off_the_zeros(tmp_path):
    kspace, keep = write.undersample(write.scan())
    (first, _) = detect.measurements(write.write_bart(tmp_path / "scan.cfl", kspace))
    np.testing.assert_array_equal(first.mask[..., 0], keep)
    assert first.mask.shape == (write.FRAMES, write.KY, 1) and not is_full(first)
    with pytest.raises(InputError, match="--mode=reconstruct"):
        bart.bart(path=str(tmp_path))


# CMRxRecon


@pytest.mark.parametrize("key", ["kspace_full", "kspace", "kspace_sub04", "kus"])
def test_cmrxrecon(tmp_path, key):
    path = tmp_path / "Center005" / "Siemens_30T_Vida" / "P003" / "cine_sax.mat"
    write.write_mat(path, key, write.to_matlab(write.scan()))
    found = slices_of(path, "cmrxrecon")
    same(found, write.scan(), rtol=0)
    assert {one.subject for one in found} == {"Center005-Siemens_30T_Vida-P003"}
    assert found[0].metadata == {"view": "cine_sax", "field": "3"} and found[0].warnings == ()


def test_cmrxrecon_folder_of_subjects_without_masks(tmp_path):
    for i, subject in enumerate(("P001", "P002")):
        for view in ("cine_sax", "cine_lax"):
            kspace = write.to_matlab(write.scan(seed=i, coils=1))[:, :, 0]
            write.write_mat(tmp_path / subject / f"{view}.mat", "kspace_single_full", kspace)
        mask = np.ones((write.KX, write.KY), np.complex64)
        write.write_mat(tmp_path / subject / "cine_sax_mask.mat", "mask04", mask)
    dataset = READERS["cmrxrecon"](path=str(tmp_path))
    assert [s.subject for s in dataset.series] == ["P001"] * 4 + ["P002"] * 4
    assert len({s.name for s in dataset.series}) == 8
    expected = np.asarray(fourier.ifftc(write.scan(seed=1, coils=1)[1, :, 0]))
    np.testing.assert_allclose(dataset.series[5].cine, expected, atol=1e-5)
    assert dataset.facts.subjects_known and dataset.facts.complex


def test_cmrxrecon_a_dropped_frame_axis_is_doubted_and_zero_padding_found(tmp_path):
    kspace = write.to_matlab(write.scan(frames=1))[..., 0]
    kspace[:, :2], kspace[:, -2:] = 0, 0
    path = write.write_mat(tmp_path / "blackblood.mat", "kspace_full", kspace)
    first = next(detect.measurements(path))
    assert first.kspace.shape == (1, write.COILS, write.KY, write.KX)
    said = " ".join(first.warnings)
    assert "one frame" in said and "2 and 2 lines" in said and "P001" in said
    assert is_full(first)


def test_pseudo_radial_sampling_has_a_mask_of_points(tmp_path):
    keep = np.random.default_rng(0).random((1, write.FRAMES, 1, write.KY, write.KX)) < 0.5
    path = write.write_mat(
        tmp_path / "cine_sax_kus_ktRadial4.mat", "kus", write.to_matlab(write.scan() * keep)
    )
    first = next(detect.measurements(path))
    np.testing.assert_array_equal(first.mask, keep[0, :, 0])
    assert first.metadata["view"] == "cine_sax"


# ISMRMRD


@pytest.mark.parametrize("size", [(12, 10), (11, 9), (12, 9)])
def test_ismrmrd_removes_oversampling(tmp_path, size):
    kspace = write.scan(*size)
    path = write.write_ismrmrd(tmp_path / "fs_0001.h5", kspace, subject="volunteer 7")
    found = slices_of(path, "ismrmrd")
    same(found, kspace)
    first = found[0]
    assert first.subject == reading.pseudonym("volunteer 7") and "volunteer" not in repr(first)
    assert first.cyclic and is_full(first)
    assert first.pixel_spacing == pytest.approx((1.5, 2.0)) and first.metadata["field"] == "1.5"
    np.testing.assert_array_equal(first.noise, np.full((write.COILS, 16), 1 + 2j))
    assert "oversampling removed" in first.notes[0] and first.warnings == ()


def test_ismrmrd_partial_fourier_goes_to_its_place(tmp_path):
    path = write.write_ismrmrd(tmp_path / "a.h5", write.scan(), first_line=3)
    expected = write.scan()
    expected[..., :3, :] = 0
    found = list(detect.measurements(path))
    same(found, expected)
    assert not found[0].mask[:, :3].any() and found[0].mask[:, 3:].all() and not is_full(found[0])


def test_ismrmrd_asymmetric_echo(tmp_path):
    path = write.write_ismrmrd(tmp_path / "a.h5", write.scan(), first_sample=4, factor=1)
    expected = write.scan()
    expected[..., :4] = 0
    found = list(detect.measurements(path))
    same(found, expected)
    assert "asymmetric echo: the first 4 of 10" in " ".join(found[0].warnings) and is_full(found[0])


def test_ismrmrd_undersampled_frames_averages_and_missing_frames(tmp_path):
    _, lines = write.undersample(write.scan())
    lines[2] = False
    path = write.write_ismrmrd(tmp_path / "a.h5", write.scan(), lines=lines, averages=2, phases=9)
    found = list(detect.measurements(path))
    same(found, write.scan() * lines[None, :, None, :, None])
    np.testing.assert_array_equal(found[0].mask[..., 0], lines)
    said = " ".join(found[0].warnings)
    assert "frames without a single line: 2" in said and "promises 9 phases, 4" in said


def test_ismrmrd_without_limits_or_noise(tmp_path):
    path = write.write_ismrmrd(tmp_path / "scan7.h5", write.scan(), limits=False, noise=False)
    found = list(detect.measurements(path))
    same(found, write.scan())
    assert found[0].noise is None and found[0].subject == "scan7"
    assert "no encoding limits" in " ".join(found[0].warnings)


def test_ismrmrd_a_pilot_tone_is_taken_out(tmp_path):
    path = write.write_ismrmrd(tmp_path / "a.h5", write.scan(), factor=1, pilot=1)
    expected = write.scan()
    expected[..., :3], expected[..., -1] = 0, 0
    found = list(detect.measurements(path))
    same(found, expected)
    assert "pilot tone" in found[0].notes[0]


def test_ismrmrd_other_trajectories_are_refused(tmp_path):
    path = write.write_ismrmrd(tmp_path / "a.h5", write.scan(), trajectory="RADIAL")
    with pytest.raises(InputError, match="has a radial trajectory"):
        list(detect.measurements(path))


# fastMRI, M4Raw


def test_fastmri(tmp_path):
    kspace = write.scan(frames=1)
    found = slices_of(write.write_fastmri(tmp_path / "file1.h5", kspace), "fastmri")
    same(found, kspace)
    assert found[1].subject == reading.pseudonym("p1") and found[1].pixel_spacing == pytest.approx(
        (1.5, 2.0)
    )


def test_fastmri_without_header_and_subject_says_so(tmp_path):
    kspace = write.scan(frames=1)
    path = write.write_fastmri(tmp_path / "file1.h5", kspace, header=False, patient="")
    found = list(detect.measurements(path))
    same(found, kspace)
    assert found[0].subject == "file1" and len(found[0].warnings) == 2


def test_m4raw_averages_its_repetitions(tmp_path):
    kspace = write.scan(frames=1)
    for i, scale in enumerate((0.5, 1.0, 1.5)):
        write.write_fastmri(tmp_path / f"2022061003_T10{i + 1}.h5", scale * kspace, header=False)
    for path in (tmp_path, tmp_path / "2022061003_T102.h5"):
        found = slices_of(path, "m4raw")
        same(found, kspace)
        assert found[0].subject == "2022061003" and found[0].notes == ("3 repetitions averaged",)


# SKM-TEA


@pytest.mark.parametrize("ellipse", [False, True])
def test_skmtea(tmp_path, ellipse):
    kspace = write.scan(7, 9, coils=3, frames=2, slices=4)  # [x, echo, coil, ky, kz]
    path = write.write_skmtea(tmp_path / "MTR_005.h5", kspace, ellipse)
    found = slices_of(path, "skmtea")
    with h5py.File(path) as content:
        stored = content["kspace"][()]
    assert [one.name for one in found[:3]] == [
        "MTR_005-x000-echo1",
        "MTR_005-x000-echo2",
        "MTR_005-x001-echo1",
    ]
    for i, one in enumerate(found):
        x, echo = divmod(i, 2)
        assert one.kspace.shape == (1, 3, 11, 17)
        np.testing.assert_array_equal(one.kspace[0].transpose(1, 2, 0), stored[x, :, :, echo])
        if not ellipse:
            np.testing.assert_array_equal(one.kspace[0, :, 2:-2, 4:-4], kspace[x, echo])
        assert is_full(one) and one.mask.sum() == 7 and not one.cyclic
        assert one.subject == "MTR_005" and one.metadata == {"echo": str(echo + 1)}
    assert len(found) == 8 and "each file counts as one subject" in found[0].warnings[0]
    assert len(skmtea.skmtea(path=str(tmp_path))) == 8


def test_skmtea_undersampled_by_points_is_no_reference(tmp_path):
    keep = np.random.default_rng(0).random((11, 13)) < 0.5
    keep[4:7, 5:8] = True
    path = write.write_skmtea(tmp_path / "a.h5", write.scan(11, 13, frames=2) * keep)
    first = next(detect.measurements(path))
    np.testing.assert_array_equal(first.mask[0, 2:-2, 4:-4], keep)
    assert not is_full(first)


@pytest.mark.parametrize(
    "order", [(0, 1, 2, 4, 3), (0, 2, 1, 3, 4), (1, 0, 2, 3, 4), (4, 0, 1, 2, 3)]
)
def test_skmtea_with_swapped_axes_is_refused(tmp_path, order):
    path = write.write_skmtea(tmp_path / "a.h5", write.scan(frames=2, slices=5))
    with h5py.File(path, "a") as content:
        swapped = content["kspace"][()].transpose(order)
        del content["kspace"]
        content["kspace"] = swapped
    assert detect.sniff(path) == "skmtea"
    with pytest.raises(InputError, match=r"its axes are in another order|and 2 echoes, it has"):
        skmtea.entries(path)


# magnitude images


@pytest.mark.parametrize(("axis", "stored"), [(2, None), (3, None), (3, 0), (2, 1)])
def test_nifti_acdc(tmp_path, axis, stored):
    images = write.pictures()
    path = tmp_path / "patient001" / "patient001_4d.nii.gz"
    write.write_nifti(path, images, stored)
    write.write_nifti(path.with_name("patient001_frame01_gt.nii.gz"), images)
    path.with_name("Info.cfg").write_text("ED: 1\nES: 12\nGroup: DCM\nHeight: 184.0\nNbFrame: 30\n")
    assert detect.sniff(tmp_path) == "nifti"
    dataset = READERS["nifti"](path=str(tmp_path), phase_encoding_axis=axis)
    along_x = axis == 2 if stored is None else stored == 0
    expected = images[1] if along_x else images[1].swapaxes(1, 2)
    np.testing.assert_array_equal(dataset.series[1].cine, expected)
    one = dataset.series[1]
    assert one.subject == "patient001" and one.metadata["group"] == "DCM"
    assert one.metadata["pixel_mm"] == ("1.5 x 2.5" if along_x else "2.5 x 1.5")
    assert "Shimron" in dataset.facts.warnings[0] and not dataset.facts.complex


@pytest.mark.parametrize(("times", "direction"), [(True, "COL"), (False, "ROW"), (True, "")])
def test_dicom_folder(tmp_path, times, direction):
    images = write.pictures()
    write.write_dicom(tmp_path / "a", images, times=times, direction=direction)
    (tmp_path / "a" / "notes.txt").write_text("no image")
    assert detect.sniff(tmp_path) == "dicom"
    dataset = dicom(path=str(tmp_path))
    expected = 2.0 * images[1] + 1
    expected = expected.swapaxes(1, 2) if direction == "ROW" else expected
    np.testing.assert_array_equal(dataset.series[1].cine, expected)
    assert "Miller" not in repr(dataset.series[1].subject) + repr(dataset.facts)
    said = " ".join(dataset.facts.warnings)
    assert ("no trigger times" in said) is not times
    assert ("direction is not given" in said) is (direction == "")
    assert dataset.series[0].metadata["field"] == "1.5"


def test_enhanced_dicom(tmp_path):
    images = write.pictures()
    path = write.write_enhanced_dicom(tmp_path / "cine.dcm", images)
    dataset = dicom(path=str(path))
    for one, expected in zip(dataset.series, images, strict=True):
        np.testing.assert_array_equal(one.cine, 2.0 * expected + 1)
    assert dataset.series[0].metadata["pixel_mm"] == "1.5 x 2.5"


def test_people_in_dicom_are_told_apart(tmp_path):
    write.write_dicom(tmp_path / "a", write.pictures(), patient="Miller")
    other = write.write_dicom(tmp_path / "b", write.pictures(), patient="Smith")
    first = dicom(path=str(tmp_path / "a")).series[0].subject
    assert first != dicom(path=str(other)).series[0].subject


# measurements and series


@pytest.mark.parametrize("size", [(12, 10), (11, 9)])
def test_the_transforms_of_files_are_those_of_the_operators(size):
    kspace = write.scan(*size)
    np.testing.assert_allclose(numpy_fourier.fftc(kspace), fourier.fftc(kspace), atol=1e-4)
    np.testing.assert_allclose(
        numpy_fourier.ifftc(kspace, (-1,)), fourier.ifftc(kspace, (-1,)), atol=1e-4
    )
    assert numpy_fourier.ifftc(kspace).dtype == np.complex64


def test_to_series_is_the_adjoint_of_the_measurement(key, tmp_path):
    cine = write.scan(24, 20, coils=1, slices=1)[0, :, 0]
    y, x = np.meshgrid(np.linspace(-1, 1, 24), np.linspace(-1, 1, 20), indexing="ij")
    maps = np.exp(np.stack([-y + 1j * x, y - 1j * y, x + 0.5j * y])).astype(np.complex64)
    maps /= np.linalg.norm(maps, axis=0)
    kspace = np.asarray(sense.forward(cine, maps, np.ones((write.FRAMES, 24, 1), bool)))
    one = Measurement(kspace, sampled(kspace), "a", "b")
    np.testing.assert_allclose(to_series(one, maps).cine, cine, atol=1e-4 * np.abs(cine).max())
    estimated = to_series(one)
    norm = np.linalg.norm(estimated.maps, axis=0)
    assert np.all((np.abs(norm - 1) < 1e-4) | (norm == 0))
    with pytest.raises(InputError, match="do not fit"):
        to_series(one, maps[:2])


@pytest.mark.parametrize("poison", ["nan", "zero", "axes"])
def test_measurements_refuse_what_no_method_can_use(poison):
    kspace = write.scan()[0]
    if poison == "nan":
        kspace[0, 1, 2, 3] = np.nan
    kspace = kspace * (poison != "zero")
    mask = np.ones((write.FRAMES, write.KX if poison == "axes" else write.KY, 1), bool)
    with pytest.raises(InputError, match=r"not finite|zero everywhere|wanted .frame, coil"):
        Measurement(kspace, mask, "a", "b")


# the store


def everything(tmp_path):
    kspace, _ = write.undersample(write.scan())
    write.write_nifti(tmp_path / "nifti" / "patient001_4d.nii.gz", write.pictures())
    return {
        "full": (write.write_bart(tmp_path / "full.cfl", write.scan(24, 20)), 2),
        "undersampled": (write.write_ismrmrd(tmp_path / "under.h5", kspace), 2),
        "images": (tmp_path / "nifti", 2),
    }


@pytest.mark.parametrize("name", ["full", "undersampled", "images"])
def test_a_store_gives_back_what_was_converted(tmp_path, name):
    pytest.importorskip("ismrmrd"), pytest.importorskip("nibabel")
    source, count = everything(tmp_path)[name]
    output = tmp_path / "store.h5"
    text = convert(source, output)
    assert f"{count} series" in text and "--config.data.name=store" in text
    assert detect.sniff(output) == "store" and not output.with_name("store.h5.partial").exists()
    for ours, theirs in zip(detect.entries(output), detect.entries(source), strict=True):
        read, original = ours.load(), theirs.load()
        for field in vars(original):
            np.testing.assert_array_equal(getattr(read, field), getattr(original, field), field)
    with h5py.File(output) as content:
        assert content.attrs["version"] == 1 and "N // 2" in content.attrs["centring"]


def test_a_store_trains_without_estimating_maps_again(tmp_path, monkeypatch):
    source, _ = everything(tmp_path)["full"]
    output = tmp_path / "store.h5"
    convert(source, output)
    expected = bart.bart(path=str(source))
    monkeypatch.setattr("jdmri.data.references.estimate_maps", None)
    dataset = store.store(path=str(output), cyclic=False)
    for one, other in zip(dataset.series, expected.series, strict=True):
        np.testing.assert_allclose(one.load().cine, other.cine, atol=1e-5)
        np.testing.assert_array_equal(one.load().maps, other.maps)
        assert not one.cyclic


def test_a_conversion_goes_on_after_a_kill(tmp_path, monkeypatch):
    source = write.write_bart(tmp_path / "scan.cfl", write.scan(coils=1, slices=3))
    output, written = tmp_path / "store.h5", []
    original = conversion._write

    def die_at(count):
        def write_one(path, index, entry):
            if len(written) == count:
                raise KeyboardInterrupt
            written.append(index)
            original(path, index, entry)

        return write_one

    monkeypatch.setattr(conversion, "_write", die_at(2))
    with pytest.raises(KeyboardInterrupt):
        convert(source, output)
    assert not output.exists() and written == [0, 1]
    monkeypatch.setattr(conversion, "_write", die_at(-1))
    convert(source, output)
    assert written == [0, 1, 2]
    same([e.load() for e in store.entries(output)], write.scan(coils=1, slices=3), rtol=0)


def test_a_changed_source_is_converted_anew(tmp_path):
    source = write.write_bart(tmp_path / "scan.cfl", write.scan(coils=1))
    output = tmp_path / "store.h5"
    partial = conversion._partial(source, output, "bart", bart.entries(source))
    (partial / "00000.h5").write_bytes(b"of an earlier source")
    write.write_bart(source, write.scan(coils=1, seed=5, slices=3))
    convert(source, output)
    same([e.load() for e in store.entries(output)], write.scan(coils=1, seed=5, slices=3), rtol=0)


def test_conversions_that_cannot_be_are_refused(tmp_path):
    (tmp_path / "in").mkdir()
    source = write.write_bart(tmp_path / "in" / "x.cfl", write.scan())
    (tmp_path / "there.h5").write_text("mine")
    for output, message in (
        (tmp_path / "there.h5", "exists already"),
        (tmp_path / "store.npz", "must end in .h5"),
        (tmp_path / "in" / "store.h5", "lies in --input"),
    ):
        with pytest.raises(InputError, match=message):
            convert(source.parent, output)
    assert (tmp_path / "there.h5").read_text() == "mine"


def test_folders_of_two_formats_are_refused(tmp_path):
    write.write_bart(tmp_path / "scan.cfl", write.scan())
    write.write_mat(tmp_path / "cine.mat", "kspace_full", write.to_matlab(write.scan()))
    with pytest.raises(InputError, match="bart and cmrxrecon; give"):
        detect.sniff(tmp_path)


def test_a_missing_package_says_what_to_install(tmp_path, monkeypatch):
    write.write_nifti(tmp_path / "a.nii", write.pictures())
    monkeypatch.setitem(__import__("sys").modules, "nibabel", None)
    with pytest.raises(InputError, match=r"pip install 'jdmri\[io\]'"):
        nifti.nifti(path=str(tmp_path))
