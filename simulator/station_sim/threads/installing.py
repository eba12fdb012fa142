"""Virtual threads put in place for one world, and taken away at its end."""

import asyncio
import threading
from typing import TYPE_CHECKING

from station_sim.deadlock import place_of
from station_sim.seams import Seams
from station_sim.threads.blocking_calls import called as blocking_call_at
from station_sim.threads.ending import ExitHooks, end_threads, pass_on_interrupts
from station_sim.threads.locks import replace_locks
from station_sim.threads.names import replace_names
from station_sim.threads.patient_clock import PatientClock
from station_sim.threads.queues import replace_simple_queue
from station_sim.threads.scheduler import Scheduler
from station_sim.threads.selecting import replace_selecting
from station_sim.threads.sockets import Sockets, replace_sockets
from station_sim.threads.thread_module import replace_threads
from station_sim.threads.virtual_thread import VirtualThread, name_of

if TYPE_CHECKING:
    from station_sim.clock import VirtualLoop


class Threads:
    """The threads of one world."""

    def __init__(self, seams: Seams, loop: "VirtualLoop") -> None:
        self._seams = seams
        self.scheduler = Scheduler(loop)
        self.clock = PatientClock(loop, self.scheduler)
        self.exit_hooks = ExitHooks(seams)
        sockets = Sockets(self.scheduler, loop.network)
        replace_threads(seams, self.scheduler)
        replace_simple_queue(seams, self.scheduler)
        replace_names(seams, loop.network)
        replace_sockets(seams, sockets)
        replace_selecting(seams, sockets)
        pass_on_interrupts(seams, self.scheduler)
        replace_locks(seams, self.scheduler)

    def waiting(self) -> list[str]:
        """Every thread with its place and what it waits for there, in the order started."""
        return [told(thread) for thread in self.scheduler.threads.values() if not thread.is_frozen]

    async def call_exit_hooks(self) -> None:
        """Call what the world registered with `atexit`, in a thread of its own, for it may wait."""
        if not self.exit_hooks:
            return
        loop = asyncio.get_running_loop()
        called = loop.create_future()

        def call() -> None:
            self.exit_hooks.call()
            loop.call_soon_threadsafe(called.set_result, None)

        threading.Thread(target=call, name="atexit").start()
        await called

    def end(self) -> list[str]:
        """Unwind all threads that still live; returns the names of those that would not end."""
        return end_threads(self._seams, self.scheduler)


def told(thread: VirtualThread) -> str:
    """`thread NAME in function (file:line) waits for what`."""
    name, wait = f"thread {name_of(thread)}", thread.wait
    if wait is None:
        return f"{name} is to go on"
    call, frame = blocking_call_at(thread.greenlet.gr_frame, wait.what)
    place = "" if frame is None else f" in {frame.f_code.co_qualname} ({place_of(frame)})"
    return f"{name}{place} waits for {call}{wait.detail()}"
