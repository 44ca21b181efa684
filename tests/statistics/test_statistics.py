"""The statistics of a study against published examples, scipy, scikit-posthocs and enumeration; its tables and figures."""

import csv
import io
import itertools
import re

import numpy as np
import pytest
from scipy import stats

from jdmri.errors import InputError
from jdmri.report.figures import cines, distributions, significance
from jdmri.report.tables import latex, pairs, results
from jdmri.statistics import describe, many_methods, two_methods

# AUC of C4.5, C4.5+m, C4.5+cf, C4.5+m+cf on 14 data sets: Demšar 2006, table 6. The shown digits of
# "voting" tie where the published ranks do not; its last score is lowered by half a digit.
DEMSAR = np.array([
    [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.975, 0.9745], [0.957, 0.978, 0.946, 0.970],
])  # fmt: skip
# Depression before and after the first visit: Hollander and Wolfe 1999, table 3.1.
BEFORE = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
AFTER = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])


def scores(rng, n, k, step=1.0, noise=0.3):
    """Subjects that differ, and methods that get better by ``step``."""
    return 30 + rng.normal(size=(n, 1)) + step * np.arange(k) + noise * rng.normal(size=(n, k))


# ---------------------------------------------------------------- one method


def test_description_is_that_of_the_subject_means(rng):
    values = [rng.normal(size=size) for size in (3, 1, 5, 2, 4, 7, 2)]
    means = np.array([v.mean() for v in values])
    got = describe.describe(values)
    assert (got.n, got.num_removed) == (7, 0)
    assert got.mean == pytest.approx(means.mean()) and got.std == pytest.approx(means.std(ddof=1))
    assert [got.q1, got.median, got.q3] == pytest.approx(np.percentile(means, [25, 50, 75]))
    expected = stats.bootstrap(
        (means,), np.mean, n_resamples=10_000, random_state=np.random.default_rng(0)
    )
    assert got.interval == pytest.approx(tuple(expected.confidence_interval))
    assert got.interval_method == "BCa" and got == describe.describe(values)


def test_whole_subjects_are_resampled(rng):
    """More series of the same kind are no more subjects."""
    values = [rng.normal(size=3) for _ in range(12)]
    again = describe.describe([np.tile(v, 5) for v in values])
    assert again.interval == pytest.approx(describe.describe(values).interval, rel=1e-2)
    more = describe.describe(values + values)
    assert np.ptp(more.interval) < 0.9 * np.ptp(again.interval)


def test_the_interval_covers(rng):
    samples = rng.exponential(size=(150, 25, 1))
    intervals = [describe.describe(list(s), num_resamples=500).interval for s in samples]
    assert 0.85 < np.mean([low < 1 < high for low, high in intervals]) < 0.99


def test_descriptions_of_few_or_odd_scores():
    empty = describe.describe([np.array([np.nan]), np.array([])])
    assert (empty.mean, empty.std, empty.interval, empty.n, empty.num_removed) == (
        None,
        None,
        None,
        0,
        1,
    )
    one = describe.describe([np.array([2.0, 4.0])])
    assert (one.mean, one.median, one.std, one.interval, one.n) == (3.0, 3.0, None, None, 1)
    constant = describe.describe([np.array([0.7])] * 6)
    assert (
        constant.interval == pytest.approx((0.7, 0.7)) and constant.interval_method == "percentile"
    )
    partly = describe.describe([[1.0, np.nan], [np.inf], [3.0]])
    assert (partly.mean, partly.n, partly.num_removed) == (2.0, 2, 2)
    for n in range(2, 7):
        low, high = describe.describe([np.array([float(i)]) for i in range(n)]).interval
        assert 0 <= low < (n - 1) / 2 < high <= n - 1


def test_normality(rng):
    values = rng.exponential(size=30)
    got = describe.normality(values)
    assert (got.statistic, got.p) == pytest.approx(tuple(stats.shapiro(values)))
    assert got.p < 0.05 and got.reason is None
    assert describe.normality(values[:2]).reason == "needs 3 values, has 2"
    assert describe.normality(np.full(9, 0.1 + 0.2)).reason == "all values are equal"


