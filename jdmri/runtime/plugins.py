"""Modules of the user, imported so that what they register is known.

A plugin is a ``FILE.py`` or the name of an installed module. A file is imported under its own name from its
own folder, as Python would from there: worker processes find it again, and it may import its neighbours.
"""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from jdmri.errors import InputError
from jdmri.runtime.exit_codes import located


def load(names: Sequence[str], folders: Sequence[Path] = ()) -> tuple[str, ...]:
    """Import plugins that are not imported yet.

    A file that is gone counts as imported where a module of its name is: so a moved file is named, or imported, anew.

    Args:
        names: files or modules.
        folders: where relative files are looked for, in this order; by default the current one.

    Returns:
        The names, files as absolute paths, each once.

    Raises:
        InputError: there is no such plugin, or it fails.
    """
    return tuple(dict.fromkeys(_load(str(name), folders or [Path.cwd()]) for name in names))


def _load(name: str, folders: Sequence[Path]) -> str:
    if not name.endswith(".py"):
        _import(name, None)
        return name
    path = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if path is None:
        if Path(name).stem in sys.modules:
            return name
        places = "" if Path(name).is_absolute() else f" in {' or '.join(map(str, folders))}"
        raise InputError(
            f"no plugin {name!r}{places}; say where it is with --config.plugins=FILE.py."
        )
    path = path.resolve()
    if not _is_imported(path):
        sys.path.append(str(path.parent))
        importlib.invalidate_caches()
        _import(path.stem, path)
    return str(path)


def _is_imported(path: Path) -> bool:
    """Whether the file is imported, or a copy of it.

    Raises:
        InputError: Python knows another module of that name.
    """
    if not path.stem.isidentifier():
        raise InputError(f"plugin {path}: the file needs a name that Python can import.")
    module = sys.modules.get(path.stem)
    spec = module.__spec__ if module else importlib.util.find_spec(path.stem)
    known = Path(spec.origin if spec and spec.origin else "")
    if known.is_file() and (known.samefile(path) or known.read_bytes() == path.read_bytes()):
        return module is not None
    if module or spec:
        raise InputError(
            f"plugin {path}: there is another module {path.stem!r} ({known}); rename the file."
        )
    return False


def _import(name: str, path: Path | None) -> None:
    try:
        importlib.import_module(name)
    except InputError:
        raise
    except Exception as error:  # a plugin is Python: anything can come out of it
        if isinstance(error, ModuleNotFoundError) and name.startswith(error.name or "-"):
            raise InputError(
                f"no plugin module {name!r}; give a FILE.py, or install it."
            ) from error
        if path is None:
            path = Path(importlib.util.find_spec(name).origin or name)
        raise InputError(f"plugin {located(error, path)}") from error
