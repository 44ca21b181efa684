"""The HTML file: parts put together, pictures compressed until it is small enough."""

import base64
import hashlib
import json
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import matplotlib

from jdmri.report.page import markup, player, sheets
from jdmri.report.page.content import Page
from jdmri.runtime import files

MAX_BYTES = 15 * 2**20

_SCRIPTS = ("elements", "sheets", "panel", "line", "sampling", "player", "controls", "tables")
_ABOUT = (
    "Pictures are magnitudes in 8 bit, compressed as {compression}. 100 % is the 99.5th percentile of "
    "the magnitude of the series' reference; above {headroom:g} % they saturate. Errors are "
    "| |estimate| − |reference| |, taken from the full-precision arrays before compression, stored on a "
    "square-root scale up to 100 %. x-t profiles are sampled linearly from these pictures. Numbers in "
    "captions and tables come from the full-precision data. k-space errors are RMS along kx and coils, in "
    "dB of the largest of the series. Values that are not finite are black in "
    "pictures, the largest error in error maps."
)


def write(path: Path, page: Page) -> None:
    """Write a page as one file that needs nothing else, atomically.

    Raises:
        InputError: the series do not fit into ``MAX_BYTES`` at the lowest quality.
    """
    cines: list[sheets.Cine] = []
    series = [player.describe(view, cines) for view in page.views]
    without = _document(page, series, [], sheets.QUALITIES[1])
    budget = MAX_BYTES - len(without.encode())
    uris, quality = sheets.compress(cines, budget)
    content = _document(page, series, uris, quality)
    files.write_atomic(path, lambda temporary: temporary.write_text(content, encoding="utf-8"))


def _document(page: Page, series: list[dict], uris: list[str], quality: sheets.Quality) -> str:
    style = _read("page.css")
    script = "\n".join(_read(f"scripts/{name}.js") for name in _SCRIPTS)
    about = _ABOUT.format(compression=_compression(quality), headroom=100 * sheets.HEADROOM)
    return Template(_read("page.html")).substitute(
        policy=_policy(style, script),
        style=style,
        script=script,
        title=markup.text(page.title),
        sentences=markup.paragraphs(page.sentences),
        warning=markup.warning(page.note),
        player=Template(_read("player.html")).substitute(about=about) if series else "",
        tables=markup.section("Numbers", markup.tables(page.tables)),
        figures=markup.section("Figures", markup.figures(page.figures)),
        card=markup.section("What the numbers rest on", markup.card(page.card)),
        data=_json(
            {
                "series": series,
                "sheets": uris,
                "headroom": sheets.HEADROOM,
                "floor": sheets.FLOOR_DB,
                "inferno": matplotlib.colormaps["inferno"](range(256), bytes=True)[:, :3].tolist(),
            }
        ),
    )


def _compression(quality: sheets.Quality) -> str:
    if quality.image is None:
        return "lossless WebP"
    return f"lossy WebP (quality {quality.image} of 100, error maps {quality.error})"


def _policy(style: str, script: str) -> str:
    """Allow this style, this script and pictures inside the file; nothing else, no network."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _json(content: Any) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _read(name: str) -> str:
    return resources.files("jdmri.report.page").joinpath(name).read_text(encoding="utf-8")
