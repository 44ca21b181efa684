"""Readers, splits, phases, and the phantom."""

import dataclasses
import io
import json
import zipfile

import jax
import numpy as np
import pytest

from jdmri.data.formats.npz_images import npz
from jdmri.data.formats.phantom import phantom
from jdmri.data.records import Dataset, Facts, Series
from jdmri.data.splits import PARTS, holdout, kfold, most_diverse
from jdmri.errors import InputError
from jdmri.phantom import GENERATOR_VERSION, simulate
from tests.helpers.arrays import complex_normal

FACTS = Facts("fake", complex=True, subjects_known=True)


def fake(num_subjects, per_subject=1):
    cine, maps = np.zeros((2, 4, 4), np.complex64), np.ones((1, 4, 4), np.complex64)
    series = tuple(
        Series(cine, maps, f"{s}-{i}", f"subject-{s:03d}")
        for s in range(num_subjects)
        for i in range(per_subject)
    )
    return Dataset(series, "fake", FACTS)


@pytest.mark.parametrize(
    ("ratios", "sizes"), [((4, 1, 2), (114, 29, 57)), ((5, 1, 2), (125, 25, 50))]
)
def test_split_sizes_are_the_published_ones(ratios, sizes):
    parts = holdout(ratios=ratios)(fake(200))
    assert tuple(map(len, parts.values())) == sizes
    names = [s.name for part in parts.values() for s in part]
    assert len(set(names)) == 200


def test_no_subject_is_on_two_sides():
    parts = holdout(seed=1)(fake(10, per_subject=3))
    subjects = [{s.subject for s in part} for part in parts.values()]
    assert (
        not subjects[0] & subjects[1]
        and not subjects[0] & subjects[2]
        and not subjects[1] & subjects[2]
    )
    assert sum(map(len, parts.values())) == 30
    again = holdout(seed=1)(fake(10, per_subject=3))
    other = holdout(seed=2)(fake(10, per_subject=3))
    names = lambda parts: [s.name for s in parts["test"]]
    assert names(parts) == names(again) != names(other)


@pytest.mark.parametrize("ratios", [(4, 1), (-1, 1, 1), (0, 0, 0)])
def test_wrong_ratios_are_refused(ratios):
    with pytest.raises(InputError, match="three numbers"):
        holdout(ratios=ratios)


def test_an_empty_split_is_refused_unless_wanted():
    with pytest.raises(
        InputError, match=r"2 subject.s. split 4:1:2 leave the validation split empty"
    ):
        holdout()(fake(2))
    assert holdout(ratios=(1, 0, 1))(fake(2))["validation"] == ()


def named(parts):
    return {part: {s.subject for s in parts[part]} for part in PARTS}


@pytest.mark.parametrize(("num_folds", "count"), [(5, 5), (0, 11)])
def test_every_subject_is_tested_in_exactly_one_fold(num_folds, count):
    dataset = fake(11, per_subject=2)
    tested = []
    for fold in range(count):
        parts = named(kfold(num_folds=num_folds, fold=fold)(dataset))
        assert len(set.union(*parts.values())) == sum(map(len, parts.values())) == 11
        assert parts["validation"] and parts["train"]
        tested += parts["test"]
    assert sorted(tested) == sorted({s.subject for s in dataset.series})
    with pytest.raises(InputError, match="does not exist"):
        kfold(num_folds=num_folds, fold=count)(dataset)


@pytest.mark.parametrize("scheme", [holdout(stratify="sex"), kfold(num_folds=4, fold=1, stratify="sex")])  # fmt: skip
def test_a_stratified_split_has_like_shares_of_each_stratum(scheme):
    series = fake(40).series
    sexes = ["female" if i % 4 == 0 else "male" for i in range(40)]
    marked = tuple(dataclasses.replace(s, metadata={"sex": sex}) for s, sex in zip(series, sexes, strict=True))  # fmt: skip
    for part in scheme(Dataset(marked, "fake", FACTS)).values():
        share = np.mean([s.metadata["sex"] == "female" for s in part])
        assert abs(share * len(part) - len(part) / 4) <= 1


