"""`threading.local`, one for each virtual thread.

The interpreter keeps the values of all thread-local objects of a thread in one dictionary, by a key
for each object. Whenever another virtual thread runs, its entries are put there in place of those
of the one before. So that holds for objects made before the world too.
"""

import ctypes
import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from station_sim.threads.virtual_thread import VirtualThread


_known_by = weakref.getweakrefcount


class ThreadLocals:
    """The thread-local values of the world's own thread and of its virtual threads."""

    def __init__(self) -> None:
        self._place = _dictionary_of_this_thread()
        self._kind = _kind_of_entries(self._place)
        self._of_loop: dict[str, Any] = {}
        self._others = 0
        """How many entries of other kinds are there."""

    def exchange(self, leaving: "VirtualThread | None", coming: "VirtualThread | None") -> None:
        """Put the values of `coming` (None: the loop's own) in place of those of `leaving`."""
        place = self._place
        if len(place) != self._others:
            kept, kind = self._of_loop if leaving is None else leaving.locals, self._kind
            for key in [key for key, value in place.items() if type(value) is kind]:
                kept[key] = place.pop(key)
            self._others = len(place)
        found = self._of_loop if coming is None else coming.locals
        if found:
            for key, value in found.items():
                # An object that is gone knows its entries no more; its key may be another's by now.
                if _known_by(value):
                    place[key] = value
            found.clear()


def _dictionary_of_this_thread() -> dict[str, Any]:
    """CPython's dictionary of a thread's state, where extensions keep what is a thread's own."""
    get = ctypes.pythonapi.PyThreadState_GetDict
    get.restype = ctypes.c_void_p
    found: dict[str, Any] = ctypes.cast(get(), ctypes.py_object).value
    return found


def _kind_of_entries(place: dict[str, Any]) -> type:
    """The class, nameless in Python, of what a thread-local object leaves there."""
    known = set(place)
    example = threading.local()
    example.value = None
    (key,) = set(place) - known
    return type(place[key])
