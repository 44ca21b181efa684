"""File formats: one file per format, from a path to a `Dataset`. Each registers itself, and all are imported here."""

import importlib
import pkgutil

for _name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_name}")
