"""The simulated Kafka on loopback, in a process of its own: real time, real sockets, no Java.

`station_sim.kafka` is the simulation; here it is started as `python -m station_sim.kafka`, told by
signals to close and open its listener, and ended.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from station_sim.brokers.broker import Broker
from station_sim.brokers.kafka_log import why_it_ended
from station_sim.brokers.ports import require_free
from station_sim.brokers.process import LeashedProcess
from station_sim.brokers.retrying import NotYetError, retry
from station_sim.errors import LabError

START_TIMEOUT_S = 60.0

CLOSE_LISTENER = signal.SIGUSR1
OPEN_LISTENER = signal.SIGUSR2

_LISTENING = re.compile(r"^listening on (\S+:\d+)$", re.MULTILINE)


class EmbeddedBroker(Broker):
    """The simulated Kafka as a server.

    `port` is a port on loopback (default: a free one); `server_properties` are Kafka's own names
    and texts, as far as the simulation knows them.
    """

    kind: ClassVar[str] = "embedded"

    def __init__(
        self, *, port: int | None = None, server_properties: Mapping[str, str] | None = None
    ) -> None:
        self._port = port
        self._server_properties = dict(server_properties or {})
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: LeashedProcess | None = None

    async def start(self) -> None:
        """Start the process, or tell it to listen again."""
        if self._process is None:
            await self._launch()
        else:
            os.kill(self.pid, OPEN_LISTENER)
        await self.wait_until_ready(within_s=START_TIMEOUT_S)

    async def stop(self) -> None:
        """Close the listener and every connection; logs and groups stay in the process."""
        os.kill(self.pid, CLOSE_LISTENER)
        await retry(self._refuses, what=f"stop {self.bootstrap}", within_s=START_TIMEOUT_S)

    async def kill(self) -> None:
        """The same as `stop`: the simulated Kafka always ends without goodbye."""
        await self.stop()

    async def close(self) -> None:
        """End the process and remove its folder."""
        try:
            if self._process is not None:
                await self._process.kill()
        finally:
            self._process = None
            if self._folder is not None:
                self._folder.cleanup()

    def check_alive(self) -> None:
        """Raises `LabError` with the last line of its output when the process has ended."""
        if self._process is not None and self._process.exit_code is not None:
            reason = why_it_ended(self.log_path)
            raise LabError(f"the simulated Kafka ended: {reason}")

    @property
    def directory(self) -> Path:
        """The temporary folder of this broker."""
        assert self._folder is not None, "the broker was never started"
        return Path(self._folder.name)

    @property
    def log_path(self) -> Path:
        """The file with the output of the process."""
        return self.directory / "kafka.log"

    @property
    def pid(self) -> int:
        """The process id of the simulated Kafka."""
        if self._process is None:
            raise LabError("the embedded broker does not run; start it first")
        return self._process.pid

    async def _launch(self) -> None:
        if self._port:
            require_free(self._port)
        self._folder = tempfile.TemporaryDirectory(prefix="station-lab-embedded-")
        command = [sys.executable, "-m", "station_sim.kafka", "--port", str(self._port or 0)]
        command += [f"--set={name}={value}" for name, value in self._server_properties.items()]
        self._process = await LeashedProcess.start(
            command, directory=self.directory, log_path=self.log_path
        )
        self.bootstrap = await retry(
            self._address, what="start the simulated Kafka", within_s=START_TIMEOUT_S
        )

    async def _address(self) -> str:
        self.check_alive()
        match = _LISTENING.search(self.log_path.read_text(errors="replace"))
        if match is None:
            raise NotYetError("it does not listen")
        return match[1]

    async def _refuses(self) -> None:
        host, _, port = self.bootstrap.rpartition(":")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except ConnectionRefusedError:
            return
        writer.close()
        raise NotYetError("it still listens")
