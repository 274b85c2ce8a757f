"""A registry: name -> thing, filled lazily from a table of import paths and from plugins.

Built-ins are named by import path so that listing them costs no import (and no torch).
Plugins register through the same call or through an entry point of the same group.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
from collections.abc import Iterator
from typing import Generic, TypeVar

from brainscan.core.errors import PlanError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things of one kind. Names are unique: a second registration is refused."""

    def __init__(self, kind: str, group: str, builtin: dict[str, str]) -> None:
        self.kind = kind
        self.group = group
        self._paths = dict(builtin)
        self._loaded: dict[str, T] = {}
        self._plugins_seen = False

    def add(self, name: str, thing: T) -> T:
        """Register a thing under a new name.

        Raises:
            PlanError: the name is taken.
        """
        if name in self._paths or name in self._loaded:
            raise PlanError(f"There is already {self.kind} called {name!r}.", "Choose another name.")
        self._loaded[name] = thing
        return thing

    @contextlib.contextmanager
    def lent(self, name: str, thing: T) -> Iterator[T]:
        """Register a thing for the length of a block.

        Raises:
            PlanError: the name is taken.
        """
        self.add(name, thing)
        try:
            yield thing
        finally:
            del self._loaded[name]

    def names(self) -> tuple[str, ...]:
        """All names, built-ins in their listed order, then plugins."""
        self._find_plugins()
        return tuple(dict.fromkeys((*self._paths, *self._loaded)))

    def get(self, name: str) -> T:
        """The thing of that name, imported on first use.

        Raises:
            PlanError: there is no such name.
        """
        if name not in self._loaded:
            if name not in self.names():
                raise PlanError(
                    f"There is no such thing as {self.kind} called {name!r}.",
                    f"Choose one of: {', '.join(self.names())}.",
                )
            module, _, attribute = self._paths[name].partition(":")
            self._loaded[name] = getattr(importlib.import_module(module), attribute)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def _find_plugins(self) -> None:
        if self._plugins_seen:
            return
        self._plugins_seen = True
        for entry in importlib.metadata.entry_points(group=self.group):
            self._paths.setdefault(entry.name, entry.value)
