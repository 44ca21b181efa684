"""Plugins: files and modules of the user, imported once, found again, refused in one line."""

import shutil
import sys

import pytest

from jdmri.errors import InputError
from jdmri.runtime import plugins


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder; its modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if "mine" in name:
            del sys.modules[name]


def test_a_file_is_imported_once_with_its_neighbours(folder):
    (folder / "mine_tools.py").write_text("value = 3\n")
    (folder / "mine_a.py").write_text("import mine_tools\nused = [mine_tools.value]\n")
    whole = str(folder / "mine_a.py")
    assert plugins.load(("mine_a.py", "./mine_a.py", "json")) == (whole, "json")
    sys.modules["mine_a"].used.append(4)
    assert plugins.load((whole,)) == (whole,)
    assert sys.modules["mine_a"].used == [3, 4]


def test_relative_files_are_looked_for_in_the_given_folders_in_turn(folder):
    for name in ("first", "second"):
        (folder / name).mkdir()
        (folder / name / f"mine_{name}.py").write_text("")
    folders = [folder / "first", folder / "second"]
    assert plugins.load(("mine_second.py",), folders) == (str(folders[1] / "mine_second.py"),)
    with pytest.raises(InputError, match=f"no plugin 'other.py' in {folders[0]} or {folders[1]}"):
        plugins.load(("other.py",), folders)


def test_a_moved_file_counts_once_it_is_imported_from_its_new_place(folder):
    (folder / "mine_b.py").write_text("x = 1\n")
    (old,) = plugins.load(("mine_b.py",))
    del sys.modules["mine_b"]
    (folder / "new").mkdir()
    shutil.move(old, folder / "new")
    with pytest.raises(InputError, match=r"no plugin .*mine_b\.py'; say where it is with"):
        plugins.load((old,))
    plugins.load(("new/mine_b.py",))
    assert plugins.load((old,)) == (old,)
    (folder / "mine_b.py").write_text("x = 1\n")
    assert plugins.load((old,)) == (old,)  # a copy
    (folder / "mine_b.py").write_text("x = 2\n")
    with pytest.raises(InputError, match="there is another module 'mine_b'"):
        plugins.load((old,))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("mine_c.py", "x = 1\ny = undefined\n", r"plugin .*mine_c\.py:2: NameError: name 'undefined'"),
        ("mine_d.py", "def f(:\n", r"plugin .*mine_d\.py:1: SyntaxError: invalid syntax"),
        ("numpy.py", "", r"there is another module 'numpy' \(.*numpy/__init__\.py\); rename the file"),
        ("antigravity.py", "", "there is another module 'antigravity'"),
        ("my-file.py", "", "needs a name that Python can import"),
        ("nothing.of.mine", None, "no plugin module 'nothing.of.mine'; give a FILE.py, or install it"),
        ("json.nothing", None, "no plugin module 'json.nothing'"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_told_in_one_line(folder, name, text, message):
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        plugins.load((name,))
    assert "\n" not in str(caught.value)