def test_spread_of_seeds_and_of_subjects():
    seed, subject = np.array([0.0, 0.2, 0.4]), np.array([30.0, 33.0, 36.0, 39.0])
    values = (seed[:, None] + subject)[..., None] * np.array([1.0, 2.0])
    got = describe.seed_spread(values)
    assert got.over_seeds == pytest.approx([0.2, 0.4])
    assert got.over_subjects == pytest.approx(subject.std(ddof=1) * np.array([1, 2]))
    values[1, 2, 0] = np.nan
    assert (describe.seed_spread(values).n, describe.seed_spread(values).num_removed) == (3, 1)
    one = describe.seed_spread(values[:1])
    assert one.over_seeds is None and one.over_subjects.shape == (2,)
    assert describe.seed_spread(values[:, :1]).over_subjects is None
    with pytest.raises(InputError, match=r"\[seed, subject, method\]"):
        describe.seed_spread(values[0])


# ---------------------------------------------------------------- two methods


def test_hollander_and_wolfe_depression():
    """Examples 3.1, 3.3, 3.4: T⁺ = 40, one-sided p = .0195, θ = .46, interval (.010, .786)."""
    got = two_methods.compare_two(BEFORE, AFTER)
    assert (got.n, got.statistic, got.method) == (9, 5, "exact")
    assert got.p == pytest.approx(2 * 10 / 512)
    assert got.difference == pytest.approx(0.46)
    assert got.interval == pytest.approx((0.010, 0.786))
    assert got.rank_biserial == pytest.approx((40 - 5) / 45)
    assert (got.num_zeros, got.num_ties, got.refused) == (0, 0, None)
    other = two_methods.compare_two(AFTER, BEFORE)
    assert (other.p, other.difference) == pytest.approx((got.p, -0.46))
    assert other.rank_biserial == -got.rank_biserial


def test_demsar_wilcoxon():
    """Table 2: R⁺ = 93, R⁻ = 12, each with 1.5 from the two zeros, which Pratt leaves out."""
    got = two_methods.compare_two(DEMSAR[:, 1], DEMSAR[:, 0])
    assert got.statistic == 10.5 and got.rank_biserial == pytest.approx((91.5 - 10.5) / 105)
    assert (got.num_zeros, got.num_ties, got.method) == (2, 2, "exact")
    assert 0.005 < got.p < 0.02


def enumerated_p(d):
    """Two-sided p of the signed-rank sum over all 2ⁿ signs."""
    ranks = stats.rankdata(np.abs(d)) * (d != 0)
    sums = np.array(list(itertools.product([0, 1], repeat=len(d)))) @ ranks
    seen = ranks[d > 0].sum()
    return min(1, 2 * min(np.mean(sums <= seen + 1e-9), np.mean(sums >= seen - 1e-9)))


@pytest.mark.parametrize("n", range(6, 11))
def test_p_is_that_of_all_sign_changes(rng, n):
    plain, tied = rng.normal(0.4, 1, n), np.round(rng.normal(0.4, 1, n), 0)
    tied[0] = 0
    for d in (plain, tied):
        assert two_methods.compare_two(d, 0 * d).p == pytest.approx(enumerated_p(d))
        assert two_methods.compare_two(d, 0 * d).method == "exact"


@pytest.mark.parametrize("n", [6, 20, 50, 51, 120])
def test_two_methods_against_scipy(rng, n):
    a, b = rng.normal(0.2, 1, n), rng.normal(size=n)
    got, expected = two_methods.compare_two(a, b), stats.wilcoxon(a, b, zero_method="pratt")
    assert (got.statistic, got.p) == pytest.approx((expected.statistic, expected.pvalue))
    low, high = got.interval
    assert low <= got.difference <= high
    assert (low > 0 or high < 0) == (got.p < 0.05), "test and interval say the same"
    assert got.normality.p == pytest.approx(stats.shapiro(a - b).pvalue)
    assert got.method == ("exact" if n <= 50 else "normal approximation")


def test_signed_rank_probabilities_are_enumerated():
    sums = [sum(c) for c in itertools.product(*[(0, r) for r in range(1, 8)])]
    expected = np.bincount(sums) / 2**7
    assert two_methods._rank_sum_probabilities(np.arange(1, 8)) == pytest.approx(expected)


