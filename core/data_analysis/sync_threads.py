"""The threads of the blocking service: what they are called, and that none ends without a word."""

import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from data_analysis.failure import Failed

END_SECONDS = 30.0
"""How long the end waits for a thread that waits for Kafka; all of their waits are shorter."""


def guarded_thread(name: str, run: Callable[[], None], failed: Failed) -> threading.Thread:
    """Return a thread that is not started yet; `failed` is told of what ends it."""

    def guarded() -> None:
        try:
            run()
        except BaseException as error:
            if ends_with_process(error):
                raise
            failed(name, error)

    return threading.Thread(target=guarded, name=f"data-analysis-{name}", daemon=True)


def ends_with_process(error: BaseException) -> bool:
    """Return whether a thread is unwound because its process ends, which is nobody's failure.

    Anything else that is raised in a thread, `SystemExit` included, ends that thread alone.
    """
    return not isinstance(error, Exception) and sys.is_finalizing()


def join(thread: threading.Thread) -> None:
    """Wait, within a limit, for the end of a thread that runs and is not this one."""
    if thread.is_alive() and thread is not threading.current_thread():
        thread.join(END_SECONDS)


def side_by_side(calls: Sequence[Callable[[], None]]) -> list[BaseException | None]:
    """Make all calls at once and wait for them; return what each of them raised."""
    pool = ThreadPoolExecutor(len(calls), thread_name_prefix="side-by-side")
    try:
        made = [pool.submit(call) for call in calls]
        return [each.exception() for each in made]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
