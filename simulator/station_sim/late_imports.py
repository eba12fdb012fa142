"""Imports that are late because they take long, in a virtual world too.

What a module does while it is imported (look at the clock, draw numbers, start `uname`) must be
neither refused there nor be seen in the world's own draws: so it happens in a thread of the
operating system, which no virtual world rules.
"""

import importlib
import sys

from station_sim.seams import begin_os_thread, os_sleep

LOOK_EVERY_S = 0.001


def import_late(*names: str) -> None:
    """See that modules are imported; raises what importing raises."""
    missing = [name for name in names if name not in sys.modules]
    if not missing:
        return
    ends: list[BaseException | None] = []
    begin_os_thread(_import, (missing, ends))
    while not ends:
        os_sleep(LOOK_EVERY_S)
    if ends[0] is not None:
        raise ends[0]


def _import(names: list[str], ends: list[BaseException | None]) -> None:
    try:
        for name in names:
            importlib.import_module(name)
    except BaseException as error:
        ends.append(error)
    else:
        ends.append(None)
