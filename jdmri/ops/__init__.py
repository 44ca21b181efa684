"""Physics as pure functions of arrays: no Flax, no configs. Each module is imported when it is first used."""

import importlib
import pkgutil
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    if name in {module.name for module in pkgutil.iter_modules(__path__)}:
        return importlib.import_module(f"jdmri.ops.{name}")
    raise AttributeError(f"module 'jdmri.ops' has no attribute {name!r}")
