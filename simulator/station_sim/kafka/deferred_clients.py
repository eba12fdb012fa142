"""kafka-python and aiokafka without their clients, until somebody asks for one.

The broker needs no more of them than their protocol classes and record codecs, but the packages
import all of their clients first, which is most of the broker's start. Here the packages are put
in place unopened: their modules can be imported, and the first name that is asked of the package
itself opens it. Who imports what is the matter of the modules that need it.
"""

import importlib.util
import sys
from types import ModuleType
from typing import Any

PACKAGES = ("kafka", "aiokafka")


class UnopenedPackage(ModuleType):
    """A package whose `__init__` runs when a name of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks for these
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__class__ = ModuleType  # type: ignore[assignment]  # open: as any other package
        spec = self.__spec__
        loader = None if spec is None else spec.loader
        assert loader is not None, "made from a spec with a loader"
        loader.exec_module(self)
        return getattr(self, name)


def defer_clients() -> None:
    """Let the packages wait to be opened; those that are imported already stay as they are."""
    for name in PACKAGES:
        spec = None if name in sys.modules else importlib.util.find_spec(name)
        if spec is None:
            continue
        package = importlib.util.module_from_spec(spec)
        package.__class__ = UnopenedPackage
        sys.modules[name] = package
