"""What the process sees while a virtual world runs, and how it is put back afterwards.

A seam stands where a function of the standard library was (`time.time`, `os.urandom`,
`socket.socket.__new__`, ...). It looks at who calls: the world's own thread, while the world runs,
gets the virtual thing; everybody else gets the real one. There is one seam for each function in a
process, so that a module that was imported inside a world and keeps one, `from time import time`,
has the right clock later too; what modules kept before the world is replaced as well
(`aliases.py`).

Methods of the interpreter's own classes, which Python shows read-only, are exchanged in the class.

What is put in place lives in `world_clocks.py`, `world_randomness.py`, `guards.py` and `threads/`.
"""

import ctypes
import functools
import gc
import time
from _thread import get_ident, start_new_thread
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

from station_sim.aliases import Aliases
from station_sim.errors import VirtualTimeError

_NOBODY = -1
"""No thread has this identifier."""

os_thread = functools.partial(get_ident)
"""The thread in which this runs, to the operating system: all of a world's are one to it."""

begin_os_thread = functools.partial(start_new_thread)
"""Begin a thread of the operating system, which no virtual world rules."""

os_sleep = functools.partial(time.sleep)
"""Let the operating system's thread sleep, and with it its virtual world."""


class Seam:
    """One replaced attribute of a module or class; `stand_in` is what stands there instead."""

    __slots__ = ("inherited", "name", "owner", "real", "stand_in", "virtual", "where")

    def __init__(self, where: Any, name: str, *, is_reading: bool = False) -> None:
        self.where = where
        self.name = name
        self.owner = _NOBODY
        self.inherited = False
        self.real: Callable[..., Any] = getattr(where, name)
        self.virtual = self.real
        self.stand_in = self._stand_in(is_reading)

    def _stand_in(self, is_reading: bool) -> Callable[..., Any]:
        ident = os_thread.func

        def seam(*args: Any, **kwargs: Any) -> Any:
            return (self.virtual if ident() == self.owner else self.real)(*args, **kwargs)

        if is_reading:

            def seam() -> Any:  # type: ignore[misc]  # the same, without arguments: much cheaper
                return (self.virtual if ident() == self.owner else self.real)()

        if isinstance(self.where, ModuleType):
            # As a builtin, and unlike a function, it is not bound when a class keeps it.
            return functools.update_wrapper(functools.partial(seam), self.real)
        return functools.wraps(self.real)(seam)

    def install(self, virtual: Callable[..., Any]) -> None:
        """Let this thread get `virtual` from now on."""
        self.inherited = self.name not in vars(self.where)
        self.real = getattr(self.where, self.name)
        self.virtual = virtual
        self.owner = os_thread()
        setattr(self.where, self.name, self.stand_in)

    def remove(self) -> None:
        """Put the real thing back; who kept the stand-in gets the real thing too."""
        self.owner = _NOBODY
        self.virtual = self.real
        if self.inherited:
            delattr(self.where, self.name)
        else:
            setattr(self.where, self.name, self.real)


_SEAMS: dict[tuple[int, str], Seam] = {}
"""Every seam there ever was, by the identity of the module or class (they live on) and the name."""

_ALIASES = Aliases(but_for=__name__)


class Seams:
    """The seams of one world; `with` ends them."""

    def __init__(self) -> None:
        self._owner = os_thread()
        self._installed: list[Seam] = []
        self._undo = ExitStack()

    def replace(self, where: Any, name: str, virtual: Callable[..., Any]) -> None:
        """`where.name` is `virtual` in the world's thread and what it was in every other."""
        self._put(where, name, virtual)

    def replace_reading(self, where: Any, name: str, virtual: Callable[[], Any]) -> None:
        """The same of a function without parameters that is called very often: a clock."""
        self._put(where, name, virtual, is_reading=True)

    def _put(
        self, where: Any, name: str, virtual: Callable[..., Any], *, is_reading: bool = False
    ) -> None:
        seam = _SEAMS.get((id(where), name))
        if seam is None:
            seam = _SEAMS[id(where), name] = Seam(where, name, is_reading=is_reading)
        seam.install(virtual)
        self._installed.append(seam)

    def forbid(self, where: Any, name: str, called: str, instead: str) -> None:
        """`where.name` raises `VirtualTimeError`, naming the call, in the world's thread."""

        def refuse(*_args: Any, **_kwargs: Any) -> Any:
            raise VirtualTimeError(f"{called}: it lives in real time; {instead}")

        self.replace(where, name, refuse)

    def exchange(self, kind: type, **virtual: Any) -> None:
        """Give a class of the interpreter's own other methods, in every thread.

        CPython keeps them in a dictionary that Python shows read-only; its garbage collector knows
        the way to it. Who calls (`of_caller`) is for the methods to ask.
        """
        methods = gc.get_referents(kind.__dict__)[0]
        real = {name: methods[name] for name in virtual}

        def put(new: dict[str, Any]) -> None:
            methods.update(new)
            ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))

        put(virtual)
        self.on_exit(lambda: put(real))

    def of_caller(self) -> bool:
        """Whether the caller is the world's own thread, while the world runs."""
        return os_thread() == self._owner

    def on_exit(self, undo: Callable[[], object]) -> None:
        """Have `undo` called at the end of the world, before the seams go; last come, first."""
        self._undo.callback(undo)

    def replace_aliases(self) -> None:
        """Replace, for what is replaced by now, the names that modules have imported."""
        _ALIASES.install(
            (seam.real, seam.stand_in)
            for seam in self._installed
            if isinstance(seam.where, ModuleType)
        )

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