def test_stratifying_by_what_is_not_known_is_refused():
    with pytest.raises(InputError, match=r"stratify='sex'.*does not say; known of it: nothing"):
        holdout(stratify="sex")(fake(10))
    two = fake(3, per_subject=2).series
    two = tuple(dataclasses.replace(s, metadata={"site": s.name[-1]}) for s in two)
    with pytest.raises(InputError, match="two values"):
        holdout(stratify="site")(Dataset(two, "fake", FACTS))


def series_array(dtype=np.float32):
    rng = np.random.default_rng(0)
    real = rng.uniform(1, 5, (3, 4, 8, 6))
    return (real + 1j * real[::-1] if np.issubdtype(dtype, np.complexfloating) else real).astype(
        dtype
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.complex64, np.complex128])
@pytest.mark.parametrize("layout", ["dataset", "single", "npy"])
def test_npz_reads_the_seeds_layout(tmp_path, dtype, layout):
    array, path = series_array(dtype), tmp_path / ("cine.npy" if layout == "npy" else "cine.npz")
    if layout == "npy":
        np.save(path, array)
    else:
        np.savez(path, **{"dataset" if layout == "dataset" else "x": array})
    dataset = npz(path=str(path))
    assert dataset.name == "cine" and len(dataset) == 3
    np.testing.assert_allclose(dataset.series[1].cine, array[1].astype(np.complex64))
    assert dataset.series[0].maps.shape == (1, 8, 6)
    assert dataset.facts.complex == np.iscomplexobj(array)
    assert any("subject" in w for w in dataset.facts.warnings)
    assert any("Shimron" in w for w in dataset.facts.warnings) != np.iscomplexobj(array)


def test_npz_subjects_and_phase_encoding_axis(tmp_path):
    array, path = series_array(), tmp_path / "cine.npz"
    np.savez(path, dataset=array, subject=np.array(["a", "a", "b"]))
    dataset = npz(path=str(path), phase_encoding_axis=3)
    assert [s.subject for s in dataset.series] == ["a", "a", "b"]
    np.testing.assert_allclose(dataset.series[0].cine, array[0].swapaxes(1, 2))
    assert not any("subject" in w for w in dataset.facts.warnings)


@pytest.mark.parametrize("kind", ["polynomial", "measured"])
def test_npz_phase_is_smooth_and_keeps_the_magnitude(tmp_path, kind):
    array, path = np.ones((2, 3, 32, 24), np.float32), tmp_path / "cine.npz"
    np.savez(path, dataset=array)
    if kind == "measured":
        y, x = np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 36), indexing="ij")
        np.savez(tmp_path / "p.npz", a=np.exp(2j * y - 1j * x)[None].astype(np.complex64))
    dataset = npz(path=str(path), phase=kind if kind == "polynomial" else str(tmp_path / "p.npz"))
    cine = dataset.series[0].cine
    np.testing.assert_allclose(np.abs(cine), 1, rtol=1e-5)
    step = np.angle(cine[0, 1:] * cine[0, :-1].conj())
    assert np.abs(step).max() < 0.6 and np.abs(np.angle(cine)).max() > 0.3
    if (
        kind == "measured"
    ):  # 2 rad a half field of view along y: 2 · 2 / 31 a pixel, away from the border
        np.testing.assert_allclose(np.median(step[8:-8]), 4 / 31, rtol=0.15)


def bad_files():
    good = io.BytesIO()
    np.savez(good, dataset=series_array())
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    save = lambda **arrays: (lambda b: (np.savez(b, **arrays), b.getvalue())[1])(io.BytesIO())
    poisoned, zero = series_array(), series_array()
    poisoned[1, 2, 3, 4], zero[2] = np.nan, 0
    return {
        "truncated": (good.getvalue()[:900], "cannot read"),
        "garbage": (b"not a zip file", "cannot read"),
        "nothing": (b"", "cannot read"),
        "no arrays": (empty.getvalue(), "'dataset' or a single array"),
        "two arrays": (save(a=np.ones(3), b=np.ones(3)), "'dataset' or a single array"),
        "objects": (save(dataset=np.array([{}], object)), "never unpickled"),
        "three axes": (save(dataset=np.ones((3, 4, 5))), "shape .3, 4, 5.; wanted"),
        "empty": (save(dataset=np.ones((0, 4, 5, 6))), "wanted"),
        "words": (save(dataset=np.array([[[["a"]]]])), "real or complex numbers"),
        "nan": (save(dataset=poisoned), "1 values that are not finite, the first at .1, 2, 3, 4."),
        "zero": (save(dataset=zero), "series 2 is zero everywhere"),
        "subjects": (save(dataset=series_array(), subject=np.arange(2)), "shape .2,., wanted .3,."),
    }


