"""The reader study: blinding, the key apart, refusals, and rankings known beforehand."""

import base64
import csv
import hashlib
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from jdmri.errors import InputError
from jdmri.studies import reading
from jdmri.studies.reading import (
    agreement,
    blinding,
    images,
    key,
)
from jdmri.studies.reading.criteria import COLUMNS, CRITERIA
from tests.helpers.readings import METHODS, case


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    reading.make(folder, [case(i) for i in range(20)], seed=0)
    return folder


def row_of(secret, name, one, letter, rank, score=4):
    scores = {c.name: score for c in CRITERIA}
    row = {"study": secret.study, "reader": name, "case": one.case, "repeat": one.repeat}
    return row | scores | {"letter": letter, "rank": rank, "comment": "sharp, but noisy", "seconds": 12.5}  # fmt: skip


def answer(path, secret, name, ranking, edit=lambda rows: rows):
    """Write a reader's file; ``ranking(presentation)`` gives method → rank."""
    rows = [
        row_of(secret, name, one, letter, ranking(one)[method], score=6 - ranking(one)[method])
        for one in secret.presentations
        for letter, method in one.letters.items()
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(edit(rows))
    return path


def in_order(one):
    return {m: i + 1 for i, m in enumerate(METHODS)}


def at_random(seed):
    def ranking(one):
        rng = np.random.default_rng([seed, one.case, one.repeat])
        return dict(zip(METHODS, (rng.permutation(len(METHODS)) + 1).tolist(), strict=True))

    return ranking


def test_the_page_names_no_method_series_or_subject_and_asks_for_nothing(study):
    page = (study / "reader.html").read_text("utf-8")
    for word in ("secret", "patient", "series0", "series1", str(study), "://", "url(", "@import"):
        assert word not in page, word
    assert "default-src 'none'" in page and "unsafe" not in page
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        source = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{source}'" in page


def test_pictures_carry_no_metadata_and_lose_nothing(study):
    page, secret = (study / "reader.html").read_text("utf-8"), key.read(study)
    pictures = re.findall(r'id="picture-(\d+)">([^<]+)<', page)
    assert [int(number) for number, _ in pictures] == list(range(20 * 5))
    first = secret.presentations[0]
    gray = images.gray(case(int(first.name[-2:])))
    for (_, text), method in zip(pictures, [None, *first.letters.values()], strict=False):
        data = base64.b64decode(text)
        assert not {b"EXIF", b"XMP ", b"ICCP"} & {data[i : i + 4] for i in range(len(data))}
        sheet = np.asarray(Image.open(io.BytesIO(data)))[..., 0]
        assert sheet.shape == (2 * 12, 3 * 10)
        np.testing.assert_array_equal(sheet[12:, 10:20], gray[method][4])


def test_the_key_lies_apart_and_belongs_to_the_page(study):
    assert sorted(p.name for p in study.iterdir() if p.name != "analysis") == ["key", "reader.html"]
    content = json.loads((study / "key" / "key.json").read_text())
    page = (study / "reader.html").read_bytes()
    assert "do not give it to readers" in content["warning"]
    assert content["page_sha256"] == hashlib.sha256(page).hexdigest()
    assert content["study"].encode() in page and content["seed"] == 0
    for one in content["presentations"]:
        assert list(one["letters"]) == list("ABCD")
        assert sorted(one["letters"].values()) == sorted(METHODS)


def test_a_seed_and_the_pictures_make_the_order(tmp_path):
    cases = [case(i) for i in range(6)]
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        reading.make(tmp_path / name, cases, seed=seed)
    reading.make(tmp_path / "d", [case(i, order=-1) for i in range(6)], seed=1)
    pages = {name: (tmp_path / name / "reader.html").read_bytes() for name in "abcd"}
    assert (
        pages["a"] == pages["b"] == pages["d"] != pages["c"]
    )  # nor does the order of methods count
    a, c = key.read(tmp_path / "a"), key.read(tmp_path / "c")
    assert a.study != c.study and a.presentations != c.presentations


def test_letters_are_dealt_anew_and_every_tenth_case_comes_twice():
    cases = [case(i, shape=(1, 2, 2)) for i in range(30)]
    shown = blinding.plan(cases, np.random.default_rng(0))
    orders = {tuple(one.letters.values()) for one in shown}
    assert len(orders) > 10 and [s.name for s in shown] != sorted(s.name for s in shown)
    assert {one.letters["A"] for one in shown} == set(METHODS)
    again = [(i, one) for i, one in enumerate(shown) if one.repeat]
    assert len(again) == 3 and len(shown) == 33
    for i, one in again:
        first = next(j for j, other in enumerate(shown) if other.case == one.case)
        assert i - first > 3 and shown[first].letters != one.letters
    assert [blinding.num_repeats(n) for n in (1, 4, 5, 14, 25)] == [0, 0, 1, 1, 2]
    for n in (5, 6, 7):
        for seed in range(20):
            assert len(blinding.plan(cases[:n], np.random.default_rng(seed))) == n + 1


def test_a_case_has_one_window():
    one = case(0)
    gray = images.gray(one)
    white = np.percentile(one.reference, 99.5) * images.HEADROOM
    for name, array in one.candidates.items():
        wanted = np.clip(np.abs(array) / white, 0, 1) * 255
        assert np.abs(gray[name] - wanted).max() <= 0.5001
    alone = images.gray(case(0, reference=False))
    assert None not in alone and alone[METHODS[3]].max() > alone[METHODS[0]].max()
    assert not images.gray(reading.Case("dark", "s", None, {"a": np.zeros((1, 2, 2)), "b": np.zeros((1, 2, 2))}))["a"].any()  # fmt: skip


def wrong(**changes):
    one = case(0)
    fields = {"name": one.name, "subject": one.subject, "reference": one.reference, "candidates": one.candidates}  # fmt: skip
    return reading.Case(**(fields | changes))


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([], "at least 1 case"),
        ([case(0), case(0)], "'series00' comes twice"),
        ([case(0, methods=METHODS[:1])], "2 to 9 methods, got 1"),
        ([case(0, methods=[f"m{i}" for i in range(10)])], "2 to 9 methods, got 10"),
        ([case(0), case(1, methods=METHODS[:3])], "every case must show the methods"),
        ([wrong(reference=np.ones((5, 12, 11)))], r"one shape \[frame, y, x\], got \[5, 12, 10\] beside"),
        ([wrong(reference=None, candidates={"a": np.ones((3, 4)), "b": np.ones((3, 4))})], "one shape"),
        ([wrong(reference=np.full((5, 12, 10), np.nan))], "'series00', reference: values must be finite"),
        ([wrong(reference=None, candidates={m: np.ones((1, 1, 17000)) for m in "ab"})], "do not fit on one picture"),
    ],
)  # fmt: skip
def test_cases_that_cannot_be_shown_are_refused(tmp_path, cases, message):
    with pytest.raises(InputError, match=message):
        reading.make(tmp_path, cases, seed=0)
    assert not list(tmp_path.iterdir())


