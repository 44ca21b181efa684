"""Which fields of a config's ``data`` section the chosen reader takes."""

from collections.abc import Iterable

from ml_collections import ConfigDict

from jdmri.data.records import READERS
from jdmri.errors import InputError

_OF_ALL = {"name", "cyclic", "reference"}  # networks and references use these, whatever the reader


def check_typed(config: ConfigDict, typed: Iterable[str]) -> None:
    """Refuse fields that were typed for a reader that does not take them.

    Config files list the fields of several readers, so that only ``data.name`` has to change; what was typed on the
    command line was meant for the reader that is used.

    Args:
        config: of a run, or with a run as its ``base``.
        typed: fields that the command line sets, such as ``data.num_frames``.

    Raises:
        InputError: naming the fields, the reader, and what it takes.
    """
    for place in ("data", "base.data"):
        own = [field.removeprefix(f"{place}.") for field in typed if field.startswith(f"{place}.")]
        if own:
            section = config.base.data if place == "base.data" else config.data
            _check(section.name, own, f"--config.{place}.")


def _check(name: str, fields: list[str], flag: str) -> None:
    takes = READERS.takes(name)
    wrong = [field for field in fields if field not in _OF_ALL and field not in takes]
    if wrong:
        raise InputError(
            f"data reader {name!r} does not take {', '.join(wrong)}; it takes: {', '.join(takes)}. Remove "
            f"{flag}{wrong[0]}, or choose another reader with {flag}name."
        )
