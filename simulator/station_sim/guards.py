"""What a virtual world refuses: calls that wait, act or lock in real time raise, naming the call.

How a function is replaced is in `seams.py`; what the loop itself refuses is in `refusals.py`; what
threads, locks and sockets do instead of refusing, in `threads/`.
"""

import fcntl
import multiprocessing.process
import os
import select
import signal
import subprocess
from typing import Any

from station_sim.errors import VirtualTimeError
from station_sim.seams import Seams

_SELECTORS = "use `selectors`, `select.select` or `select.poll`"
_OUTSIDE = "start it outside the virtual world"
_FILES = "virtual hosts share no files"
_TIMERS = "use `loop.call_later`"
_WAITS = "use an Event, Queue or Condition, of asyncio or of threads"

REFUSED: tuple[tuple[Any, str, str, str], ...] = (
    (select, "epoll", "select.epoll", _SELECTORS),
    (subprocess.Popen, "__init__", "subprocess.Popen", _OUTSIDE),
    (multiprocessing.process.BaseProcess, "start", "multiprocessing.Process.start", _OUTSIDE),
    (os, "wait", "os.wait", _OUTSIDE),
    (os, "waitpid", "os.waitpid", _OUTSIDE),
    (os, "system", "os.system", _OUTSIDE),
    (os, "fork", "os.fork", _OUTSIDE),
    (os, "forkpty", "os.forkpty", _OUTSIDE),
    (os, "posix_spawn", "os.posix_spawn", _OUTSIDE),
    (os, "posix_spawnp", "os.posix_spawnp", _OUTSIDE),
    (os, "execv", "os.execv", _OUTSIDE),
    (os, "execve", "os.execve", _OUTSIDE),
    (fcntl, "flock", "fcntl.flock", _FILES),
    (fcntl, "lockf", "fcntl.lockf", _FILES),
    (os, "lockf", "os.lockf", _FILES),
    (signal, "alarm", "signal.alarm", _TIMERS),
    (signal, "setitimer", "signal.setitimer", _TIMERS),
    (signal, "pause", "signal.pause", _WAITS),
    (signal, "sigwait", "signal.sigwait", _WAITS),
    (signal, "sigtimedwait", "signal.sigtimedwait", _WAITS),
)
"""(module or class, name there, how users call it, what to do instead)"""

_LOCKING = {
    getattr(fcntl, name)
    for name in ("F_SETLK", "F_SETLKW", "F_OFD_SETLK", "F_OFD_SETLKW")
    if hasattr(fcntl, name)  # they differ between systems
}


def forbid_real_time(seams: Seams) -> None:
    """Refuse, until the world ends, whatever would wait in real time or reach outside."""
    for where, name, called, instead in REFUSED:
        if hasattr(where, name):
            seams.forbid(where, name, called, instead)
    _forbid_file_locks(seams)


def _forbid_file_locks(seams: Seams) -> None:
    real_fcntl = fcntl.fcntl

    def fcntl_without_locks(fd: Any, command: int, argument: Any = 0) -> Any:
        if command in _LOCKING:
            raise VirtualTimeError(f"fcntl.fcntl: file locks live in real time; {_FILES}")
        return real_fcntl(fd, command, argument)

    seams.replace(fcntl, "fcntl", fcntl_without_locks)
