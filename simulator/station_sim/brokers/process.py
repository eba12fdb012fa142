"""A process of ours that cannot be left behind: started under `leash.py`, its output in a file.

What runs in it and when it is ready is the matter of the broker that starts it.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from station_sim.errors import LabError

LEASH = Path(__file__).with_name("leash.py")

END_TIMEOUT_S = 20.0
"""How long the leash itself may take, which kills its child after 10 s."""


class LeashedProcess:
    """One run of a command; `directory` is removed when the starter dies before it."""

    def __init__(self, leash: asyncio.subprocess.Process, pid: int) -> None:
        self._leash = leash
        self.pid = pid

    @classmethod
    async def start(
        cls, command: Sequence[str], *, directory: Path, log_path: Path
    ) -> "LeashedProcess":
        """Start `command` in a session of its own, out of reach of the terminal's Ctrl-C."""
        with log_path.open("ab") as log:
            leash = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LEASH)),
                *(str(directory), str(log_path), *command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert leash.stdout is not None
        first_line = await leash.stdout.readline()
        if not first_line:
            await leash.wait()
            raise LabError(f"could not start {command[0]}: see {log_path}")
        return cls(leash, int(first_line))

    @property
    def exit_code(self) -> int | None:
        """The exit code, 128 + signal if one ended it, or None while it runs."""
        return self._leash.returncode

    async def wait(self) -> int:
        """The exit code, when the process has ended by itself."""
        return await self._leash.wait()

    async def stop(self) -> None:
        """SIGTERM, after a grace SIGKILL; returns when the process is gone."""
        await self._end(b"stop\n")

    async def kill(self) -> None:
        """SIGKILL; returns when the process is gone."""
        await self._end(b"kill\n")

    async def _end(self, order: bytes) -> None:
        assert self._leash.stdin is not None
        if self.exit_code is None:
            try:
                self._leash.stdin.write(order)
                await self._leash.stdin.drain()
            except ConnectionError:
                pass  # it ended by itself in this moment
        try:
            await asyncio.wait_for(self._leash.wait(), END_TIMEOUT_S)
        finally:
            self._leash.stdin.close()
