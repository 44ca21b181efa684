"""Derived DICOM series: what they keep of the source, what they add, and that the values come back."""

import h5py
import numpy as np
import pytest

from jdmri.data import READERS
from jdmri.data.formats import detect
from jdmri.data.formats.dicom import entries
from jdmri.data.measurements import Measurement
from jdmri.errors import InputError
from jdmri.ops import fourier
from jdmri.scans import reconstruct, writers
from tests.helpers import format_files as write

pydicom = pytest.importorskip("pydicom")
xsd = pytest.importorskip("ismrmrd").xsd
datatype = pytest.importorskip("xsdata.models.datatype")

READ, PHASE = np.array([0.6, 0.8, 0.0]), np.array([-0.8, 0.6, 0.0])
STUDY, REFERENCE = "1.2.3.4", "1.2.3.9"


def identified(header, **more):
    """Add a person, a study and a device to an XML header."""
    known = xsd.CreateFromDocument(header)
    known.subjectInformation = xsd.subjectInformationType(
        patientName="Miller^Ann", patientID="M-17", patientGender="F",
        patientBirthdate=datatype.XmlDate(1980, 2, 3), patientWeight_kg=61.5,
    )  # fmt: skip
    known.studyInformation = xsd.studyInformationType(
        studyInstanceUID=STUDY, studyDate=datatype.XmlDate(2024, 5, 6), accessionNumber=7,
        studyTime=datatype.XmlTime(7, 8, 9), studyDescription="heart", bodyPartExamined="heart",
    )  # fmt: skip
    known.measurementInformation = xsd.measurementInformationType(
        patientPosition=xsd.patientPositionType.HFS, protocolName="cine", frameOfReferenceUID=REFERENCE
    )  # fmt: skip
    known.acquisitionSystemInformation.systemVendor = "SIEMENS"
    known.acquisitionSystemInformation.systemModel = "Aera"
    known.sequenceParameters = xsd.sequenceParametersType(TR=[2.9], TE=[1.2], flipAngle_deg=[60.0])
    for part, values in more.items():
        for name, value in values.items():
            setattr(getattr(known, part), name, value)
    return known.toXML("utf-8")


def place(path, **more):
    """Give the readouts of a file a place and time stamps, and its header a person."""
    with h5py.File(path, "a") as content:
        content["dataset/xml"][0] = identified(content["dataset/xml"][0], **more)
        data = content["dataset/data"][:]
        for one in data:
            head = one["head"]
            head["position"] = (10, -20, 8.0 * (1 - head["idx"]["slice"]))
            head["read_dir"], head["phase_dir"], head["slice_dir"] = READ, PHASE, (0, 0, 1)
            head["physiology_time_stamp"][0] = 4 + 20 * head["idx"]["phase"]
        content["dataset/data"][:] = data
    return path


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    """A file with all that can be known, and what is reconstructed from it: random, 4 x 12 x 10."""
    path = place(write.write_ismrmrd(tmp_path_factory.mktemp("placed") / "scan.h5", write.scan()))
    return path, list(detect.measurements(path)), np.split(cines(2), 2)


def cines(slices):
    rng = np.random.default_rng(0)
    shape = (slices, write.FRAMES, write.KY, write.KX)
    return ((rng.normal(size=shape) + 1j * rng.normal(size=shape)) * 3e-5).astype(np.complex64)


def written(folder, source, scans, cines, method="cg_sense"):
    output = folder / "out.dicom"
    writers.choose(output, source, method)(output, [c.reshape(c.shape[-3:]) for c in cines], scans)
    return output


def read_all(folder):
    return [pydicom.dcmread(f) for f in sorted(folder.iterdir())]


def test_values_order_and_spacing_come_back(placed, tmp_path):
    source, scans, images = placed
    output = written(tmp_path, source, scans, images)
    assert len(list(output.iterdir())) == 2 * write.FRAMES and not list(tmp_path.glob(".*"))
    found = [entry.load() for entry in entries(output)]
    assert len(found) == 2
    for one in found:
        assert len(one.warnings) == 1 and "derived" in one.warnings[0]
    step = max(np.abs(c).max() for c in images) / 65535
    # The reader sorts slices by place; the first of the source lies higher.
    for one, expected in zip(found, images[::-1], strict=True):
        np.testing.assert_allclose(one.frames, np.abs(expected[0]), atol=0.51 * step, rtol=1e-6)
        assert one.metadata["pixel_mm"] == "1.5 x 2"
        assert one.subject == scans[0].subject and "M-17" not in one.subject
    series = READERS["dicom"](path=str(output)).series
    np.testing.assert_allclose(series[0].cine, found[0].frames)