def test_a_study_is_not_overwritten_and_a_changed_page_is_noticed(tmp_path):
    said = reading.prepare([case(0), case(1)], tmp_path, 3)
    assert "2 cases of 4 methods: give it to the readers" in said and "key.json" in said
    with pytest.raises(InputError, match="holds a reader study already; choose another folder"):
        reading.make(tmp_path, [case(0)], seed=0)
    with pytest.raises(InputError, match="seed must be 0 or more"):
        reading.make(tmp_path / "new", [case(0)], seed=-1)
    with pytest.raises(InputError, match="holds no reader study"):
        reading.analyse(tmp_path / "nothing", [])
    with pytest.raises(InputError, match="no answers were given"):
        reading.analyse(tmp_path, [])
    page = tmp_path / "reader.html"
    page.write_text(page.read_text("utf-8") + " ", "utf-8")
    with pytest.raises(InputError, match="is not the page of"):
        reading.analyse(tmp_path, [])
    (tmp_path / "key" / "key.json").write_text("{}")
    with pytest.raises(InputError, match="is not the key of a reader study"):
        reading.analyse(tmp_path, [])


def change(index, **fields):
    def edit(rows):
        rows[index] |= {k: v for k, v in fields.items()}
        return rows

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (change(3, study="feedbeef"), "row 5: the study must be .*, got 'feedbeef'"),
        (change(0, reader=""), "row 2: the reader is not named"),
        (change(1, reader="R2"), "row 3: the file mixes readers"),
        (change(0, case=99), "row 2: case must be a whole number from 1 to 20, got '99'"),
        (change(0, letter="E"), "row 2: the study does not show case .*, candidate 'E'"),
        (change(0, repeat=2), "repeat must be a whole number from 0 to 1"),
        (change(2, rank=5), "row 4: rank must be a whole number from 1 to 4, got '5'"),
        (change(2, rank=0), "from 1 to 4, got '0'"),
        (change(2, rank="1.5"), "from 1 to 4, got '1.5'"),
        (change(2, rank=""), "from 1 to 4, got ''"),
        (change(2, border="6"), "row 4: border must be a whole number from 1 to 5, got '6'"),
        (change(2, seconds="-3"), "seconds must be a number from 0, got '-3'"),
        (lambda rows: rows[1:], r"answers\.csv: no row answers case 1, candidate 'A'"),
        (lambda rows: [], "no row answers .* and 87 more"),
        (lambda rows: [*rows, rows[0]], "row 90: case 1, candidate 'A' is answered twice"),
    ],
)
def test_answers_that_cannot_be_used_are_refused(study, tmp_path, edit, message):
    path = answer(tmp_path / "answers.csv", key.read(study), "R1", in_order, edit)
    with pytest.raises(InputError, match=message) as refusal:
        reading.analyse(study, [path])
    assert "\n" not in str(refusal.value)


