"""How the command line becomes flags: the config comes from a file, or from the workdir."""

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags
from ml_collections import ConfigDict, config_flags

from jdmri.errors import InputError
from jdmri.training import workdir

_WITHOUT_CONFIG = ("phantom", "doctor", "convert", "reconstruct")


def parse(argv: Sequence[str]) -> list[str]:
    """Define ``--config``, then parse all flags.

    Without ``--config`` it comes from the workdir's ``config.json``, so that overrides such as
    ``--config.data.path=FILE`` work there too.

    Raises:
        InputError: an unknown flag, field, file or run; one line says which.
    """
    help_wanted = any(a.lstrip("-") in ("help", "helpshort", "helpfull", "h") for a in argv[1:])
    path, folder = _value(argv, "config"), _value(argv, "workdir")
    if _value(argv, "mode") in _WITHOUT_CONFIG and path is None and folder is None:
        path = "configs/default.py"
        argv = [argv[0], f"--config={path}", *argv[1:]]
    if path is not None:
        argv = _with_config(argv, _find_config(path))
        config_flags.DEFINE_config_file("config", None, "Config file[:argument].", lock_config=True)
    elif folder is not None:
        config_flags.DEFINE_config_dict("config", _stored(Path(folder)), lock_config=True)
    elif not help_wanted:
        raise InputError(
            "which run? Give --config=configs/demo.py to train, or --workdir=runs/demo."
        )
    try:
        return flags.FLAGS(list(argv))
    except Exception as error:  # configs are Python: anything can come out of them
        reason = " ".join(str(error.args[0] if error.args else error).split())
        if isinstance(error, flags.Error | AttributeError):
            raise InputError(reason) from error
        raise InputError(
            f"cannot use {path or folder}: {type(error).__name__}: {reason}"
        ) from error


def check_kind(config: ConfigDict, mode: str) -> None:
    """Refuse a mode that the config is not for: studies and searches have configs of their own.

    Raises:
        InputError: naming the mode that fits.
    """
    marks = {"study": "variants", "search": "space", "tuning": "grid"}
    kind = next((kind for kind, field in marks.items() if field in config), "run")
    fits = {"study": ("study", "reader"), "search": ("search",), "tuning": ("tune",)}.get(
        kind, ("train", "evaluate", "find_lr", *_WITHOUT_CONFIG)
    )
    if mode not in fits:
        wanted = " or ".join(f"--mode={name}" for name in fits)
        raise InputError(
            f"this is the config of a {kind}; it goes with {wanted}, not --mode={mode}."
        )


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


def _stored(folder: Path) -> ConfigDict:
    """Read the config of a run, or of a study or search."""
    is_study = (folder / workdir.STUDY).is_file()
    return workdir.load_config(folder, workdir.STUDY if is_study else workdir.CONFIG)


def _value(argv: Sequence[str], name: str) -> str | None:
    """Read ``--name=VALUE`` or ``--name VALUE``; the last one counts."""
    found = None
    for position, word in enumerate(argv[1:], 1):
        flag, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and flag == name:
            found = value if equals else (argv[position + 1] if position + 1 < len(argv) else "")
    return found


def _find_config(given: str) -> str:
    """Find the config file here or among the installed ones, and make its neighbours importable."""
    name, colon, argument = given.partition(":")
    installed = Path(__file__).parent.parent / name
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
    return str(path) + colon + argument


def _with_config(argv: Sequence[str], config: str) -> list[str]:
    """Replace the value of ``--config``."""
    words = list(argv)
    for position, word in enumerate(words[1:], 1):
        if word.lstrip("-").startswith("config=") and word.startswith("-"):
            words[position] = f"--config={config}"
        elif word in ("--config", "-config") and position + 1 < len(words):
            words[position + 1] = config
    return words