def test_the_interval_of_the_difference_covers(rng):
    centre = 1.5
    samples = centre + rng.standard_t(3, (400, 12))
    hits = [
        low <= centre <= high
        for low, high in (two_methods.compare_two(s, 0 * s).interval for s in samples)
    ]
    assert 0.93 < np.mean(hits) < 0.985


def test_equal_methods_and_lost_rows():
    equal = two_methods.compare_two(np.ones(8), np.ones(8))
    assert (equal.p, equal.statistic, equal.difference, equal.rank_biserial) == (1, 0, 0, 0)
    assert equal.interval == (0, 0) and equal.num_zeros == 8
    a = np.array([1.0, 2, 3, 4, 5, 6, np.nan, 8])
    b = np.array([0.0, 4, 2, 1, 1, 1, 1, np.inf])
    lost = two_methods.compare_two(a, b)
    assert (lost.n, lost.num_removed) == (6, 2)
    assert lost.p == two_methods.compare_two(a[:6], b[:6]).p
    with pytest.raises(InputError, match=r"shapes \(8,\) and \(7,\)"):
        two_methods.compare_two(a, b[1:])


def test_equal_differences_of_decimals_tie():
    """0.3 - 0.2 and 0.2 - 0.1 differ in float64."""
    a, b = np.array([0.3, 0.2, 0.5, 0.5, 0.5, 0.5]), np.array([0.2, 0.1, 0.3, 0.2, 0.1, 0.0])
    assert np.ptp((a - b)[:2]) > 0
    assert two_methods.compare_two(a, b).num_ties == 2


@pytest.mark.parametrize("n", range(7))
def test_too_few_subjects_are_refused(rng, n):
    got = two_methods.compare_two(np.arange(1.0, n + 1), np.zeros(n))
    assert (got.refused is None) == (n >= 6)
    if got.refused:
        assert got.p is got.interval is got.method is None
        assert f"at least 6 subjects, there are {n}" in got.refused and got.refused.count(".") >= 1
        assert (got.difference is None) == (n == 0)
    else:
        assert got.p == two_methods.smallest_p(6) == 2 / 64


def test_needed_subjects():
    assert [two_methods.needed_subjects(n) for n in (1, 3, 6, 10, 66)] == [6, 7, 8, 9, 12]
    assert two_methods.needed_subjects(1, alpha=0.5) == 2 and two_methods.smallest_p(0) == 1
    for num_pairs in (1, 3, 10, 66):
        n = two_methods.needed_subjects(num_pairs)
        assert (
            num_pairs * two_methods.smallest_p(n)
            <= 0.05
            < num_pairs * two_methods.smallest_p(n - 1)
        )
    for wrong in ((0, 0.05), (1, 0), (1, 1.0)):
        with pytest.raises(InputError, match="num_pairs >= 1"):
            two_methods.needed_subjects(*wrong)


# ---------------------------------------------------------------- many methods


def test_demsar_friedman_and_nemenyi():
    """§3.2.2: ranks 3.143, 2.000, 2.893, 1.964; χ² = 9.28 (no tie correction), F = 3.69; CD.05 = 1.25, CD.10 = 1.12."""
    got = many_methods.compare_many(DEMSAR)
    assert got.mean_ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    ties = (6 + 6 + 60 + 6) / (14 * 4 * (4**2 - 1))
    assert got.friedman.chi2 * (1 - ties) == pytest.approx(9.28, abs=0.01)
    f, df, p = many_methods._iman_davenport(9.28, 14, 4)
    assert f == pytest.approx(3.69, abs=0.01) and df == (3, 39) and p < 0.05
    assert got.nemenyi.critical_difference == pytest.approx(1.25, abs=5e-3)
    loose = many_methods.compare_many(DEMSAR, alpha=0.1)
    assert loose.nemenyi.critical_difference == pytest.approx(1.12, abs=5e-3)
    different = np.argwhere(np.triu(loose.nemenyi.p <= 0.1)).tolist()
    assert different == [[0, 1], [0, 3]], "C4.5 loses to both with parameter m"


