"""docs/architecture.md: its paths exist, and its picture is of today's imports."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()


def test_every_path_on_the_page_exists():
    words = re.findall(r"[`(]([a-z0-9_/]+(?:\.(?:py|md|svg|sh))?)[`)]", PAGE)
    paths = {word for word in words if "/" in word or "." in word}
    assert len(paths) > 30
    folders = (ROOT, ROOT / "jdmri", ROOT / "docs")
    assert [p for p in sorted(paths) if not any((f / p).exists() for f in folders)] == []


def test_the_picture_is_of_todays_imports():
    drawn = runpy.run_path(str(ROOT / "docs/draw_architecture.py"))["draw"]()
    assert (ROOT / "docs/architecture.svg").read_text() == drawn, (
        "run `python docs/draw_architecture.py`"
    )
