"""The CSV files that readers send back, checked row by row."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jdmri.errors import InputError
from jdmri.studies.reading.criteria import COLUMNS, CRITERIA, SCALE
from jdmri.studies.reading.key import Key


class Answer(NamedTuple):
    """One row: what one reader said of one candidate.

    Attributes:
        reader: who.
        case: number in the page, from 1.
        repeat: 0 the first time, 1 the second.
        letter: of the candidate.
        rank: 1 is best; candidates may share one.
        scores: 1 to 5, one a criterion.
        comment: may be empty.
        seconds: spent on the whole case.
    """

    reader: str
    case: int
    repeat: int
    letter: str
    rank: int
    scores: tuple[int, ...]
    comment: str
    seconds: float

    @property
    def place(self) -> tuple[int, int, str]:
        """What is answered: case, repeat, letter."""
        return self.case, self.repeat, self.letter


def read_all(paths: Sequence[Path], key: Key) -> list[Answer]:
    """Read one file a reader.

    Raises:
        InputError: no files, a file that cannot be used (see `read`), or two files of one reader.
    """
    if not paths:
        raise InputError("no answers were given; name the CSV files that the readers sent back.")
    answers, owners = [], {}
    for path in paths:
        rows = read(path, key)
        reader = rows[0].reader
        if reader in owners:
            raise InputError(
                f"{path} and {owners[reader]} are both of reader {reader!r}; keep one file a reader."
            )
        owners[reader] = path
        answers += rows
    return answers


def read(path: Path, key: Key) -> list[Answer]:
    """Read the answers of one reader.

    Raises:
        InputError: naming file and row: not such a file, another study, an unknown case or letter, a
            number out of its range, a row twice or missing, or two readers.
    """
    where = {(p.case, p.repeat, letter) for p in key.presentations for letter in p.letters}
    answers: dict[tuple, Answer] = {}
    for number, row in enumerate(_rows(path), 2):
        answer = _answer(f"{path}, row {number}", row, key, where)
        if answer.place in answers:
            raise InputError(f"{path}, row {number}: {_spoken(answer.place)} is answered twice.")
        answers[answer.place] = answer
        if len({a.reader for a in answers.values()}) > 1:
            raise InputError(f"{path}, row {number}: the file mixes readers; one file a reader.")
    missing = sorted(where - answers.keys())
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(f"{path}: no row answers {_spoken(missing[0])}{more}; the reader must finish.")  # fmt: skip
    return list(answers.values())


def _rows(path: Path) -> list[dict]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            rows, columns = list(table), tuple(table.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV file of answers ({error}).") from error
    if columns != COLUMNS:
        raise InputError(
            f"{path}, row 1: the columns must be {','.join(COLUMNS)}, got {','.join(columns) or 'none'}; "
            f"use the file as the page exported it."
        )
    return rows


def _answer(where: str, row: dict, key: Key, places: set) -> Answer:
    if None in row or None in row.values():
        raise InputError(f"{where}: a row has {len(COLUMNS)} fields; this one has more or fewer.")
    if row["study"] != key.study:
        raise InputError(f"{where}: the study must be {key.study!r}, got {row['study']!r}; this answers another page.")  # fmt: skip
    if not row["reader"]:
        raise InputError(f"{where}: the reader is not named.")
    case = _whole(where, row, "case", 1, max(p.case for p in key.presentations))
    place = case, _whole(where, row, "repeat", 0, 1), row["letter"]
    if place not in places:
        raise InputError(f"{where}: the study does not show {_spoken(place)}.")
    rank = _whole(where, row, "rank", 1, len(key.methods))
    scores = tuple(_whole(where, row, c.name, 1, len(SCALE)) for c in CRITERIA)
    return Answer(row["reader"], *place, rank, scores, row["comment"], _seconds(where, row))


def _whole(where: str, row: dict, name: str, low: int, high: int) -> int:
    text = row[name].strip()
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise InputError(f"{where}: {name} must be a whole number from {low} to {high}, got {text!r}.")  # fmt: skip
    return int(text)


def _seconds(where: str, row: dict) -> float:
    try:
        seconds = float(row["seconds"])
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise InputError(f"{where}: seconds must be a number from 0, got {row['seconds']!r}.")
    return seconds


def _spoken(place: tuple[int, int, str]) -> str:
    case, repeat, letter = place
    return f"case {case}{' (repeated)' if repeat else ''}, candidate {letter!r}"