def test_nemenyi_quantiles_are_the_published():
    """Demšar 2006, table 5 (α = .05, k = 2 … 10)."""
    table = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    for k, q in enumerate(table, 2):
        got = many_methods._nemenyi(np.arange(1.0, k + 1), 20, 0.05)
        assert got.critical_difference / np.sqrt(k * (k + 1) / 120) == pytest.approx(q, abs=1e-3)


def test_holm_worked_example():
    """p = .01, .04, .03, .005: the first and the last are rejected at .05."""
    assert many_methods.holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert many_methods.holm(np.array([0.5, 0.9])).tolist() == [1, 1]


@pytest.mark.parametrize("k", [3, 4, 12])
def test_many_methods_against_scipy(rng, k):
    values = np.round(scores(rng, 13, k, 0.1, 0.5), 1)  # with ties
    got = many_methods.compare_many(values, higher_is_better=False)
    expected = stats.friedmanchisquare(*values.T)
    assert (got.friedman.chi2, got.friedman.p) == pytest.approx(tuple(expected))
    assert got.mean_ranks == pytest.approx(stats.rankdata(values, axis=1).mean(axis=0))
    assert len(got.pairs) == k * (k - 1) // 2 and len(got.normality) == k
    assert all(p.p_holm >= p.test.p for p in got.pairs)
    f = got.friedman
    assert f.f_p == pytest.approx(stats.f.sf(f.f, *f.f_df))


@pytest.mark.parametrize("k", [3, 6])
def test_nemenyi_against_scikit_posthocs(rng, k):
    posthocs = pytest.importorskip("scikit_posthocs")
    values = scores(rng, 15, k, 0.2)
    expected = np.asarray(posthocs.posthoc_nemenyi_friedman(values))
    assert many_methods.compare_many(values).nemenyi.p == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("k", range(2, 13))
def test_clear_order_of_k_methods(rng, k):
    values = scores(rng, 14, k, noise=0.05)
    got, reverse = (
        many_methods.compare_many(values),
        many_methods.compare_many(values, higher_is_better=False),
    )
    assert got.mean_ranks.tolist() == list(range(k, 0, -1)) == reverse.mean_ranks[::-1].tolist()
    assert set(got.significant) == {(j, i) for i in range(k) for j in range(i + 1, k)}
    assert many_methods.significantly_best(got) == k - 1
    assert many_methods.significantly_best(reverse) == 0
    assert (got.friedman is None) == (got.nemenyi is None) == (k == 2)
    if k > 2:  # every subject agrees: F is infinite, p that of full agreement
        assert np.isinf(got.friedman.f) and 0 < got.friedman.f_p < 1e-9
        assert got.nemenyi.p == pytest.approx(got.nemenyi.p.T) and np.all(
            np.diag(got.nemenyi.p) == 1
        )
        assert many_methods.compare_many(values[:0]).refused


def test_no_difference_and_lost_subjects():
    same = many_methods.compare_many(np.tile(np.arange(9.0)[:, None], 3))
    assert (same.friedman.chi2, same.friedman.p, same.friedman.f_p) == (0, 1, 1)
    assert same.mean_ranks.tolist() == [2, 2, 2] and not same.significant
    assert many_methods.significantly_best(same) is None
    values = DEMSAR.copy()
    values[3, 1], values[5, 0] = np.nan, np.inf
    lost = many_methods.compare_many(values)
    assert (lost.n, lost.num_removed) == (12, 2)
    assert lost.friedman == many_methods.compare_many(np.delete(DEMSAR, [3, 5], axis=0)).friedman


@pytest.mark.parametrize("n", range(7))
def test_small_studies_are_refused_with_the_number_they_need(rng, n):
    got = many_methods.compare_many(scores(rng, n, 5))
    assert "10 paired comparison(s) at level 0.05 need at least 9 subjects" in got.refused
    assert f"there are {n}" in got.refused and "\n" not in got.refused
    assert got.friedman is got.nemenyi is None and got.pairs == got.significant == ()
    assert np.isnan(got.mean_ranks).all() == (n == 0) and got.n == n


@pytest.mark.parametrize("wrong", [np.ones(4), np.ones((9, 1)), np.ones((2, 3, 4))])
def test_what_is_no_matrix_is_refused(wrong):
    with pytest.raises(InputError, match=r"\[subject, method\]"):
        many_methods.compare_many(wrong)


