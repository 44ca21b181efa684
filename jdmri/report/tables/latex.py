r"""Tables of a study for a paper: a ``tabular`` to ``\input``, for the package booktabs."""

from collections.abc import Mapping

from jdmri import metrics
from jdmri.errors import InputError
from jdmri.report.tables.results import ResultTable, number

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$",
    "±": r"$\pm$", "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$", "−": r"$-$", "–": "--",
    "α": r"$\alpha$", "λ": r"$\lambda$", "σ": r"$\sigma$", "χ": r"$\chi$", "²": r"$^2$", "³": r"$^3$",
    "°": r"$^\circ$", "·": r"$\cdot$", "→": r"$\rightarrow$", "…": r"\ldots{}",
}  # fmt: skip
_BOLD = "Bold: significantly better than every method it was tested against (Wilcoxon signed-rank, Holm)."


def to_latex(table: ResultTable, *, best: Mapping[str, str | None] | None = None) -> str:
    r"""Write a ``tabular`` and, below it, the protocol in small print.

    Args:
        table: to write.
        best: metric → the method set in bold: the one that is significantly better than all others
            (`jdmri.statistics.many_methods.significantly_best`), None where there is no such method.

    Raises:
        InputError: ``best`` names a method or metric that the table lacks, or a metric is unknown.
    """
    best = {metric: name for metric, name in (best or {}).items() if name is not None}
    _check(table, best)
    columns = "l" + "c" * len(table.metrics) + "r" * len(table.headings)
    head = ["method", *map(_heading, table.metrics), *map(escape, table.headings)]
    body = []
    for name in table.rows:
        cells = [_cell(table, name, m, bold=best.get(m) == name) for m in table.metrics]
        body.append(_row([escape(name), *cells, *map(escape, table.texts(name))]))
    notes = [table.note.rstrip(".") + ".", table.legend, *([_BOLD] if best else [])]
    lines = [
        r"% \usepackage{booktabs}; \input this file inside a table environment.",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _row(head),
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip",
        rf"{{\footnotesize {' '.join(map(escape, notes))}\par}}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Write text so that LaTeX prints it; letters of the field such as σ become mathematics."""
    return "".join(_SPECIAL.get(character, character) for character in text.replace("\n", " "))


def _check(table: ResultTable, best: Mapping[str, str]) -> None:
    for metric, name in best.items():
        if metric not in table.metrics or name not in table.rows:
            raise InputError(
                f"best sets method {name!r} in bold on metric {metric!r}, which the table lacks; choose from "
                f"{', '.join(table.rows)} and {', '.join(table.metrics)}."
            )


def _heading(metric: str) -> str:
    arrow = r" $\uparrow$" if metrics.facts(metric).higher_is_better else r" $\downarrow$"
    return escape(metrics.label(metric)) + arrow


def _cell(table: ResultTable, name: str, metric: str, *, bold: bool) -> str:
    cell, seeds = table.rows[name][metric], table.spread(name, metric)
    if cell.mean is None:
        return "--"
    mean = _mathematics(number(metric, cell.mean))
    text = rf"\mathbf{{{mean}}}" if bold else mean
    if cell.std is not None:
        text += rf" \pm {_mathematics(number(metric, cell.std))}"
    if seeds is not None:
        text += rf"\ ({_mathematics(number(metric, seeds))})"
    return f"${text}$"


def _mathematics(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
