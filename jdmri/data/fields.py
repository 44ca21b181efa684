"""Check of a config's ``data`` section against the chosen reader."""

from collections.abc import Iterable, Mapping

from jdmri.data.records import READERS
from jdmri.errors import InputError

_OF_ALL = {"name", "cyclic", "reference"}  # networks and references use these, whatever the reader


def check_typed(readers: Mapping[str, str], typed: Iterable[str]) -> None:
    """Refuse fields that were typed for a reader that does not take them.

    Config files list the fields of several readers, so that only ``data.name`` has to change; what was typed on the
    command line was meant for the reader that is used.

    Args:
        readers: name of the chosen reader by the place of its section in the config, ``data`` or ``base.data``.
        typed: config fields that the command line sets, such as ``data.num_frames``.

    Raises:
        InputError: naming the fields, the reader, and what it takes.
    """
    for place, name in readers.items():
        own = [field.removeprefix(f"{place}.") for field in typed if field.startswith(f"{place}.")]
        takes = READERS.takes(name) if own else ()
        wrong = [field for field in own if field not in _OF_ALL and field not in takes]
        if wrong:
            raise InputError(
                f"data reader {name!r} does not take {', '.join(wrong)}; it takes: {', '.join(takes)}. Remove "
                f"--config.{place}.{wrong[0]}, or choose another reader with --config.{place}.name."
            )
