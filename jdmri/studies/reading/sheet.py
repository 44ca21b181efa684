"""The page of a study: markup, style, script and pictures in one file that asks nobody for anything."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template

import numpy as np

from jdmri.studies.reading import images
from jdmri.studies.reading.blinding import Presentation
from jdmri.studies.reading.criteria import COLUMNS, CRITERIA, SCALE

_SCRIPTS = ("images.js", "viewer.js", "answers.js", "form.js", "sheet.js")
Grays = Mapping[str, Mapping[str | None, np.ndarray]]


def build(study: str, shown: Sequence[Presentation], grays: Grays) -> str:
    """Put the page together.

    Args:
        study: its id.
        shown: the screens in order.
        grays: case name → method name, or None for the reference → uint8 ``[frame, y, x]``.
    """
    style, script = _part("sheet.css"), "\n".join(_part(name) for name in _SCRIPTS)
    screens, pictures = _screens(shown, grays)
    about = {
        "id": study,
        "columns": COLUMNS,
        "criteria": [c._asdict() for c in CRITERIA],
        "scale": SCALE,
        "headroom": images.HEADROOM,
        "screens": screens,
    }
    blocks = [f'<script type="text/plain" id="picture-{i}">{p}</script>' for i, p in enumerate(pictures)]  # fmt: skip
    return Template(_part("sheet.html")).substitute(
        study=study,
        policy=_policy(style, script),
        style=style,
        script=script,
        about=json.dumps(about).replace("<", r"\u003c"),
        pictures="\n".join(blocks),
    )


def _screens(shown: Sequence[Presentation], grays: Grays) -> tuple[list[dict], list[str]]:
    """Describe each screen; number the pictures as they are first shown, which says nothing of methods."""
    numbers: dict[tuple[str, str | None], int] = {}
    pictures, screens = [], []
    for one in shown:
        series = grays[one.name]
        order = ([None] if None in series else []) + list(one.letters.values())
        for method in order:
            if (one.name, method) not in numbers:
                numbers[one.name, method] = len(pictures)
                pictures.append(base64.b64encode(images.sheet(series[method])).decode())
        num_frames, height, width = series[order[-1]].shape
        screens.append(
            {
                "case": one.case,
                "repeat": one.repeat,
                "frames": num_frames,
                "columns": images.num_columns(num_frames),
                "height": height,
                "width": width,
                "reference": numbers.get((one.name, None)),
                "candidates": {letter: numbers[one.name, m] for letter, m in one.letters.items()},
            }
        )
    return screens, pictures


def _policy(style: str, script: str) -> str:
    """Allow this style, this script and embedded pictures; nothing else can be loaded or sent."""
    return (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; img-src data:; "
        f"base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _part(name: str) -> str:
    return (resources.files("jdmri.studies.reading") / "page" / name).read_text("utf-8")
