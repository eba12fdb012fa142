"""Whose cancellation is it: ours, or that of something we awaited?"""

import asyncio


def is_being_cancelled() -> bool:
    """Return whether the running task is being cancelled, not just something it awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
