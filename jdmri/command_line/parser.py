"""The config of a command: from a file, or from the workdir; overrides work on both."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import flags
from ml_collections import ConfigDict, config_flags

from jdmri.command_line import options
from jdmri.command_line.modes import MODES, choose
from jdmri.errors import InputError
from jdmri.runtime import plugins
from jdmri.runtime.exit_codes import located
from jdmri.training import workdir

_MARKS = {"study": "variants", "search": "space", "tuning": "grid"}  # kind: a field of its own
_HELP = ("help", "helpshort", "h")


def parse(argv: Sequence[str]) -> list[str]:
    """Define ``--config``, parse all flags, and refuse what does not fit the mode.

    Without ``--config`` it comes from the workdir's ``config.json``, so that overrides such as
    ``--config.data.path=FILE`` work there too.

    Raises:
        InputError: an unknown flag, field, file, mode or run, or a flag of another mode; one line says which.
    """
    if any(word.lstrip("-") in _HELP for word in argv[1:] if word.startswith("-")):
        sys.stdout.write(options.help_text() + "\n")
        sys.exit(0)
    if any(word.lstrip("-") == "helpfull" for word in argv[1:] if word.startswith("-")):
        return flags.FLAGS(list(argv))
    path, folder, name = (_value(argv, flag) for flag in ("config", "workdir", "mode"))
    name = "train" if name is None else name
    if path is None and folder is None and not choose(name).needs_config:
        path = "configs/default.py"
    if path is not None:
        config = _load(path)
    elif folder is not None:
        config = _stored(Path(folder))
    else:
        raise InputError(
            "which run? Give --config=configs/demo.py to train, or --workdir=runs/demo."
        )
    words = _without_config(argv)
    try:
        config_flags.DEFINE_config_dict("config", config, lock_config=True, sys_argv=words)
        rest = flags.FLAGS(words)
    except Exception as error:  # ml_collections has no class of its own for wrong overrides
        raise InputError(_reason(error)) from error
    options.check(name, options.given())
    check_kind(flags.FLAGS["config"].value, name)
    return rest


def check_kind(config: ConfigDict, mode: str) -> None:
    """Refuse a mode that the config is not for: studies and searches have configs of their own.

    Raises:
        InputError: naming the mode that fits.
    """
    kind = next((kind for kind, field in _MARKS.items() if field in config), "run")
    if choose(mode).kind != kind:
        fits = options.listed([name for name, row in MODES.items() if row.kind == kind], "or")
        raise InputError(
            f"this is the config of a {kind}; it goes with --mode={fits}, not --mode={mode}."
        )


def import_plugins(config: ConfigDict, argv: Sequence[str]) -> None:
    """Import the plugins of a config and of its ``base``, and write absolute paths into both.

    Raises:
        InputError: a plugin is missing, or fails.
    """
    sections = [s for s in (config, config.get("base")) if s is not None and "plugins" in s]
    folders, file = [Path.cwd()], _value(argv, "config")
    if file is not None:
        folders.append(_find(file.partition(":")[0]).absolute().parent)
    if not {"", str(Path.cwd())} & set(sys.path):  # there with python -m, not with the script jdmri
        sys.path.append(str(Path.cwd()))
    names = [name for section in sections for name in section.plugins]
    loaded = plugins.load(names, list(dict.fromkeys(folders)))
    for section in sections:
        section.plugins = loaded


def default_workdir(argv: Sequence[str]) -> Path:
    """Return ``runs/<config file's stem>[-argument]``, or the given ``--workdir``.

    Studies, whose files lie in ``configs/studies/``, go to ``runs/studies/``.
    """
    folder = _value(argv, "workdir")
    if folder is not None:
        return Path(folder)
    stem, _, argument = (_value(argv, "config") or "").partition(":")
    parent = Path("runs", "studies") if Path(stem).parent.name == "studies" else Path("runs")
    return parent / (Path(stem).stem + (f"-{argument}" if argument else ""))


def _reason(error: Exception) -> str:
    """Return the text of an error of flags or fields, which ml_collections wraps in one another."""
    text = error
    while isinstance(text, Exception) and text.args:
        text = text.args[0]
    field = "no config field " if isinstance(error, AttributeError | KeyError) else ""
    return field + " ".join(str(text).split())


def _stored(folder: Path) -> ConfigDict:
    """Read the config of a run, or of a study or search."""
    is_study = (folder / workdir.STUDY).is_file()
    return workdir.read_config(folder, workdir.STUDY if is_study else workdir.CONFIG)


def _value(argv: Sequence[str], name: str) -> str | None:
    """Read ``--name=VALUE`` or ``--name VALUE``; the last one counts."""
    found = None
    for position, word in enumerate(argv[1:], 1):
        flag, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and flag == name:
            found = value if equals else (argv[position + 1] if position + 1 < len(argv) else "")
    return found


def _load(given: str) -> ConfigDict:
    """Run a config file, ``FILE[:ARGUMENT]``.

    Raises:
        InputError: there is no such file, or it fails: ``FILE:LINE: TYPE: TEXT``.
    """
    name, colon, argument = given.partition(":")
    path, arguments = _find(name), [argument] * bool(colon)
    try:
        spec = importlib.util.spec_from_file_location("config_file", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        _check_arguments(module.get_config, path, arguments)
        config = module.get_config(*arguments)
    except InputError:
        raise
    except Exception as error:  # configs are Python: anything can come out of them
        raise InputError(located(error, path)) from error
    if not isinstance(config, ConfigDict):
        raise InputError(
            f"{path}: get_config() must return a ConfigDict, got {type(config).__name__}."
        )
    return config


def _check_arguments(get_config: Callable, path: Path, arguments: Sequence[str]) -> None:
    try:
        inspect.signature(get_config).bind(*arguments)
    except TypeError as error:
        given = f"takes no :{arguments[0]}" if arguments else "needs an argument, :ARGUMENT"
        raise InputError(
            f"{path} {given}; it has get_config{inspect.signature(get_config)}."
        ) from error


def _find(name: str) -> Path:
    """Find the config file here or among the installed ones, and make its neighbours importable."""
    installed = Path(__file__).parents[2] / name
    path = Path(name) if Path(name).is_file() else installed
    if not path.is_file():
        folder = installed.parent if installed.parent.is_dir() else Path("configs")
        shown = "configs/studies" if folder.name == "studies" else "configs"
        known = sorted(p.name for p in folder.glob("*.py") if p.name != "__init__.py")
        hint = f" There are: {', '.join(f'{shown}/{k}' for k in known)}." if known else ""
        raise InputError(f"no config file {name!r}.{hint}")
    package = path.absolute().parent
    while (package.parent / "__init__.py").is_file():
        package = package.parent
    sys.path.insert(0, str(package.parent))
    return path


def _without_config(argv: Sequence[str]) -> list[str]:
    """Drop ``--config=FILE`` and ``--config FILE``, which are read; overrides stay."""
    words, skip = [argv[0]], False
    for word in argv[1:]:
        flag, equals, _ = word.lstrip("-").partition("=")
        if not skip and not (word.startswith("-") and flag == "config"):
            words.append(word)
        skip = not skip and word.startswith("-") and flag == "config" and not equals
    return words


def check_data_fields(config: ConfigDict) -> None:
    """Refuse fields of ``data`` that the command line sets and the reader does not take.

    Raises:
        InputError: see `jdmri.data.fields.check_typed`.
    """
    from jdmri.data import fields  # readers are slow to import

    runs = {"data": config, "base.data": config.get("base") or {}}
    readers = {place: run["data"]["name"] for place, run in runs.items() if "data" in run}
    fields.check_typed(readers, flags.FLAGS["config"].override_values)
