"""Where modules keep functions under names of their own: `from time import sleep` makes one.

So do a class, `clock = time.monotonic`, and a default, `def append(..., now=time.time)`. While a
world runs, what stands there is a seam (`seams.py`), and afterwards what was there before.
"""

import sys
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Protocol


class Place(Protocol):
    """Where a function may be kept."""

    def get(self) -> object:
        """What is there."""
        ...

    def put(self, value: object) -> None:
        """Keep something else there."""
        ...


class Name:
    """A name of a module or of a class."""

    __slots__ = ("_name", "_owner")

    def __init__(self, owner: ModuleType | type, name: str) -> None:
        self._owner = owner
        self._name = name

    def get(self) -> object:
        return vars(self._owner).get(self._name)

    def put(self, value: object) -> None:
        setattr(self._owner, self._name, value)


class Default:
    """The default of a function's parameter: by its place, or its name if keyword-only."""

    __slots__ = ("_function", "_key")

    def __init__(self, function: FunctionType, key: int | str) -> None:
        self._function = function
        self._key = key

    def get(self) -> object:
        if isinstance(self._key, str):
            return (self._function.__kwdefaults__ or {}).get(self._key)
        defaults = self._function.__defaults__ or ()
        return defaults[self._key] if self._key < len(defaults) else None

    def put(self, value: object) -> None:
        if isinstance(self._key, str):
            self._function.__kwdefaults__ = {
                **(self._function.__kwdefaults__ or {}),
                self._key: value,
            }
        else:
            before = self._function.__defaults__ or ()
            after = (*before[: self._key], value, *before[self._key + 1 :])
            self._function.__defaults__ = after


class Aliases:
    """All such places; a module is looked through once, when it is first seen."""

    def __init__(self, *, but_for: str) -> None:
        self._seen: set[str] = {but_for}
        self._known: list[tuple[Place, object]] = []
        self._replaced: list[tuple[Place, object, object]] = []

    def install(self, seams: Iterable[tuple[object, object]]) -> None:
        """Put the second of each pair wherever the first is kept."""
        stand_ins = {id(real): (real, stand_in) for real, stand_in in seams}
        for name, module in list(sys.modules.items()):
            if name not in self._seen and isinstance(module, ModuleType):
                self._seen.add(name)
                self._known += [
                    (place, value) for place, value in _kept(module) if id(value) in stand_ins
                ]
        for place, value in self._known:
            if id(value) in stand_ins and place.get() is value:
                real, stand_in = stand_ins[id(value)]
                place.put(stand_in)
                self._replaced.append((place, real, stand_in))

    def remove(self) -> None:
        """Put them back."""
        for place, real, stand_in in self._replaced:
            if place.get() is stand_in:
                place.put(real)
        self._replaced.clear()


def _kept(module: ModuleType) -> Iterator[tuple[Place, object]]:
    """Every place of a module with what is there."""
    for name, value in list(vars(module).items()):
        yield Name(module, name), value
        if isinstance(value, FunctionType):
            yield from _defaults(value)
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for inner, found in list(vars(value).items()):
                yield Name(value, inner), found
                if isinstance(found, FunctionType):
                    yield from _defaults(found)


def _defaults(function: FunctionType) -> Iterator[tuple[Place, object]]:
    for number, value in enumerate(function.__defaults__ or ()):
        yield Default(function, number), value
    for name, value in (function.__kwdefaults__ or {}).items():
        yield Default(function, name), value