@pytest.mark.parametrize("name", list(bad_files()))
def test_bad_files_get_one_clear_line(tmp_path, name):
    content, message = bad_files()[name]
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        npz(path=str(path))
    assert "bad.npz" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (dict(path="none.npz"), "no file 'none.npz'.*--config.data.path"),
        (dict(phase_encoding_axis=1), "must be 2 or 3"),
        (dict(phase="none.npz"), "no file 'none.npz'"),
    ],
)
def test_wrong_reader_settings(tmp_path, fields, message):
    np.savez(tmp_path / "cine.npz", dataset=series_array())
    with pytest.raises(InputError, match=message):
        npz(**{"path": str(tmp_path / "cine.npz")} | fields)
    np.savez(tmp_path / "complex.npz", dataset=series_array(np.complex64))
    with pytest.raises(InputError, match="is for real data"):
        npz(path=str(tmp_path / "complex.npz"), phase="polynomial")


SIZE = dict(num_frames=6, matrix=(24, 21))


def test_phantom_cache(tmp_path, capfd):
    make = lambda: phantom(num_series=2, cache_dir=str(tmp_path), **SIZE)
    fresh = make()
    assert "phantom" in capfd.readouterr().err
    cached = make()
    assert "phantom" not in capfd.readouterr().err
    (path,) = tmp_path.glob("*.npz")
    path.write_bytes(path.read_bytes()[:1000])
    repaired = make()
    for other in (cached, repaired):
        for a, b in zip(fresh.series, other.series, strict=True):
            np.testing.assert_array_equal(a.cine, b.cine)
    assert fresh.series[0].subject != fresh.series[1].subject
    larger = phantom(num_series=3, cache_dir=str(tmp_path), **SIZE)
    np.testing.assert_array_equal(larger.series[1].cine, fresh.series[1].cine)
    expected = simulate(jax.random.fold_in(jax.random.key(0), 1), **SIZE)
    np.testing.assert_array_equal(fresh.series[1].cine, expected.cine)


def test_a_new_generator_makes_the_cached_phantoms_again(tmp_path, monkeypatch):
    make = lambda: phantom(num_series=1, cache_dir=str(tmp_path), **SIZE)
    make()
    (path,) = tmp_path.glob("*.npz")
    with np.load(path) as stored:
        assert json.loads(str(stored["settings"]))["version"] == GENERATOR_VERSION
    monkeypatch.setattr("jdmri.data.formats.phantom.GENERATOR_VERSION", GENERATOR_VERSION + 1)
    make()
    assert len(list(tmp_path.glob("*.npz"))) == 2


@pytest.mark.parametrize(
    "fields", [dict(num_series=0), dict(num_frames=1), dict(matrix=(4, 9)), dict(num_coils=0)]
)
def test_impossible_phantoms_are_refused(tmp_path, fields):
    with pytest.raises(InputError, match="a phantom needs"):
        phantom(**{"num_series": 2, "cache_dir": str(tmp_path), **SIZE} | fields)


def test_the_most_diverse_series_leave_out_look_alikes(key):
    looks = np.asarray(complex_normal(key, (3, 4, 20, 24)))
    alike = [looks[0], looks[0] * 1.001, looks[1], looks[1] * 0.7, looks[2], looks[0] * 2]
    series = [
        Series(c, np.ones((1, 20, 24), np.complex64), str(i), str(i)) for i, c in enumerate(alike)
    ]
    chosen = most_diverse(series, 3)
    assert sorted(int(s.name) for s in chosen)[0] == 0
    assert {0 if s.name in "015" else 1 if s.name in "23" else 2 for s in chosen} == {0, 1, 2}
    assert most_diverse(series, 0) == most_diverse(series, 9) == tuple(series)
