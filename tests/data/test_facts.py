"""What is known of a data set is stated in fields; the words of a warning decide nothing."""

import dataclasses

import h5py
import numpy as np
import pytest

from configs import default
from jdmri.data import references
from jdmri.data.formats import bart, npz_kspace, skmtea, store
from jdmri.data.measurements import Entry, Images, Measurement
from jdmri.data.records import Dataset, Facts, Series
from jdmri.evaluation import card
from jdmri.scans.convert import convert
from tests.helpers import format_files as write

WORDS = ("", "subject", "who was scanned is not written down", "maps estimated")


def measurement(**about):
    kspace = write.scan(coils=1)[0]
    return Measurement(kspace, np.ones((write.FRAMES, write.KY, 1), bool), "a", "b", **about)


def images(**about):
    return Images(write.pictures()[0], "a", "b", {}, **about)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("known", [False, True])
def test_no_words_decide_whether_subjects_are_known(tmp_path, known, words):
    about = {"subject_known": known, "warnings": (words,)}
    entry = Entry("a", lambda: measurement(**about))
    facts = [references.measured_dataset("a", [entry], True).facts]
    facts.append(references.image_dataset("a", [images(**about)], "none", True).facts)
    for name, one in (("k.h5", measurement(**about)), ("i.h5", images(**about))):
        store.begin(tmp_path / name)
        store.write(tmp_path / name, 0, one)
        facts.append(store.store(path=str(tmp_path / name)).facts)
    assert all(one.subjects_known is known and words in one.warnings for one in facts)
    assert {one.maps for one in facts} == {"none"}


@pytest.mark.parametrize("reader", [bart, npz_kspace, skmtea], ids=lambda reader: reader.__name__)
def test_a_reader_may_rephrase_its_warnings(tmp_path, monkeypatch, reader):
    monkeypatch.setattr(reader, "_WARNINGS", ("said in other words",))
    kspace = write.scan(frames=2, coils=1)
    if reader is bart:
        source = write.write_bart(tmp_path / "a.cfl", kspace)
    elif reader is skmtea:
        source = write.write_skmtea(tmp_path / "a.h5", kspace)
    else:
        source = tmp_path / "a.npz"
        np.savez(source, kspace=kspace[0])
    convert(source, tmp_path / "store.h5")
    facts = store.store(path=str(tmp_path / "store.h5")).facts
    assert not facts.subjects_known and "said in other words" in facts.warnings


@pytest.mark.parametrize("known", [False, True])
def test_a_store_of_before_says_it_in_a_sentence(tmp_path, known):
    path = tmp_path / "store.h5"
    warnings = (
        () if known else ("a .cfl does not name the subject: each file counts as one subject",)
    )
    store.begin(path)
    store.write(path, 0, measurement(warnings=warnings))
    with h5py.File(path, "a") as content:
        del content["series/00000"].attrs["subject_known"]
    assert store.store(path=str(path)).facts.subjects_known is known


@pytest.mark.parametrize(
    ("maps", "coils", "said"),
    [
        ("none", (1,), "single coil"),
        ("given", (8,), "8 simulated coils"),
        ("estimated", (1, 8), "1 or 8 coils, maps estimated"),
    ],
)
@pytest.mark.parametrize("words", WORDS)
def test_the_card_says_what_the_fields_are(maps, coils, said, words):
    ones = np.ones((2, 4, 4), np.complex64)
    series = Series(ones, ones[: max(coils)], "a", "b")
    facts = Facts("f", complex=True, subjects_known=True, coils=coils, maps=maps, warnings=(words,))
    dataset = Dataset((series,), "d", facts)
    assert card._data(dataset) == {
        "source": "f",
        "complex": True,
        "noise_free_reference": False,
        "coils": said,
        "subjects_known": True,
        "warnings": [words],
        "name": "d",
        "matrix": [[2, 4, 4]],
    }
    of_all = "ESPIRiT" in card._coil_maps(default.get_config(), dataset)
    assert of_all is (maps == "estimated")
    compressed = dataclasses.replace(facts, phase="none", coil_compression="to 10")
    stated = card._data(Dataset((series,), "d", compressed))
    assert stated["phase"] == "none" and stated["coil_compression"] == "to 10"
