"""The pages of results and the rows that they are made from."""

import pytest

from benchmarks import tables

NAMES = sorted(path.stem for path in tables.RESULTS.glob("*.json"))


@pytest.mark.parametrize("path", sorted(tables.PAGES.glob("*.md")), ids=lambda path: path.stem)
def test_a_page_shows_the_rows_of_today(path):
    text = path.read_text()
    assert text == tables.page(text), "run `python -m benchmarks.tables`"


def test_every_file_of_rows_is_on_one_page_once():
    pages = "".join(path.read_text() for path in tables.PAGES.glob("*.md"))
    assert sorted(found[2] for found in tables.PLACE.finditer(pages)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_rows_states_how_its_numbers_came_about(name):
    result = tables.read(name)
    assert set(result) == {*tables.FIELDS, "tables"}
    assert all(result[field] for field in tables.FIELDS if field != "command")
    for table in result["tables"]:
        assert {len(row) for row in table["rows"]} == {len(table["columns"])}


def test_printed_tables_are_taken_over(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    about = dict.fromkeys(tables.FIELDS, "?")
    tables.write("mine", about | {"tables": [{"columns": ["a", "b [c]"], "rows": [["1", "2"]]}]})
    printed = tables.markdown({"columns": ["a", "b [c]"], "rows": [["3", "4 [5]"], ["6", ""]]})
    tables.take("mine", f"warm-up\n{printed}\ndone\n")
    assert tables.read("mine")["tables"][0]["rows"] == [["3", "4 [5]"], ["6", ""]]
    with pytest.raises(SystemExit, match=r"mine\.json has other tables"):
        tables.take("mine", "| other |\n|---|\n| 1 |")
