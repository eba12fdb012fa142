"""How a world runs to its end: its main task, then whatever that left behind.

Tasks are cancelled, what was registered with `atexit` is called, threads are unwound
(`threads/ending.py`). Nothing of it goes on afterwards.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from station_sim.errors import DeadlockError
from station_sim.threads.installing import Threads

if TYPE_CHECKING:
    from station_sim.clock import VirtualLoop

T = TypeVar("T")


def run_to_the_end(loop: "VirtualLoop", main: Callable[[], Awaitable[T]], threads: Threads) -> T:
    """Run `main()` and return its result when all else has ended too. Raises what it raises."""

    async def program() -> T:
        return await main()

    task = loop.create_task(program(), name="main")
    try:
        result = loop.run_until_complete(task)
    except BaseException as error:
        _end_after(error, loop, task, threads)
        raise
    _end(loop, threads)
    return result


def _end_after(
    error: BaseException,
    loop: "VirtualLoop",
    main: "asyncio.Task[Any]",
    threads: Threads,
) -> None:
    """Let everything end; what goes wrong in doing so is a note to the `error` that ended it."""
    try:
        if isinstance(error, KeyboardInterrupt) and not main.done():
            main.cancel()
            _settle(loop, [main])
    except DeadlockError as deadlock:
        _note(error, deadlock)
    try:
        _end(loop, threads)
    except DeadlockError as deadlock:
        _note(error, deadlock)


def _note(error: BaseException, deadlock: DeadlockError) -> None:
    error.add_note(f"and while the virtual world was ending: {deadlock}")


def _end(loop: "VirtualLoop", threads: Threads) -> None:
    """Tasks first, then exit hooks, then threads, as in a process."""
    try:
        _cancel_rest(loop)
        loop.run_until_complete(threads.call_exit_hooks())
    finally:
        for deaf in threads.end():
            loop.call_exception_handler(
                {"message": f"thread {deaf} catches SystemExit and would not end with its world"}
            )
    _cancel_rest(loop)


def _cancel_rest(loop: "VirtualLoop") -> None:
    """Cancel what `main` left running, as `asyncio.run` does, and close open generators."""
    rest = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    for task in rest:
        task.cancel()
    _settle(loop, rest)
    if loop.network.hosts.any_crashed:
        loop.run_until_complete(_close_crashed(loop))
    loop.run_until_complete(loop.shutdown_asyncgens())


async def _close_crashed(loop: "VirtualLoop") -> None:
    """Close what crashes have frozen, with the loop running, for it may ask."""
    loop.network.hosts.close()


def _settle(loop: "VirtualLoop", tasks: "list[asyncio.Task[Any]]") -> None:
    """Run the loop until cancelled `tasks` have ended; their errors are reported, not raised."""
    if not tasks:
        return
    ended = asyncio.gather(*tasks, return_exceptions=True)
    while not ended.done():
        # Each task that ends the program stops the loop, and has ended itself.
        with suppress(SystemExit):
            loop.run_until_complete(ended)
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler(
                {
                    "message": "a task failed while the virtual world was ending",
                    "exception": task.exception(),
                    "task": task,
                }
            )