def test_what_the_source_says_is_kept(placed, tmp_path):
    source, scans, images = placed
    one = read_all(written(tmp_path, source, scans, images))[1]
    kept = {
        "PatientName": "Miller^Ann", "PatientID": "M-17", "PatientSex": "F", "PatientBirthDate": "19800203",
        "StudyInstanceUID": STUDY, "StudyDate": "20240506", "StudyTime": "070809", "AccessionNumber": "7",
        "StudyDescription": "heart", "BodyPartExamined": "HEART", "PatientPosition": "HFS",
        "FrameOfReferenceUID": REFERENCE, "Manufacturer": "SIEMENS", "ManufacturerModelName": "Aera",
        "MagneticFieldStrength": 1.5, "RepetitionTime": 2.9, "EchoTime": 1.2, "FlipAngle": 60,
        "SliceThickness": 8, "ProtocolName": "cine", "PatientWeight": 61.5,
    }  # fmt: skip
    assert {k: one[k].value for k in kept} == kept
    assert one.file_meta.MediaStorageSOPClassUID == pydicom.uid.MRImageStorage
    assert list(one.ImageType)[:2] == ["DERIVED", "SECONDARY"] and one.SamplesPerPixel == 1
    assert "cg_sense" in one.SeriesDescription and "not for diagnostic use" in one.SeriesDescription
    assert "cg_sense" in one.DerivationDescription and "diagnostic" in one.DerivationDescription


