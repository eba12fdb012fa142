"""The load command's side of the line to a child process: start it, hear its answers, end it.

The child's side is `tether.py`. A child is out of reach of the terminal's Ctrl-C; it ends with its
parent in any case.
"""

import asyncio
import json
import os
import sys
from collections import deque
from contextlib import suppress
from typing import Any

from station_sim.errors import LabError

POLL_S = 0.02
KEPT_LINES = 50
LINE_BYTES_MAX = 256 * 1024 * 1024
"""The sender's account is one line, some 20 bytes a station and gap."""

STOP_WITHIN_S = 20.0
STOP_IN_TROUBLE_WITHIN_S = 5.0


class Child:
    """A running `python -m module`; use it as an async context manager, which ends it."""

    def __init__(self, what: str, module: str, order: dict[str, Any]) -> None:
        self._what = what
        self._command = (
            sys.executable,
            "-m",
            module,
            json.dumps({**order, "parent_pid": os.getpid()}),
        )
        self._answers: dict[str, dict[str, Any]] = {}
        self._complaints: deque[str] = deque(maxlen=KEPT_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Child":
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES_MAX,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = [
            asyncio.create_task(self._hear(process.stdout)),
            asyncio.create_task(self._overhear(process.stderr)),
        ]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self.stop(within_s=STOP_WITHIN_S if kind is None else STOP_IN_TROUBLE_WITHIN_S)

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process, once started."""
        assert self._process is not None, "a child is used inside its `async with`"
        return self._process

    def answer(self, kind: str) -> dict[str, Any] | None:
        """The newest answer of a kind, None before the first."""
        return self._answers.get(kind)

    @property
    def last_words(self) -> str | None:
        """The last line on the child's standard error."""
        return self._complaints[-1] if self._complaints else None

    async def expect(self, kind: str, *, within_s: float) -> dict[str, Any]:
        """The first answer of a kind; raises `LabError` when the child fails, ends or is late."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while (answer := self.answer(kind)) is None:
            await self.check_alive()
            if loop.time() > deadline:
                raise LabError(f"{self._what} did not answer within {within_s:g} s")
            await asyncio.sleep(POLL_S)
        return answer

    async def check_alive(self) -> None:
        """Raises `LabError` when the child has failed or ended without an account of itself."""
        if self.process.returncode is not None:
            await asyncio.wait(self._readers)
        if failed := self.answer("failed"):
            raise LabError(f"{self._what} failed: {failed['reason']}")
        if self.process.returncode is not None and self.answer("account") is None:
            how = _exit_text(self.process.returncode)
            raise LabError(f"{self._what} ended ({how}): {self.last_words or 'it said nothing'}")

    async def stop(self, *, within_s: float = STOP_WITHIN_S) -> None:
        """SIGTERM, after `within_s` seconds SIGKILL; returns when it is gone and was heard."""
        process = self.process
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
        try:
            await asyncio.wait_for(process.wait(), within_s)
        except (TimeoutError, asyncio.CancelledError) as error:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            if process.stdin is not None:
                process.stdin.close()
        await asyncio.wait(self._readers)

    async def _hear(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            answer = json.loads(line)
            self._answers[answer["kind"]] = answer

    async def _overhear(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(65536):
            lines = chunk.decode(errors="replace").splitlines()
            self._complaints.extend(line.strip() for line in lines if line.strip())


def _exit_text(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
