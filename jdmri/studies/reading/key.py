"""The key of a study: which letter is which method. It stays with whoever runs the study."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from jdmri.errors import InputError
from jdmri.runtime import files
from jdmri.studies.reading.blinding import Presentation

PAGE = "reader.html"
PATH = Path("key") / "key.json"
WARNING = "This file unblinds the study: do not give it to readers. They get reader.html alone."


class Key(NamedTuple):
    """What the page does not say.

    Attributes:
        study: random id, also in the page.
        seed: of the order.
        page_sha256: of ``reader.html``.
        presentations: in the order of showing.
    """

    study: str
    seed: int
    page_sha256: str
    presentations: list[Presentation]

    @property
    def methods(self) -> list[str]:
        """The compared methods, sorted."""
        return sorted(self.presentations[0].letters.values())


def fingerprint(page: str) -> str:
    """SHA-256 of a page."""
    return hashlib.sha256(page.encode()).hexdigest()


def write(folder: Path, key: Key) -> None:
    """Write ``key/key.json``."""
    shown = [presentation._asdict() for presentation in key.presentations]
    content = {"warning": WARNING} | key._asdict() | {"presentations": shown}
    files.write_json(folder / PATH, content)


def read(folder: Path) -> Key:
    """Read ``key/key.json`` and compare the page beside it.

    Raises:
        InputError: there is no study, or its page is not the one that belongs to the key.
    """
    path = folder / PATH
    if not path.is_file():
        raise InputError(f"{folder} holds no reader study: {path} is missing.")
    try:
        content = files.read_json(path)
        del content["warning"]
        shown = [Presentation(**one) for one in content.pop("presentations")]
        key = Key(presentations=shown, **content)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not the key of a reader study ({error}).") from error
    page = folder / PAGE
    if page.is_file() and fingerprint(page.read_text("utf-8")) != key.page_sha256:
        raise InputError(
            f"{page} is not the page of {path}; bring back the page that was made with this key."
        )
    return key
