"""The registry's door for new files."""

import sys

from jdmri.runtime.registry import Registry, import_modules

MODULE = """
from colours import COLOURS

@COLOURS.register({name!r})
def {function}():
    return {name!r}
"""


def test_a_new_file_registers_itself(tmp_path, monkeypatch):
    folder = tmp_path / "colours"
    folder.mkdir()
    begin = "from jdmri.runtime.registry import Registry\nCOLOURS = Registry('colour')\n"
    (folder / "__init__.py").write_text(begin)
    for name, function in (("b", "Blue"), ("a", "Azure")):
        (folder / f"{name}.py").write_text(MODULE.format(name=name, function=function))
    monkeypatch.syspath_prepend(tmp_path)
    import_modules("colours")
    registry: Registry = sys.modules["colours"].COLOURS
    assert list(registry) == ["a", "b"] and registry.build({"name": "b"}) == "b"
    assert list(registry.exports()) == ["Azure", "Blue"]
    for name in ("colours", "colours.a", "colours.b"):
        monkeypatch.delitem(sys.modules, name)
