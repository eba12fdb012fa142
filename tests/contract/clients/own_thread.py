"""A thread for one blocking client: its calls run there one after the other, in the order made."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")


class OwnThread:
    """Lends blocking calls to coroutines. It works in virtual time too, on a virtual thread."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, call: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """Call in the thread, when all earlier calls are done; returns what it returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(call, *args, **kwargs))

    def end(self) -> None:
        """Take no more calls; the thread ends after the last."""
        self._pool.shutdown(wait=False)
