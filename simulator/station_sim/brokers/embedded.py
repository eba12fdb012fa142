"""The simulated Kafka on loopback, in a process of its own: real time, real sockets, no Java.

`station_sim.kafka` is the simulation; here it is started as `python -m station_sim.kafka`, told by
signals to close and open its listener, and ended. With a data folder each start is a process of its
own.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from station_sim.brokers.ports import free_row, require_free
from station_sim.brokers.process_broker import ProcessBroker
from station_sim.brokers.retrying import NotYetError, retry

START_TIMEOUT_S = 60.0

CLOSE_LISTENER = signal.SIGUSR1
OPEN_LISTENER = signal.SIGUSR2

_LISTENING = re.compile(r"^listening on (\S+:\d+)$", re.MULTILINE)


class EmbeddedBroker(ProcessBroker):
    """The simulated Kafka as a server.

    `port` is a port on loopback (default: a free one); `server_properties` are Kafka's own names
    and texts, as far as the simulation knows them; only `users`, if there are any, may connect.
    With `data` everything is kept in that folder, for this broker and for later ones. Several
    `nodes` have a port each, from `port` on if that is given; `as_version` lets them look like an
    older release, as in `"2.8"`.
    """

    kind: ClassVar[str] = "embedded"
    program: ClassVar[str] = "the simulated Kafka"

    def __init__(
        self,
        *,
        port: int | None = None,
        server_properties: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        data: Path | str | None = None,
        nodes: int = 1,
        as_version: str | None = None,
    ) -> None:
        super().__init__(port, server_properties, users)
        self._nodes = nodes
        self._as_version = as_version
        self._data = None if data is None else Path(data).absolute()

    async def start(self) -> None:
        """Start the process, or tell it to listen again."""
        if self._process is None:
            await self._open()
        else:
            os.kill(self.pid, OPEN_LISTENER)
        await self.wait_until_ready(within_s=START_TIMEOUT_S)

    async def stop(self) -> None:
        """Close the listener and every connection; logs and groups stay in the process.

        With a data folder the process ends.
        """
        if self._data is not None:
            await self._running().stop()
            self._process = None
            return
        os.kill(self.pid, CLOSE_LISTENER)
        await retry(self._refuses, what=f"stop {self.bootstrap}", within_s=START_TIMEOUT_S)

    async def kill(self) -> None:
        """The same as `stop`, for the simulated Kafka always ends without goodbye.

        With a data folder the process ends by SIGKILL.
        """
        if self._data is None:
            await self.stop()
            return
        await self._running().kill()
        self._process = None

    async def _open(self) -> None:
        if self._port is None and self._nodes > 1 and self._data is not None:
            self._port = free_row(self._nodes)  # each start is a process that has to find them
        if self._port:
            for port in range(self._port, self._port + self._nodes):
                require_free(port)
        if self._folder is None:
            self._make_folder()
        self.log_path.unlink(missing_ok=True)
        self._process = await self._launch(self._command())
        self.bootstrap = await retry(
            self._address, what="start the simulated Kafka", within_s=START_TIMEOUT_S
        )
        if self._nodes == 1:
            self._port = int(self.bootstrap.rpartition(":")[2])

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "station_sim.kafka", "--port", str(self._port or 0)]
        command += ["--log-level", "warning", "--nodes", str(self._nodes)]
        command += [f"--set={name}={value}" for name, value in self._server_properties.items()]
        if self._as_version is not None:
            command += ["--as-version", self._as_version]
        if self._data is not None:
            command += ["--data", str(self._data)]
        if self.users:
            command += ["--users-file", str(self._write_users())]
        return command

    def _write_users(self) -> Path:
        """A command line can be read by everybody on the machine; this file cannot."""
        path = self.directory / "users"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}:{word}\n" for name, word in self.users.items()))
        return path

    async def _address(self) -> str:
        self.check_alive()
        match = _LISTENING.search(self.log_path.read_text(errors="replace"))
        if match is None:
            raise NotYetError("it does not listen")
        return match[1]

    async def _refuses(self) -> None:
        for address in self.bootstrap.split(","):
            host, _, port = address.rpartition(":")
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except ConnectionRefusedError:
                continue
            writer.close()
            raise NotYetError("it still listens")
