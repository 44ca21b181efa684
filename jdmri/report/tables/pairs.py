"""What a comparison found, pair by pair, as text and CSV."""

from collections.abc import Sequence

from jdmri.errors import InputError
from jdmri.report.tables.results import aligned, csv_text
from jdmri.statistics.many_methods import Comparison, Pair

_FIELDS = ("n", "statistic", "p", "method", "difference", "rank_biserial", "num_zeros", "num_ties")


def pairs_text(comparison: Comparison, names: Sequence[str]) -> str:
    """Write the omnibus tests, the mean ranks and a line for every pair.

    Args:
        comparison: of `jdmri.statistics.many_methods.compare_many`.
        names: of its methods, in its order.

    Raises:
        InputError: not one name a method.
    """
    check_names(comparison, names)
    if comparison.refused:
        return comparison.refused + "\n"
    ranks = sorted(zip(comparison.mean_ranks, names, strict=True))
    level = f"{100 * (1 - comparison.alpha):g} %"
    head = [
        "pair (a, b)",
        "n",
        "W",
        "p",
        "p (Holm)",
        "",
        f"a - b [{level} interval]",
        "r",
        "p from",
    ]
    lines = [
        omnibus(comparison),
        "Mean ranks, 1 is best: " + ", ".join(f"{name} {rank:.2f}" for rank, name in ranks),
        *aligned([head, *(_line(pair, names, comparison.alpha) for pair in comparison.pairs)]),
        f"* p (Holm) at most {comparison.alpha:g}; r: matched-pairs rank-biserial correlation, "
        "positive where a scores higher.",
    ]
    return "\n".join(lines) + "\n"


def pairs_csv(comparison: Comparison, names: Sequence[str]) -> str:
    """Write every number of every pair in full; the head alone where the comparison is refused.

    Raises:
        InputError: not one name a method.
    """
    check_names(comparison, names)
    head = ["a", "b", "p_holm", "p_nemenyi", *_FIELDS, "low", "high", "shapiro_W", "shapiro_p"]
    lines = []
    for pair in comparison.pairs:
        test, nemenyi = pair.test, comparison.nemenyi
        lines.append(
            [
                names[pair.first],
                names[pair.second],
                pair.p_holm,
                None if nemenyi is None else float(nemenyi.p[pair.first, pair.second]),
                *(getattr(test, field) for field in _FIELDS),
                *test.interval,
                test.normality.statistic,
                test.normality.p,
            ]
        )
    return csv_text([head, *lines])


def omnibus(comparison: Comparison) -> str:
    """Say in one line how many subjects there were and what Friedman, Iman-Davenport and Nemenyi found."""
    left_out = f" ({comparison.num_removed} left out)" if comparison.num_removed else ""
    said = [f"n = {comparison.n} subjects{left_out}"]
    if comparison.friedman is not None:
        test = comparison.friedman
        said.append(f"Friedman χ²({test.df}) = {test.chi2:.2f}, p = {test.p:.2g}")
        said.append(f"F({test.f_df[0]}, {test.f_df[1]}) = {test.f:.2f}, p = {test.f_p:.2g}")
    if comparison.nemenyi is not None:
        said.append(f"Nemenyi critical difference {comparison.nemenyi.critical_difference:.2f}")
    return "; ".join(said)


def check_names(comparison: Comparison, names: Sequence[str]) -> None:
    """Refuse names that are not one a method.

    Raises:
        InputError: another number of names.
    """
    wanted = comparison.values.shape[1]
    if len(names) != wanted:
        raise InputError(
            f"The comparison has {wanted} methods, got {len(names)} names; give one name a column of its values."
        )


def _line(pair: Pair, names: Sequence[str], alpha: float) -> list[str]:
    test = pair.test
    low, high = test.interval
    return [
        f"{names[pair.first]}, {names[pair.second]}",
        str(test.n),
        f"{test.statistic:g}",
        f"{test.p:.2g}",
        f"{pair.p_holm:.2g}",
        "*" if pair.p_holm <= alpha else "",
        f"{test.difference:.4g} [{low:.4g}, {high:.4g}]",
        f"{test.rank_biserial:.2f}",
        test.method,
    ]