def test_files_that_are_no_answers_are_refused(study, tmp_path):
    secret = key.read(study)
    paths = [answer(tmp_path / f"{n}.csv", secret, "R1", in_order) for n in "ab"]
    with pytest.raises(InputError, match=r"b\.csv and .*a\.csv are both of reader 'R1'"):
        reading.analyse(study, paths)
    with pytest.raises(InputError, match="cannot be read"):
        reading.analyse(study, [tmp_path / "none.csv"])
    text = paths[0].read_text()
    paths[0].write_text(text.replace(",", ";"))
    with pytest.raises(InputError, match="row 1: the columns must be study,reader"):
        reading.analyse(study, paths[:1])
    paths[0].write_text(text.replace(",12.5", "", 1))
    with pytest.raises(InputError, match="row 2: a row has 12 fields"):
        reading.analyse(study, paths[:1])


def test_a_method_that_is_always_best_is_found(study, tmp_path):
    secret = key.read(study)
    paths = [answer(tmp_path / f"{n}.csv", secret, n, in_order) for n in ("R1", "R2")]
    result = reading.analyse(study, paths)
    order = [result.judgements.methods.index(m) for m in METHODS]
    np.testing.assert_allclose(result.comparison.mean_ranks[order], [1, 2, 3, 4])
    assert result.comparison.n == 20 and result.comparison.friedman.p < 1e-6
    assert len(result.comparison.significant) == 6
    assert result.agreement["between"]["kendall_w"] == pytest.approx(1)
    assert result.agreement["within"]["R1"]["spearman"] == pytest.approx(1)
    assert "cascade_secret      1.00 ± 0.00  100 %  5.00 ± 0.00" in result.table
    assert "Kendall's W 1.00" in result.table and "2 repeated cases" in result.table
    folder = study / "analysis"
    assert {"ranks.csv", "scores.csv", "statistics.json", "rank_histogram.png", "pair_graph.png"} == {p.name for p in folder.iterdir()}  # fmt: skip
    numbers = json.loads((folder / "statistics.json").read_text())
    assert numbers["methods"]["cascade_secret"]["share_of_rank_1"] == 1
    assert numbers["friedman"]["f"] is None and len(numbers["pairs"]) == 6  # F has no limit here
    with (folder / "ranks.csv").open() as file:
        ranks = list(csv.DictReader(file))
    assert len(ranks) == 80 and ranks[0] == {"case": "series00", "subject": "patient00", "method": "cascade_secret", "mean_rank": "1.0000"}  # fmt: skip
    with (folder / "scores.csv").open() as file:
        scores = list(csv.DictReader(file))
    assert len(scores) == 2 * 22 * 4 and scores[0]["comment"] == "sharp, but noisy"
    assert str(folder) in reading.evaluate_answers(study, paths)