# ---------------------------------------------------------------- tables


@pytest.fixture
def table(rng):
    names = ["zero_filled", "net & 50 %"]
    columns = {"psnr": scores(rng, 9, 2), "nmse_heart": 0.01 + 1e-3 * rng.normal(size=(9, 2))}
    rows = {
        name: {m: describe.describe(list(v[:, i]), num_resamples=200) for m, v in columns.items()}
        for i, name in enumerate(names)
    }
    seeds = {"net & 50 %": {"psnr": 0.05}}
    return results.ResultTable(
        list(columns), rows, seeds, {"net & 50 %": {"steps": "1_000"}}, "Phantom; R = 5, σ = 0.01"
    )


def test_decimals():
    cases = {
        "psnr_heart": "30.12",
        "ssim_xt": "30.1235",
        "nmse_complex": "30.1235",
        "seconds": "30",
        "hfen": "30.12",
    }
    for metric, text in cases.items():
        assert results.number(metric, 30.12346) == text
    assert (
        results.number("seconds", 12345.0) == "12000"
        and results.number("seconds", 0.0123) == "0.012"
    )
    assert results.number("psnr", None) == "-"


def test_text_is_aligned(table):
    note, legend, head, *body = results.to_text(table).splitlines()
    assert (
        note == table.note
        and legend == "Mean ± SD over 9 subjects, in parentheses SD over training seeds."
    )
    assert head.split() == ["method", "psnr", "nmse_heart", "steps"] and len(body) == 2
    assert len({len(line) for line in (head, *body)}) == 1
    cell = table.rows["net & 50 %"]["psnr"]
    assert f"{cell.mean:.2f} ± {cell.std:.2f} (0.05)" in body[1] and body[0].endswith("-")


def test_csv_keeps_every_digit(table):
    lines = list(csv.DictReader(io.StringIO(results.to_csv(table))))
    assert len(lines) == 4
    line = next(r for r in lines if r["method"] == "net & 50 %" and r["metric"] == "psnr")
    cell = table.rows["net & 50 %"]["psnr"]
    for name in ("mean", "std", "median", "q1", "q3", "n"):
        assert float(line[name]) == getattr(cell, name)
    assert (float(line["low"]), float(line["high"])) == cell.interval
    assert line["seed_std"] == "0.05" and line["steps"] == "1_000" and line["note"] == table.note


def test_latex_structure(table):
    text = latex.to_latex(table, best={"psnr": "net & 50 %", "nmse_heart": None})
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    inner = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    lines = [line for line in inner.splitlines() if line.endswith(r"\\")]
    assert all(len(re.findall(r"(?<!\\)&", line)) == 3 for line in lines) and len(lines) == 3
    assert r"\begin{tabular}{lccr}" in text and r"NMSE, heart $\downarrow$" in text
    assert r"net \& 50 \%" in text and r"zero\_filled" in text and r"1\_000" in text
    assert text.count(r"\mathbf{") == 1 and r"\pm" in text and r"$\sigma$ = 0.01" in text
    assert text.count("Bold:") == 1 and "Bold:" not in latex.to_latex(table)
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert text.replace(r"\$", "").count("$") % 2 == 0
    with pytest.raises(InputError, match="which the table lacks"):
        latex.to_latex(table, best={"psnr": "unet"})


