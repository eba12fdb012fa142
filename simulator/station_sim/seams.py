"""What the process sees while a virtual world runs, and how it is put back afterwards.

A seam stands where a function of the standard library was (`time.time`, `os.urandom`,
`socket.socket.__init__`, ...). It looks at who calls: the world's own thread, while the world runs,
gets the virtual thing; everybody else gets the real one. There is one seam for each function in a
process, so that a module that was imported inside a world and keeps one, `from time import time`,
has the right clock later too; names that modules imported before the world are replaced as well.

What is put in place lives in `world_clocks.py`, `world_randomness.py` and `guards.py`.
"""

import functools
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

from station_sim.errors import VirtualTimeError

_NOBODY = -1
"""No thread has this identifier."""


class Seam:
    """One replaced attribute of a module or class; `stand_in` is what stands there instead."""

    __slots__ = ("name", "owner", "real", "stand_in", "virtual", "where")

    def __init__(self, where: Any, name: str) -> None:
        self.where = where
        self.name = name
        self.owner = _NOBODY
        self.real: Callable[..., Any] = getattr(where, name)
        self.virtual = self.real
        self.stand_in = self._stand_in()

    def _stand_in(self) -> Callable[..., Any]:
        ident = threading.get_ident

        def seam(*args: Any, **kwargs: Any) -> Any:
            return (self.virtual if ident() == self.owner else self.real)(*args, **kwargs)

        if isinstance(self.where, ModuleType):
            # As a builtin, and unlike a function, it is not bound when a class keeps it.
            return functools.update_wrapper(functools.partial(seam), self.real)
        return functools.wraps(self.real)(seam)

    def install(self, virtual: Callable[..., Any]) -> None:
        """Let this thread get `virtual` from now on."""
        self.real = getattr(self.where, self.name)
        self.virtual = virtual
        self.owner = threading.get_ident()
        setattr(self.where, self.name, self.stand_in)

    def remove(self) -> None:
        """Put the real thing back; who kept the stand-in gets the real thing too."""
        self.owner = _NOBODY
        self.virtual = self.real
        setattr(self.where, self.name, self.real)


_REAL_WAITS = frozenset({"threading", "queue"})
"""Modules that wait in real time, where that is not refused, and must see it pass."""


class Aliases:
    """Names by which modules know a function: `from time import sleep` makes one.

    A module's names are looked through once, when it is first seen.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._known: list[tuple[dict[str, Any], str, Seam]] = []
        self._replaced: list[tuple[dict[str, Any], str, Seam]] = []

    def install(self, seams: list[Seam]) -> None:
        """Replace every alias of what `seams` stand for."""
        by_id = {id(seam.real): seam for seam in seams if isinstance(seam.where, ModuleType)}
        for name, module in list(sys.modules.items()):
            if name not in self._seen and isinstance(module, ModuleType):
                self._seen.add(name)
                if name in _REAL_WAITS:
                    continue
                names = vars(module)
                for alias, value in list(names.items()):
                    if id(value) in by_id:
                        self._known.append((names, alias, by_id[id(value)]))
        for names, alias, seam in self._known:
            if names.get(alias) is seam.real:
                names[alias] = seam.stand_in
                self._replaced.append((names, alias, seam))

    def remove(self) -> None:
        """Put them back."""
        for names, alias, seam in self._replaced:
            if names.get(alias) is seam.stand_in:
                names[alias] = seam.real
        self._replaced.clear()


_SEAMS: dict[tuple[int, str], Seam] = {}
"""Every seam there ever was, by the identity of the module or class (they live on) and the name."""

_ALIASES = Aliases()


class Seams:
    """The seams of one world; `with` ends them."""

    def __init__(self) -> None:
        self._owner = threading.get_ident()
        self._installed: list[Seam] = []
        self._undo = ExitStack()

    def replace(self, where: Any, name: str, virtual: Callable[..., Any]) -> None:
        """`where.name` is `virtual` in the world's thread and what it was in every other."""
        seam = _SEAMS.setdefault((id(where), name), Seam(where, name))
        seam.install(virtual)
        self._installed.append(seam)

    def forbid(self, where: Any, name: str, called: str, instead: str) -> None:
        """`where.name` raises `VirtualTimeError`, naming the call, in the world's thread."""

        def refuse(*_args: Any, **_kwargs: Any) -> Any:
            raise VirtualTimeError(f"{called}: it lives in real time; {instead}")

        self.replace(where, name, refuse)

    def of_caller(self) -> bool:
        """Whether the caller is the world's own thread, while the world runs."""
        return threading.get_ident() == self._owner

    def on_exit(self, undo: Callable[[], object]) -> None:
        """Have `undo` called at the end of the world, before the seams go; last come, first."""
        self._undo.callback(undo)

    def replace_aliases(self) -> None:
        """Replace, for what is replaced by now, the names that modules have imported."""
        _ALIASES.install(self._installed)

    def restore(self) -> None:
        """Put everything back, last replaced first."""
        self._undo.close()
        _ALIASES.remove()
        while self._installed:
            self._installed.pop().remove()


_running: list[Seams] = []
"""The world that runs in this process, if one does."""


@contextmanager
def one_world() -> Iterator[Seams]:
    """Seams for the one world that may run in a process; garbage is collected at its iterations.

    Raises: VirtualTimeError if a world runs already.
    """
    if _running:
        raise VirtualTimeError("a virtual world runs already in this process: one at a time")
    seams = Seams()
    _running.append(seams)
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield seams
    finally:
        seams.restore()
        if collecting:
            gc.enable()
        _running.clear()