def test_readers_who_guess_find_nothing_and_do_not_agree(study, tmp_path):
    secret = key.read(study)
    paths = [answer(tmp_path / f"{i}.csv", secret, f"R{i}", at_random(i)) for i in range(3)]
    result = reading.analyse(study, paths)
    assert result.comparison.friedman.p > 0.1 and not result.comparison.significant
    assert 0.2 < result.agreement["between"]["kendall_w"] < 0.5  # 1 / number of readers by chance


def test_a_case_shown_again_does_not_count(study, tmp_path):
    """A reader who turns every ranking round the second time: same ranks, agreement −1."""
    secret = key.read(study)

    def contrary(one):
        return {m: 5 - r for m, r in in_order(one).items()} if one.repeat else in_order(one)

    result = reading.analyse(study, [answer(tmp_path / "a.csv", secret, "R1", contrary)])
    assert sorted(result.comparison.mean_ranks) == [1, 2, 3, 4]
    within = result.agreement["within"]["R1"]
    assert within["spearman"] == pytest.approx(-1) and within["weighted_kappa"] == pytest.approx(-1)
    assert result.agreement["between"]["kendall_w"] is None and "there is one" in result.table


def test_the_subject_is_the_unit_and_ties_share_their_places(tmp_path):
    cases = [case(i, methods=METHODS[:2], subject=f"s{min(i, 1)}") for i in range(4)]
    reading.make(tmp_path, cases, seed=0)
    secret = key.read(tmp_path)

    def ranking(one):
        ranks = {"series00": (1, 1), "series01": (1, 2), "series02": (1, 2), "series03": (2, 1)}
        return dict(zip(METHODS, ranks[one.name], strict=False))

    result = reading.analyse(tmp_path, [answer(tmp_path / "a.csv", secret, "R1", ranking)])
    np.testing.assert_allclose(result.comparison.values, [[1.5, 1.5], [4 / 3, 5 / 3]])
    assert result.comparison.refused in result.table  # two subjects decide nothing
    assert "4 cases of 2 subjects, 0 shown twice" in result.table


def test_kendalls_w():
    """By hand (sums 8, 14, 11, 11, 11, 8, so S = 25.5), and by Friedman's χ² = m (k − 1) W with ties."""
    ranks = np.array([[1, 6, 3, 2, 5, 4], [1, 5, 6, 4, 2, 3], [6, 3, 2, 5, 4, 1]])
    assert agreement.kendall_w(ranks) == pytest.approx(12 * 25.5 / (3**2 * (6**3 - 6)))
    tied = np.array([[1, 2, 2, 4], [1, 1, 3, 4], [2, 1, 3, 3], [4, 1, 2, 2]])
    chi2 = stats.friedmanchisquare(*tied.T).statistic
    assert agreement.kendall_w(tied) == pytest.approx(chi2 / (4 * 3))
    assert agreement.kendall_w(np.array([[1, 2, 3], [3, 2, 1]])) == 0
    assert agreement.kendall_w(np.array([[1, 2, 3]])) is None
    assert agreement.kendall_w(np.ones((2, 3))) is None


def test_weighted_kappa_and_spearman():
    """By the table of weights: observed and expected disagreement (i − j)²."""
    first, second = np.array([1, 2, 3, 3, 5]), np.array([1, 3, 3, 2, 4])
    table = np.zeros((6, 6))
    np.add.at(table, (first, second), 1 / 5)
    weights = np.subtract.outer(np.arange(6), np.arange(6)) ** 2
    expected = np.outer(table.sum(1), table.sum(0))
    wanted = 1 - (weights * table).sum() / (weights * expected).sum()
    assert agreement.weighted_kappa(first, second) == pytest.approx(wanted)
    assert agreement.weighted_kappa(np.ones(3), np.ones(3)) is None
    assert agreement.spearman(first, second) == pytest.approx(stats.spearmanr(first, second)[0])
    assert agreement.spearman(np.ones(3), np.arange(3)) is None