def test_latex_escapes_all_that_is_special():
    assert latex.escape("a_b & 5 % #1 {x} $ ~ ^ \\") == (
        r"a\_b \& 5 \% \#1 \{x\} \$ \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )
    assert latex._mathematics("1.2e-07") == r"1.2 \times 10^{-7}"


def test_an_undefined_metric_is_written(table):
    nothing = describe.describe([np.array([np.nan])])
    rows = {"a": {"psnr": nothing}}
    bare = results.ResultTable(["psnr"], rows, {}, {}, "n")
    assert results.to_text(bare).splitlines()[-1].split() == ["a", "-"]
    assert "a & -- " in latex.to_latex(bare) and ",0,1,," in results.to_csv(bare)


def test_pair_tables(rng):
    names = ["a", "b", "c", "d"]
    got = many_methods.compare_many(DEMSAR)
    text = pairs.pairs_text(got, names)
    assert "n = 14 subjects; Friedman χ²(3) = 10.23" in text and "critical difference 1.25" in text
    assert "Mean ranks, 1 is best: d 1.96, b 2.00, c 2.89, a 3.14" in text
    lines = list(csv.DictReader(io.StringIO(pairs.pairs_csv(got, names))))
    assert len(lines) == 6
    for line, pair in zip(lines, got.pairs, strict=True):
        assert float(line["p"]) == pair.test.p and float(line["p_holm"]) == pair.p_holm
        assert (float(line["low"]), float(line["high"])) == pair.test.interval
    two = pairs.pairs_text(many_methods.compare_many(DEMSAR[:, :2]), names[:2])
    assert "Friedman" not in two and "a, b" in two
    refused = many_methods.compare_many(DEMSAR[:5])
    assert pairs.pairs_text(refused, names) == refused.refused + "\n"
    assert len(pairs.pairs_csv(refused, names).splitlines()) == 1
    with pytest.raises(InputError, match="4 methods, got 3 names"):
        pairs.pairs_text(got, names[:3])


# ---------------------------------------------------------------- figures


def texts(figure):
    return [t.get_text() for axis in figure.axes for t in axis.texts]


@pytest.mark.parametrize("k", [2, 5, 12])
def test_figures_are_drawn(tmp_path, rng, k):
    names = [f"method_{i}" for i in range(k)]
    values = scores(rng, 14, k, 0.1)
    values[0, 0] = np.nan
    got = many_methods.compare_many(values)
    drawn = {
        "box": distributions.box(values, names, "PSNR (dB)"),
        "paired": distributions.paired(values, names, "PSNR (dB)"),
        "ranks": significance.critical_difference(got, names),
        "graph": significance.pair_graph(got, names),
    }
    for name, figure in drawn.items():
        cines.save(figure, tmp_path / f"{name}.png")
    assert texts(drawn["graph"]).count("method 1") >= 1
    assert drawn["box"].axes[0].get_title() == "n = 13 subjects"


def test_labels_of_a_rank_diagram_do_not_overlap(rng):
    names = [f"a rather long name of method {i}" for i in range(12)]
    figure = significance.critical_difference(
        many_methods.compare_many(scores(rng, 20, 12, 0.01)), names
    )
    figure.draw_without_rendering()
    labels = [t.get_window_extent() for t in figure.axes[0].texts if "method" in t.get_text()]
    assert len(labels) == 12
    assert not any(a.overlaps(b) for a, b in itertools.combinations(labels, 2))
    width, height = figure.get_size_inches() * figure.dpi
    assert all(b.x0 >= 0 and b.x1 <= width and b.y0 >= 0 and b.y1 <= height for b in labels)


def test_groups_that_nemenyi_joins():
    ranks = np.array([3.143, 2.000, 2.893, 1.964])
    assert significance._cliques(ranks, 1.25) == [(1.964, 3.143)]
    assert significance._cliques(ranks, 1.12) == [(1.964, 2.893), (2.893, 3.143)]
    assert significance._cliques(np.array([1.0, 2.0, 3.0]), 0.5) == []


def test_refused_comparisons_show_points_and_the_sentence(rng):
    names = ["a", "b", "c"]
    refused = many_methods.compare_many(scores(rng, 4, 3))
    for draw in (significance.critical_difference, significance.pair_graph):
        figure = draw(refused, names)
        assert "at least 7 subjects" in figure.get_supxlabel().replace("\n", " ")
        assert sum(len(line.get_xdata()) == 4 for line in figure.axes[0].lines) >= 3
    two = significance.critical_difference(many_methods.compare_many(scores(rng, 9, 2)), names[:2])
    assert "no critical difference" in two.get_supxlabel()
    significance.pair_graph(many_methods.compare_many(scores(rng, 0, 3)), names)


def test_figures_refuse_other_shapes(rng):
    with pytest.raises(InputError, match="one column for each of 2 names"):
        distributions.box(scores(rng, 9, 3), ["a", "b"], "PSNR (dB)")
