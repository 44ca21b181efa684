"""The tables of docs/results/, made from the rows in benchmarks/results/.

    python -m benchmarks.tables                                     write the tables of both pages anew
    python -m benchmarks.speed.scaling | tee printed.md
    python -m benchmarks.tables --take=growth --printed=printed.md  first put the tables that a script printed into growth.json

A file of rows is one run of one command: the statement that stands above its tables (``FIELDS``), and the tables with cells as printed.
A page holds ``<!-- results: NAME -->`` and ``<!-- end -->`` on lines of their own; what stands between them is written by this script,
all else on the page by hand. Tables with ``"on_page": false`` stay in the file, to which the page links.
"""

import argparse
import itertools
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS, PAGES = ROOT / "benchmarks/results", ROOT / "docs/results"
FIELDS = ("protocol", "true R", "n", "machine", "versions", "date", "command")
PLACE = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main():
    """Take a printed table over where asked, and write both pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--take", metavar="NAME", help="of a file in benchmarks/results")
    parser.add_argument("--printed", type=Path, help="what a benchmark printed")
    options = parser.parse_args()
    if bool(options.take) != bool(options.printed):
        parser.error("--take and --printed go together")
    if options.take:
        take(options.take, options.printed.read_text())
    for path in sorted(PAGES.glob("*.md")):
        path.write_text(page(path.read_text()))


def page(text: str) -> str:
    """Return a page with the tables of today's rows."""
    return PLACE.sub(lambda found: found[1] + section(found[2]) + found[3], text)


def section(name: str) -> str:
    """Return statement and tables of one file of rows."""
    result = read(name)
    parts = [statement(result)]
    parts += [markdown(table) for table in result["tables"] if table.get("on_page", True)]
    if not all(table.get("on_page", True) for table in result["tables"]):
        parts.append(f"All columns: [`{name}.json`](../../benchmarks/results/{name}.json).")
    return "\n" + "\n\n".join(parts) + "\n\n"


def statement(result: dict) -> str:
    """Return the line that says how the numbers came about."""
    facts = "; ".join(f"{field}: {result[field]}" for field in FIELDS[1:-1])
    lines = [f"*{result['protocol']} {facts[0].upper()}{facts[1:]}.*"]
    return "\n".join(lines + [f"`{result['command']}`"] * bool(result["command"]))


def markdown(table: dict) -> str:
    """Return a Markdown table."""
    row = lambda cells: "| " + " | ".join(cells) + " |"
    head = [row(table["columns"]), "|" + "---|" * len(table["columns"])]
    return "\n".join(head + [row(cells) for cells in table["rows"]])


def take(name: str, printed: str):
    """Replace the tables of a file of rows by those that a script printed, in their order; a file without tables takes any."""
    result, found = read(name), parse(printed)
    known = result["tables"] or found
    if [table["columns"] for table in found] != [table["columns"] for table in known]:
        heads = [table["columns"][0] for table in found]
        raise SystemExit(
            f"{name}.json has other tables than those printed, which begin with: {heads}"
        )
    result["tables"] = [old | new for old, new in zip(known, found, strict=True)]
    write(name, result)


def parse(text: str) -> list[dict]:
    """Return the tables in a Markdown text."""
    tables, lines = [], text.splitlines()
    cells = lambda line: [cell.strip() for cell in line.strip().strip("|").split("|")]
    for above, line in itertools.pairwise(lines):
        if line.startswith("|---"):
            tables.append(dict(columns=cells(above), rows=[]))
        elif line.startswith("|") and tables and above.startswith("|"):
            tables[-1]["rows"].append(cells(line))
    return tables


def read(name: str) -> dict:
    """Read a file of rows."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def write(name: str, result: dict):
    """Write a file of rows, one row a line."""
    plain = lambda value: json.dumps(value, ensure_ascii=False)
    head = "".join(f' "{field}": {plain(result[field])},\n' for field in FIELDS)
    tables = []
    for table in result["tables"]:
        about = "".join(f'"{k}": {plain(v)}, ' for k, v in table.items() if k != "rows")
        rows = ",\n".join(f"  {plain(row)}" for row in table["rows"])
        tables.append(f' {{{about}"rows": [\n{rows}\n ]}}')
    text = "{\n" + head + ' "tables": [\n' + ",\n".join(tables) + "\n ]\n}\n"
    (RESULTS / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
