"""The space of a search: fields of a config, each with a range or choices."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from jdmri.errors import InputError

Space = Mapping[str, Mapping[str, Any]]  # field → low, high, log, num, or choices


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, dict]:
    """Flatten to dotted fields; a leaf is a section with ``choices``, or ``low`` and ``high``.

    Raises:
        InputError: an empty space, or a leaf that is neither.
    """
    found = {}
    for name, value in tree.items():
        if not isinstance(value, Mapping):
            raise InputError(
                f"space.{prefix}{name} must be dict(low=…, high=…) or dict(choices=(…)), got {value!r}."
            )
        is_leaf = "choices" in value or {"low", "high"} <= value.keys()
        found |= {prefix + name: dict(value)} if is_leaf else flatten(value, f"{prefix}{name}.")
    if not found:
        raise InputError(f"space.{prefix.rstrip('.')} is empty; give fields with low and high, or choices.")  # fmt: skip
    return found


def nest(flat: Mapping[str, Any]) -> dict:
    """Turn dotted fields back into a tree."""
    tree: dict = {}
    for field, value in flat.items():
        *parents, last = field.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return tree


def grid(section: Mapping[str, Any]) -> list:
    """List the points of a grid along one field."""
    if "choices" in section:
        return list(section["choices"])
    space = np.geomspace if section.get("log", False) else np.linspace
    values = space(section["low"], section["high"], section.get("num", 5))
    if isinstance(section["low"], int) and isinstance(section["high"], int):
        return sorted({round(v) for v in values.tolist()})
    return [float(f"{v:.4g}") for v in values]


def suggest(trial, field: str, section: Mapping[str, Any], *, on_grid: bool) -> Any:
    """Let an Optuna trial choose a value."""
    if on_grid or "choices" in section:
        return trial.suggest_categorical(field, grid(section))
    low, high, log = section["low"], section["high"], section.get("log", False)
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(field, low, high, log=log)
    return trial.suggest_float(field, low, high, log=log)


def spoken(chosen: Mapping[str, Any]) -> str:
    """Say the chosen values in one line."""
    return ", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in chosen.items())  # fmt: skip


def digest(chosen: Mapping[str, Any]) -> str:
    """Name a folder after the chosen values."""
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:10]
