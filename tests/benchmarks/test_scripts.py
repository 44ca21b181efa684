"""The benchmarks start: their imports hold after every change of the package."""

import importlib
import sys

import pytest

from benchmarks import tables

MODULES = ["benchmarks.tables"] + [
    f"benchmarks.{folder}.{path.stem}"
    for folder in ("quality", "speed")
    for path in sorted((tables.ROOT / "benchmarks" / folder).glob("[a-z]*.py"))
]


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_says_how_it_is_called(name, monkeypatch, capsys):
    module = importlib.import_module(name)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage:")
