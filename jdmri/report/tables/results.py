"""Tables of a study as text and CSV; each carries the sentence that says how it was measured."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence

from jdmri import metrics
from jdmri.statistics.describe import Description

_NUMBERS = ("mean", "std", "median", "q1", "q3", "n", "num_removed", "interval_method")


@dataclasses.dataclass
class ResultTable:
    """Methods by metrics.

    Attributes:
        metrics: columns, in this order.
        rows: method → metric → its `Description`.
        seed_std: method → metric → SD over training seeds, None for one seed; methods may be missing.
        extra: method → heading → text, e.g. steps, parameters, seconds; methods may be missing.
        note: the protocol, printed with the table.
    """

    metrics: Sequence[str]
    rows: Mapping[str, Mapping[str, Description]]
    seed_std: Mapping[str, Mapping[str, float | None]]
    extra: Mapping[str, Mapping[str, str]]
    note: str

    @property
    def headings(self) -> list[str]:
        """Headings of the extra columns, in the order in which rows bring them."""
        return list(dict.fromkeys(h for name in self.rows for h in self.extra.get(name, {})))

    def texts(self, name: str) -> list[str]:
        """Return a row's extra columns."""
        return [self.extra.get(name, {}).get(heading, "-") for heading in self.headings]

    def spread(self, name: str, metric: str) -> float | None:
        """Return a cell's SD over training seeds."""
        return self.seed_std.get(name, {}).get(metric)

    @property
    def legend(self) -> str:
        """What the cells say."""
        counts = sorted({row[m].n for row in self.rows.values() for m in self.metrics})
        n = " to ".join(map(str, dict.fromkeys([*counts[:1], *counts[-1:]])))
        seeds = any(self.spread(r, m) is not None for r in self.rows for m in self.metrics)
        return f"Mean ± SD over {n} subjects{', in parentheses SD over training seeds' if seeds else ''}."


def number(metric: str, value: float | None) -> str:
    """Write a value with the decimals that its metric deserves, ``-`` for None; others with four digits."""
    if value is None:
        return "-"
    if metric == "seconds":
        return f"{float(f'{value:.2g}'):g}"
    if metric.removesuffix("_heart") not in metrics.METRICS:
        return f"{value:.4g}"
    return f"{value:.{metrics.facts(metric).decimals}f}"


def cell(table: ResultTable, name: str, metric: str) -> str:
    """Write mean ± SD over subjects, in parentheses SD over training seeds."""
    one, seeds = table.rows[name][metric], table.spread(name, metric)
    text = number(metric, one.mean)
    if one.std is not None:
        text += f" ± {number(metric, one.std)}"
    return text if seeds is None else f"{text} ({number(metric, seeds)})"


def to_text(table: ResultTable) -> str:
    """Align a table for the terminal, its note first."""
    head = ["method", *table.metrics, *table.headings]
    body = [
        [name, *(cell(table, name, metric) for metric in table.metrics), *table.texts(name)]
        for name in table.rows
    ]
    return "\n".join([table.note, table.legend, *aligned([head, *body])]) + "\n"


def to_csv(table: ResultTable) -> str:
    """Write every number in full, one line a method and metric."""
    head = ["method", "metric", *_NUMBERS, "low", "high", "seed_std", *table.headings, "note"]
    lines = []
    for name, row in table.rows.items():
        for metric in table.metrics:
            numbers = [getattr(row[metric], field) for field in _NUMBERS]
            low, high = row[metric].interval or (None, None)
            more = [low, high, table.spread(name, metric), *table.texts(name), table.note]
            lines.append([name, metric, *numbers, *more])
    return csv_text([head, *lines])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Pad columns to one width: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]


def csv_text(rows: Iterable[Sequence]) -> str:
    """Write CSV; None is an empty field."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()