def test_places_and_times(placed, tmp_path):
    source, scans, images = placed
    files = read_all(written(tmp_path, source, scans, images))
    assert [float(one.TriggerTime) for one in files[: write.FRAMES]] == [10, 60, 110, 160]
    for index, one in enumerate(files):
        axes = np.reshape(np.array(one.ImageOrientationPatient, float), (2, 3))
        np.testing.assert_allclose(axes, [READ, PHASE], atol=1e-6)
        spacing = np.array(one.PixelSpacing, float)  # between rows, between columns
        np.testing.assert_allclose(spacing, [1.5, 2.0])
        middle = np.array(one.ImagePositionPatient, float)
        middle += (write.KX // 2) * spacing[1] * axes[0] + (write.KY // 2) * spacing[0] * axes[1]
        slice_index = index // write.FRAMES
        np.testing.assert_allclose(middle, [10, -20, 8 * (1 - slice_index)], atol=1e-5)
        assert one.InPlanePhaseEncodingDirection == "COL"
        assert one.InstanceNumber == index + 1


def test_identifiers_are_new_unique_and_repeatable(placed, tmp_path):
    source, scans, images = placed
    first = read_all(written(tmp_path / "a", source, scans, images))
    again = read_all(written(tmp_path / "b", source, scans, images))
    other = read_all(written(tmp_path / "c", source, scans, images, method="zero_filled"))
    uids = lambda files: [one.SOPInstanceUID for one in files]
    assert uids(first) == uids(again) and len(set(uids(first + other))) == 2 * len(first)
    assert len({one.SeriesInstanceUID for one in first}) == 1
    assert {one.StudyInstanceUID for one in first + other} == {STUDY}
    assert all(pydicom.uid.UID(uid).is_valid for uid in uids(first))
    assert all(one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID for one in first)


def test_a_source_that_says_nothing_gets_no_invented_values(tmp_path):
    path = write.write_bart(tmp_path / "scan.cfl", write.scan())
    scans = list(detect.measurements(path))
    output = written(tmp_path, path, scans, np.split(cines(2), 2))
    files = read_all(output)
    for one in files:
        assert one.SOPClassUID == pydicom.uid.SecondaryCaptureImageStorage
        for absent in (
            "PixelSpacing",
            "ImagePositionPatient",
            "TriggerTime",
            "MagneticFieldStrength",
            "EchoTime",
        ):
            assert absent not in one
        assert one.PatientID == "" and not one.PatientName and one.StudyDate == ""
    # Without places, slices are told apart by their series.
    assert len({one.SeriesInstanceUID for one in files}) == 2
    assert len({one.StudyInstanceUID for one in files}) == 1
    found = [entry.load() for entry in entries(output)]
    assert len(found) == 2 and "no trigger times" in " ".join(found[0].warnings)
    # The reader takes series in the order of their identifiers, which are digests.
    found, expected = (
        sorted(map(np.asarray, a), key=np.sum)
        for a in ([o.frames for o in found], np.abs(cines(2)))
    )
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_frame_times_alone_give_trigger_times(tmp_path):
    measured = Measurement(write.scan()[0], np.ones((write.FRAMES, write.KY, 1), bool), "a", "b", frame_time=40.0)  # fmt: skip
    files = read_all(written(tmp_path, None, [measured], cines(1)))
    assert [float(one.TriggerTime) for one in files] == [0, 40, 80, 120]


def test_two_echoes_of_one_place_are_two_series(tmp_path):
    path = place(write.write_ismrmrd(tmp_path / "scan.h5", write.scan(slices=1)))
    with h5py.File(path, "a") as content:
        data = content["dataset/data"][:]
        for one in data:
            one["head"]["idx"]["contrast"], one["head"]["idx"]["phase"] = one["head"]["idx"]["phase"] // 2, one["head"]["idx"]["phase"] % 2  # fmt: skip
        content["dataset/data"][:] = data
    scans = list(detect.measurements(path))
    files = read_all(written(tmp_path, path, scans, cines(2)[:, :2]))
    assert len(scans) == 2 and len({one.SeriesInstanceUID for one in files}) == 2


@pytest.mark.parametrize("vendor", ["GE", "SIEMENS"])
def test_time_stamps_count_where_their_unit_is_known(tmp_path, vendor):
    path = write.write_ismrmrd(tmp_path / "scan.h5", write.scan(slices=1))
    place(path, acquisitionSystemInformation={"systemVendor": vendor})
    (one,) = detect.origins(path).values()
    assert one.times == ((10, 60, 110, 160) if vendor == "SIEMENS" else ())


def test_what_dicom_cannot_hold_is_left_out_and_nobody_named(tmp_path, caplog):
    path = write.write_ismrmrd(tmp_path / "scan.h5", write.scan(slices=1))
    place(
        path,
        studyInformation={"studyInstanceUID": "no identifier"},
        subjectInformation={"patientID": "M" * 99},
    )
    with caplog.at_level("INFO", "jdmri"):
        (one, *_) = read_all(written(tmp_path, path, list(detect.measurements(path)), cines(1)))
    assert one.PatientID == "" and pydicom.uid.UID(one.StudyInstanceUID).is_valid
    assert "PatientID is no valid" in caplog.text and "MMM" not in caplog.text


def test_crooked_directions_are_not_believed(tmp_path):
    path = place(write.write_ismrmrd(tmp_path / "scan.h5", write.scan(slices=1)))
    with h5py.File(path, "a") as content:
        data = content["dataset/data"][:]
        for one in data:
            one["head"]["phase_dir"] = READ
        content["dataset/data"][:] = data
    (origin,) = detect.origins(path).values()
    assert (
        origin.center is None and origin.directions is None and origin.tags["PatientID"] == "M-17"
    )


def test_people_of_fastmri_are_kept_in_dicom_alone(tmp_path):
    path = write.write_fastmri(tmp_path / "file.h5", write.scan(frames=1), patient="p-secret")
    scans = list(detect.measurements(path))
    assert scans[0].subject.startswith("subject-") and "secret" not in repr(scans[0])
    files = read_all(written(tmp_path, path, scans, cines(2)[:, :1]))
    assert {one.PatientID for one in files} == {"p-secret"} and files[0].SliceThickness == 8


def test_nothing_is_left_of_a_failure(placed, tmp_path, monkeypatch):
    source, scans, images = placed
    saved = []
    original = pydicom.dataset.FileDataset.save_as

    def fail(self, path, **settings):
        saved.append(path)
        if len(saved) == 3:
            raise OSError(28, "No space left on device")
        original(self, path, **settings)

    monkeypatch.setattr(pydicom.dataset.FileDataset, "save_as", fail)
    with pytest.raises(OSError, match="No space"):
        written(tmp_path, source, scans, images)
    assert len(saved) == 3 and not list(tmp_path.iterdir())


def test_names_that_are_refused(tmp_path, placed):
    with pytest.raises(InputError, match=r"\.dicom; DICOM is a folder, NAME\.dicom"):
        writers.choose(tmp_path / "out.dcm")
    (tmp_path / "there.dicom").mkdir()
    with pytest.raises(InputError, match="exists"):
        writers.choose(tmp_path / "there.dicom", placed[0])


def test_a_scan_is_reconstructed_into_dicom(tmp_path):
    cine = cines(1)[0]
    kspace = np.asarray(fourier.fftc(cine))[None, :, None]
    path = write.write_ismrmrd(tmp_path / "scan.h5", kspace, noise=False)
    output = tmp_path / "out.dicom"
    said = reconstruct.reconstruct_scan(place(path), output, method="view_sharing")
    assert "1 slice(s) are in" in said
    (one,) = [entry.load() for entry in entries(output)]
    error = np.linalg.norm(one.frames - np.abs(cine)) / np.linalg.norm(cine)
    assert one.frames.shape == cine.shape and error < 1e-4
