"""Damaged, absurd and hostile files: each ends in an InputError of one line, in little memory, with nothing left."""

import io
import os

import h5py
import numpy as np
import pytest

from jdmri.scans.convert import convert
from jdmri.scans.doctor import examine
from tests.helpers import format_files as write
from tests.helpers.refusals import huge_npz, lying_zip, refused, save_npz


def good(folder, name):
    """Write a whole file of a format."""
    one = write.scan(frames=1)
    writers = {
        "bart": lambda: write.write_bart(folder / "a.cfl", write.scan()),
        "cmrxrecon": lambda: write.write_mat(
            folder / "a.mat", "kspace_full", write.to_matlab(write.scan())
        ),
        "ismrmrd": lambda: write.write_ismrmrd(folder / "a.h5", write.scan()),
        "fastmri": lambda: write.write_fastmri(folder / "a.h5", one),
        "m4raw": lambda: write.write_fastmri(folder / "1_T101.h5", one, header=False),
        "nifti": lambda: write.write_nifti(folder / "a.nii", write.pictures()),
        "nifti.gz": lambda: write.write_nifti(folder / "a.nii.gz", write.pictures()),
        "dicom": lambda: write.write_enhanced_dicom(folder / "a.dcm", write.pictures()),
        "skmtea": lambda: write.write_skmtea(folder / "a.h5", write.scan(frames=2)),
        "npz": lambda: save_npz(folder / "a.npz", dataset=np.ones((2, 3, 8, 6), np.float32)),
        "store": lambda: (
            convert(write.write_bart(folder / "b.cfl", write.scan(coils=1)), folder / "a.h5"),
            folder / "a.h5",
        )[1],
    }
    return writers[name]()


