"""The one registry class: a table from names in a config to the factories they stand for."""

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jdmri.errors import InputError


class Registry:
    """Builds ``{"name": NAME, **arguments}`` by calling what is registered as ``NAME``.

    Python code imports factories directly; a registry is only the door for configs.
    """

    def __init__(self, noun: str):
        """Name the family, for messages."""
        self.noun = noun
        self._factories: dict[str, Callable] = {}

    def register(self, name: str) -> Callable[[Callable], Callable]:
        """Return a decorator that adds a factory under ``name``."""

        def add(factory):
            if name in self._factories:
                raise KeyError(f"{self.noun} {name!r} is registered twice.")
            self._factories[name] = factory
            return factory

        return add

    def __iter__(self) -> Iterator[str]:
        """Iterate over the known names, sorted."""
        return iter(sorted(self._factories))

    def takes(self, name: str) -> tuple[str, ...]:
        """Return the names of the arguments that ``name`` takes.

        Raises:
            InputError: no such name.
        """
        return tuple(_parameters(self[name]))

    def __getitem__(self, name: str) -> Callable:
        """Return the factory called ``name``.

        Raises:
            InputError: no such name; the message lists those that exist.
        """
        if name not in self._factories:
            near = difflib.get_close_matches(str(name), self._factories, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InputError(f"unknown {self.noun} {name!r}.{hint} Known: {', '.join(self)}.")
        return self._factories[name]

    def build(self, section: Mapping[str, Any], **context: Any) -> Any:
        """Call the factory that ``section["name"]`` names with the rest of the section.

        Args:
            section: ``name`` and keyword arguments, e.g. a section of a config.
            **context: facts of the run (``cyclic``, …), passed only to factories that take them.

        Raises:
            InputError: unknown name, or arguments that the factory does not take or misses.
        """
        arguments = dict(section)
        if "name" not in arguments:
            raise InputError(f"a {self.noun} needs a name; known: {', '.join(self)}.")
        name = arguments.pop("name")
        factory = self[name]
        parameters = _parameters(factory)
        arguments |= {k: v for k, v in context.items() if k in parameters and k not in arguments}
        unknown = sorted(set(arguments) - set(parameters))
        missing = [k for k, p in parameters.items() if p.default is p.empty and k not in arguments]
        if unknown or missing:
            wrong = [f"does not take {', '.join(unknown)}"] * bool(unknown)
            wrong += [f"needs {', '.join(missing)}"] * bool(missing)
            takes = ", ".join(parameters) or "nothing"
            raise InputError(f"{self.noun} {name!r} {' and '.join(wrong)}; it takes: {takes}.")
        return factory(**arguments)


def _parameters(factory: Callable) -> dict[str, inspect.Parameter]:
    """The named arguments of ``factory``, without those that Flax adds to every module."""
    parameters = inspect.signature(factory).parameters
    return {
        k: p
        for k, p in parameters.items()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and k not in ("parent", "name")
    }
