"""Whom does an exception mean: the running task and its program, or what the task awaited?"""

import asyncio


def is_being_cancelled() -> bool:
    """Return whether the running task is being cancelled, not just something it awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def ends_the_task(error: BaseException) -> bool:
    """Return whether what a callback raised ends the program or the running task, not just it."""
    if isinstance(error, asyncio.CancelledError):
        return is_being_cancelled()
    return isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)
