"""The folder of a run: its config, its environment, and whether it may be continued."""

import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
from ml_collections import ConfigDict

from jdmri.errors import InputError
from jdmri.runtime import files, plugins

Config = ConfigDict  # read by `build` and `studies.runs`; the library behind it is imported there, here, and by the command line
CONFIG, STUDY = "config.json", "study.json"
_LENGTH_FIELDS = ("train.num_steps", "train.num_epochs")
_PACKAGES = (
    "jdmri",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "orbax-checkpoint",
    "numpy",
    "scikit-image",
)


def load_config(workdir: Path, name: str = CONFIG) -> Config:
    """Read the config that a run (or, as ``STUDY``, a study) wrote, and import its plugins.

    Raises:
        InputError: there is none in ``workdir``, or a plugin is gone.
    """
    config = read_config(workdir, name)
    plugins.load(config.plugins)
    return config


def read_config(workdir: Path, name: str = CONFIG) -> Config:
    """Read a config without its plugins, lists back to tuples.

    Raises:
        InputError: there is none in ``workdir``.
    """
    path = workdir / name
    if not path.is_file():
        raise InputError(
            f"no run in {workdir} ({name} is missing); check --workdir, or give --config."
        )
    config = ConfigDict(_tuples(files.read_json(path)))
    for section in (config, config.get("base")):
        if section is not None and "plugins" not in section:  # as older runs
            section.plugins = ()
    return config


def open_run(workdir: Path, config: Config, *, extend: bool = False) -> None:
    """Begin or continue a run: write ``config.json`` and ``environment.json``.

    Args:
        workdir: made when missing.
        config: of this call.
        extend: allow a config that differs from the run's in its length only.

    Raises:
        InputError: the workdir holds a run with another config; the differing fields are named.
    """
    path = workdir / CONFIG
    if path.is_file():
        _check_same(read_config(workdir), config, workdir, extend)
    elif workdir.is_dir() and any(workdir.iterdir()):
        raise InputError(f"{workdir} is not empty and holds no run; choose another --workdir.")
    files.write_json(path, config.to_dict())
    files.write_json(workdir / "environment.json", environment())


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """List ``field: old → new`` for every leaf that differs between two nested configs."""
    old, new = _leaves(old), _leaves(new)
    missing = "absent"
    changed = [
        k for k in sorted(old.keys() | new.keys()) if old.get(k, missing) != new.get(k, missing)
    ]
    return [f"{k}: {old.get(k, missing)} → {new.get(k, missing)}" for k in changed]


def environment() -> dict[str, Any]:
    """Describe versions, git commit, devices, and the command line."""
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "git_commit": _git_commit(),
        "devices": [f"{d.platform}: {d.device_kind}" for d in jax.devices()],
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _check_same(old: Config, new: Config, workdir: Path, extend: bool) -> None:
    changes = differences(old.to_dict(), new.to_dict())
    only_longer = all(c.split(":")[0] in _LENGTH_FIELDS for c in changes) and _length(
        new
    ) > _length(old)
    if not changes or (extend and only_longer):
        return
    listed = "; ".join(changes)
    if only_longer:
        raise InputError(
            f"{workdir} holds a shorter run ({listed}): add --extend to train it on (its schedule is "
            f"stretched), or choose a new --workdir with --config.train.init_from={workdir}."
        )
    raise InputError(
        f"{workdir} holds a run with another config ({listed}); choose another --workdir."
    )


def _length(config: Config) -> tuple[int, int]:
    return config.train.num_steps, config.train.num_epochs


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            leaves |= _leaves(value, f"{prefix}{name}.")
        else:
            leaves[prefix + name] = list(value) if isinstance(value, tuple) else value
    return leaves


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    """The commit of the source tree, with ``+`` when it has local changes."""
    source = Path(__file__).parent
    git = lambda *words: subprocess.run(
        ["git", "-C", str(source), *words], capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