FORMATS = "bart cmrxrecon ismrmrd fastmri m4raw nifti nifti.gz dicom npz skmtea store".split()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("tenth", range(10))
def test_files_cut_off_at_every_tenth(tmp_path, name, tenth):
    path = good(tmp_path, name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * tenth // 10])
    refused(path, tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_the_whole_files_are_read(tmp_path, name):
    path = good(tmp_path, name)
    assert "To use it" in examine(path)
    convert(path, tmp_path / "out.h5")


def bart_header(folder, text):
    path = good(folder, "bart")
    path.with_suffix(".hdr").write_bytes(text.encode("latin-1"))
    return path


def mat(folder, key, array):
    return write.write_mat(folder / "a.mat", key, array)


def hdf5(folder, name="a.h5", **arrays):
    path = folder / name
    with h5py.File(path, "w") as content:
        for key, array in arrays.items():
            content[key.replace("__", "/")] = array
    return path


def unallocated(folder, name, key, shape, dtype):
    """A few kB that declare terabytes: chunks that were never written."""
    path = folder / name
    with h5py.File(path, "w") as content:
        chunks = tuple(min(n, 16) for n in shape)
        content.create_dataset(key, shape, dtype, chunks=chunks)
    return path


def poison(folder, name, value):
    """One series of the format with a NaN, or with nothing but zeros."""
    kspace = write.scan(frames=1 if name == "fastmri" else write.FRAMES)
    kspace = kspace * value if value == 0 else kspace
    images = write.pictures().astype(np.float32) * (value if value == 0 else 1)
    kspace[1, 0, 1, 2, 3] = images[1, 0, 2, 3] = value
    writers = {
        "bart": lambda: write.write_bart(folder / "a.cfl", kspace),
        "cmrxrecon": lambda: mat(folder, "kspace_full", write.to_matlab(kspace)),
        "ismrmrd": lambda: write.write_ismrmrd(folder / "a.h5", kspace),
        "fastmri": lambda: write.write_fastmri(folder / "a.h5", kspace),
        "nifti": lambda: write.write_nifti(folder / "a.nii", images),
    }
    return writers[name]()


def edit_ismrmrd(folder, change, **settings):
    """Change the stored headers of all readouts."""
    path = write.write_ismrmrd(folder / "a.h5", write.scan(), **settings)
    with h5py.File(path, "a") as content:
        data = content["dataset/data"][:]
        change(data)
        content["dataset/data"][:] = data
    return path


def absurd_ismrmrd(folder):
    header = write.ismrmrd_header((1_000_00, 1_000_00), (10, 10), 0, 4)
    path = write.write_ismrmrd(folder / "a.h5", write.scan())
    with h5py.File(path, "a") as content:
        content["dataset/xml"][0] = header
    return path


def xml(folder, text):
    path = write.write_ismrmrd(folder / "a.h5", write.scan())
    with h5py.File(path, "a") as content:
        content["dataset/xml"][0] = text
    return path


def nifti(folder, shape, images=None):
    """A NIfTI whose header says another shape than its data have."""
    path = write.write_nifti(folder / "a.nii", write.pictures() if images is None else images)
    content = bytearray(path.read_bytes())
    content[40 : 40 + 2 * (1 + len(shape))] = np.array([len(shape), *shape], "<i2").tobytes()
    path.write_bytes(content)
    return path


def edit_dicom(folder, **fields):
    pydicom = pytest.importorskip("pydicom")
    path = write.write_enhanced_dicom(folder / "a.dcm", write.pictures())
    one = pydicom.dcmread(path)
    for name, value in fields.items():
        if value is None:
            delattr(one, name)
        elif name == "TransferSyntaxUID":
            one.file_meta.TransferSyntaxUID = value
        else:
            setattr(one, name, value)
    one.save_as(path)
    return path


def edit_store(folder, change):
    path = good(folder, "store")
    with h5py.File(path, "a") as content:
        change(content)
    return path


def replace(group, name, array):
    del group[name]
    group[name] = array


def npy(folder, array=None, header=None):
    path = folder / "a.npy"
    if header is None:
        np.save(path, array, allow_pickle=True)
        return path
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    path.write_bytes(stream.getvalue() + b"\0" * 64)
    return path


def text(folder, name, content="nothing of use"):
    (folder / name).write_text(content)
    return folder / name


def folder_named(folder, name):
    (folder / name).mkdir()
    return folder / name


def set_field(name, value):
    def change(data):
        for one in data:
            one["head"][name] = value

    return change


def set_counter(name, value):
    def change(data):
        for one in data:
            one["head"]["idx"][name] = value

    return change


COMPOUND = np.dtype([("real", "<f4"), ("imag", "<f4")])
HUGE = (10**4, 10**4, 10**3, 10**3, 10**3)
series = lambda content: content["series/00000"]
CASES = {
    # BART
    "bart: sizes of 10^9": (lambda f: bart_header(f, "# Dimensions\n" + "1000000000 " * 16), "2-D cine"),
    "bart: 10^18 samples": (lambda f: bart_header(f, "1000000000 1000000000 1 1"), "wants"),
    "bart: negative": (lambda f: bart_header(f, "# Dimensions\n-10 12 1 3"), "positive"),
    "bart: zero": (lambda f: bart_header(f, "# Dimensions\n0 12 1 3"), "positive"),
    "bart: words": (lambda f: bart_header(f, "# Dimensions\nten twelve"), "cannot read"),
    "bart: no sizes": (lambda f: bart_header(f, "# Dimensions\n"), "positive"),
    "bart: empty header": (lambda f: bart_header(f, ""), "positive"),
    "bart: no text": (lambda f: bart_header(f, "\xff\xfe\x00" * 50), "cannot read"),
    "bart: endless header": (lambda f: bart_header(f, "1 " * 10**6), "wants"),
    "bart: 3-D": (lambda f: bart_header(f, "10 6 2 3 1 1 1 1 1 1 4 1 1 2"), "phase2 = 2"),
    "bart: maps": (lambda f: bart_header(f, "10 12 1 3 2 1 1 1 1 1 4 1 1 1"), "maps = 2"),
    "bart: no header": (lambda f: (p := good(f, "bart"), p.with_suffix(".hdr").unlink())[0], "missing"),
    # CMRxRecon
    "mat: no k-space": (lambda f: mat(f, "image", write.to_matlab(write.scan())), "it holds image"),
    "mat: a mask": (lambda f: mat(f, "mask04", np.ones((10, 12))), "it holds mask04"),
    "mat: two axes": (lambda f: mat(f, "kspace_full", np.ones((10, 12))), "wanted .frame"),
    "mat: six axes": (lambda f: mat(f, "kspace_full", np.ones((1,) * 6)), "wanted .frame"),
    "mat: empty": (lambda f: mat(f, "kspace_full", np.ones((0, 12, 3, 2, 4))), "empty"),
    "mat: texts": (lambda f: hdf5(f, "a.mat", kspace_full=np.full((1, 1, 1, 2, 2), b"a")), "complex numbers"),
    "mat: a group": (lambda f: hdf5(f, "a.mat", kspace_full__a=np.ones(3)), "it holds"),
    "mat: terabytes": (lambda f: unallocated(f, "a.mat", "kspace_full", HUGE, COMPOUND), "declares"),
    "mat: version 5": (lambda f: text(f, "a.mat", "MATLAB 5.0 MAT-file" + " " * 600), "not what its name says"),
    # ISMRMRD
    "ismrmrd: no header": (lambda f: hdf5(f, dataset__data=np.ones(3)), "no known kind"),
    "ismrmrd: garbage": (lambda f: hdf5(f, dataset__data=np.ones(3), dataset__xml=np.ones(2)), "cannot read"),
    "ismrmrd: no XML": (lambda f: xml(f, b"<ismrmrd"), "cannot read"),
    "ismrmrd: other XML": (lambda f: xml(f, b"<html><body/></html>"), "cannot read"),
    "ismrmrd: entities": (
        lambda f: xml(f, b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 999 + b'">]><a>' + b"&b;" * 99 + b"</a>"),
        "cannot read",
    ),
    "ismrmrd: matrix of 10^5": (absurd_ismrmrd, "declares"),
    "ismrmrd: radial": (lambda f: write.write_ismrmrd(f / "a.h5", write.scan(), trajectory="RADIAL"), "cartesian"),
    "ismrmrd: only noise": (lambda f: edit_ismrmrd(f, set_field("flags", 1 << 18)), "none of an image"),
    "ismrmrd: EPI": (lambda f: edit_ismrmrd(f, set_field("flags", 1 << 21)), "EPI or a 3-D"),
    "ismrmrd: 3-D": (lambda f: edit_ismrmrd(f, set_counter("kspace_encode_step_2", 3)), "EPI or a 3-D"),
    "ismrmrd: ky outside": (lambda f: edit_ismrmrd(f, set_counter("kspace_encode_step_1", 999)), "its header is wrong"),
    "ismrmrd: 65535 frames": (lambda f: edit_ismrmrd(f, set_counter("repetition", 65534)), "declares"),
    "ismrmrd: samples": (lambda f: edit_ismrmrd(f, set_field("number_of_samples", 7), noise=False), "cannot read"),
    "ismrmrd: coils": (lambda f: edit_ismrmrd(f, set_field("active_channels", 0), noise=False), "empty|cannot read"),
    # fastMRI, M4Raw
    "fastmri: two axes": (lambda f: hdf5(f, kspace=np.ones((4, 4), np.complex64)), "wanted|needs"),
    "fastmri: a group": (lambda f: hdf5(f, kspace__a=np.ones(3)), "no such array"),
    "fastmri: empty": (lambda f: hdf5(f, kspace=np.ones((0, 3, 4, 5), np.complex64)), "empty"),
    "fastmri: texts": (lambda f: hdf5(f, kspace=np.full((1, 1, 2, 2), b"a")), "complex numbers"),
    "fastmri: terabytes": (lambda f: unallocated(f, "a.h5", "kspace", HUGE[:4], np.complex64), "declares"),
    "fastmri: header": (
        lambda f: hdf5(f, kspace=np.ones((1, 1, 4, 5), np.complex64), ismrmrd_header=b"<xml"),
        "cannot read",
    ),
    "m4raw: sizes": (
        lambda f: (
            hdf5(f, "1_T101.h5", kspace=np.ones((1, 1, 4, 5), np.complex64)),
            hdf5(f, "1_T102.h5", kspace=np.ones((1, 1, 5, 5), np.complex64)),
        )[0],
        "first repetition",
    ),
    "skmtea: one echo": (lambda f: hdf5(f, kspace=np.ones((2, 4, 5, 1, 3), np.complex64)), "2 echoes"),
    "skmtea: six axes": (lambda f: hdf5(f, kspace=np.ones((1,) * 6, np.complex64)), "needs"),
    "skmtea: texts": (lambda f: hdf5(f, kspace=np.full((1, 4, 5, 2, 1), b"a")), "complex numbers"),
    "skmtea: nan": (lambda f: hdf5(f, kspace=np.full((1, 4, 5, 2, 1), np.nan + 0j)), "not finite"),
    "skmtea: zero": (lambda f: hdf5(f, kspace=np.zeros((1, 4, 5, 2, 1), np.complex64)), "zero everywhere"),
    "skmtea: terabytes": (lambda f: unallocated(f, "a.h5", "kspace", (512, 512, 9999, 2, 99), np.complex64), "declares"),
    "skmtea: maps": (
        lambda f: hdf5(f, kspace=np.ones((1, 4, 5, 2, 3), np.complex64), maps=np.ones((1, 5, 4, 3, 1))),
        "another order",
    ),
    "hdf5: something else": (lambda f: hdf5(f, weights=np.ones(3)), "it holds weights"),
    "hdf5: nothing": (lambda f: hdf5(f), "it holds nothing"),
    # the store
    "store: later version": (lambda f: edit_store(f, lambda c: c.attrs.update(version=99)), "later version"),
    "store: no version": (lambda f: edit_store(f, lambda c: c.attrs.pop("version")), "cannot read"),
    "store: no series": (lambda f: edit_store(f, lambda c: c["series"].clear()), "no series"),
    "store: no name": (lambda f: edit_store(f, lambda c: series(c).attrs.pop("name")), "cannot read"),
    "store: no JSON": (lambda f: edit_store(f, lambda c: series(c).attrs.update(metadata="{")), "cannot read"),
    "store: no k-space": (lambda f: edit_store(f, lambda c: c["series/00000"].pop("kspace")), "cannot read"),
    "store: mask": (lambda f: edit_store(f, lambda c: replace(series(c), "mask", np.ones((4, 7, 1)))), "wanted"),
    # NIfTI
    "nifti: three axes": (lambda f: nifti(f, (12, 10, 8)), "wanted .x, y"),
    "nifti: one frame": (lambda f: nifti(f, (12, 10, 8, 1)), "wanted .x, y"),
    "nifti: 10^17 values": (lambda f: nifti(f, (32767, 32767, 32767, 32767)), "declares"),
    "nifti: longer than it is": (lambda f: nifti(f, (120, 100, 2, 4)), "cannot read"),
    "nifti: no slices": (lambda f: nifti(f, (12, 10, 0, 8)), "empty|cannot read"),
    "nifti: colours": (
        lambda f: write.write_nifti(
            f / "a.nii", np.zeros((2, 3, 8, 6), [("R", "u1"), ("G", "u1"), ("B", "u1")])
        ),
        "wanted magnitude",
    ),
    "nifti: text": (lambda f: text(f, "a.nii.gz"), "cannot read"),
    # DICOM
    "dicom: colours": (lambda f: edit_dicom(f, PhotometricInterpretation="RGB"), "no DICOM slice"),
    "dicom: no pixels": (lambda f: edit_dicom(f, PixelData=None), "cannot read"),
    "dicom: no rows": (lambda f: edit_dicom(f, Rows=None), "cannot read"),
    "dicom: no series": (lambda f: edit_dicom(f, SeriesInstanceUID=None), "cannot read"),
    "dicom: 10^13 pixels": (lambda f: edit_dicom(f, Rows=65535, Columns=65535, NumberOfFrames=9999), "declares"),
    "dicom: deflated": (lambda f: edit_dicom(f, TransferSyntaxUID="1.2.840.10008.1.2.1.99"), "deflated"),
    "dicom: one frame": (
        lambda f: write.write_dicom(f / "a", write.pictures(slices=3, frames=1)),
        "two grey-scale frames",
    ),
    "dicom: 128 bytes": (lambda f: text(f, "a", "\0" * 128 + "DICM"), "no DICOM slice"),
    # NumPy
    "npy: objects": (lambda f: npy(f, np.array([{}, []], object)), "cannot read|never unpickled"),
    "npy: terabytes": (
        lambda f: npy(f, header={"descr": "<f4", "fortran_order": False, "shape": (10**6, 10, 200, 200)}),
        "cannot read",
    ),
    "npz: objects": (lambda f: save_npz(f / "a.npz", dataset=np.array([{}], object)), "never unpickled"),
    "npz: bomb": (huge_npz, "declares"),
    "npz: lies": (lying_zip, "does not hold"),
    "npz: wrong key": (lambda f: save_npz(f / "a.npz", a=np.ones(3), b=np.ones(3)), "needs the key"),
    # anything
    "no file": (lambda f: f / "none.h5", "no file or folder"),
    "empty folder": (lambda f: folder_named(f, "a"), "none of the formats"),
    "folder called a.h5": (lambda f: folder_named(f, "a.h5"), "none of the formats"),
    "folder called a.cfl": (lambda f: folder_named(f, "a.cfl"), "none of the formats"),
    "a text": (lambda f: text(f, "a.txt"), "none of the formats"),
    "a text called .h5": (lambda f: text(f, "a.h5"), "not what its name says"),
    "a text called .dcm": (lambda f: text(f, "a.dcm"), "not what its name says"),
    "a text called .npz": (lambda f: text(f, "a.npz"), "cannot read"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_wrong_content(tmp_path, case):
    pytest.importorskip("ismrmrd"), pytest.importorskip("nibabel"), pytest.importorskip("pydicom")
    make, message = CASES[case]
    refused(make(tmp_path), tmp_path, message)


@pytest.mark.parametrize("name", ["bart", "cmrxrecon", "ismrmrd", "fastmri", "nifti"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0])
def test_values_that_no_method_can_use(tmp_path, name, value):
    refused(poison(tmp_path, name, value), tmp_path, "not finite|zero everywhere|none of|empty")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", FORMATS)
def test_files_that_may_not_be_read(tmp_path, name):
    path = good(tmp_path, name)
    path.chmod(0)
    refused(path, tmp_path, "denied")
