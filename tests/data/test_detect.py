"""The table of formats, which each format's own file fills."""

import pytest

from jdmri.data import READERS
from jdmri.data.formats import detect
from jdmri.data.formats.format import FORMATS, Format, Formats
from jdmri.errors import InputError
from tests.helpers import format_files as write


def test_every_format_has_a_reader_of_its_name():
    assert set(READERS) - {one.name for one in FORMATS} == {"phantom"}
    assert {one.name for one in FORMATS} <= set(READERS)


def test_a_format_is_known_once_it_is_registered(tmp_path, monkeypatch):
    monkeypatch.setattr(FORMATS, "_known", dict(FORMATS._known))
    path = tmp_path / "scan.raw"
    path.write_bytes(b"RAW1 and more")
    with pytest.raises(InputError, match="none of the formats bart, cmrxrecon, dicom, fastmri"):
        detect.sniff(path)
    begins = lambda path, begin: begin.startswith(b"RAW1")
    FORMATS.register(Format("raw", lambda path: [], begins, suffixes=(".raw",)))
    assert detect.sniff(path) == detect.sniff(tmp_path) == "raw"
    assert detect.entries(path) == [] and detect.origins(path) == {}
    path.write_bytes(b"damaged")
    with pytest.raises(InputError, match="is not what its name says"):
        detect.sniff(path)
    with pytest.raises(KeyError, match="registered twice"):
        FORMATS.register(Format("raw", lambda path: [], begins))


def test_formats_are_asked_by_priority():
    table = Formats()
    for name, priority in (("late", 2), ("b", 0), ("a", 0), ("middle", 1)):
        table.register(Format(name, lambda path: [], priority=priority))
    assert [one.name for one in table] == ["a", "b", "middle", "late"]


def test_images_are_no_measured_kspace(tmp_path):
    pytest.importorskip("nibabel")
    write.write_nifti(tmp_path / "a.nii", write.pictures())
    with pytest.raises(InputError, match="is nifti: images, no measured k-space; wanted bart, "):
        detect.measurements(tmp_path)
