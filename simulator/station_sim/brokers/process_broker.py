"""What brokers in a process of ours share: the process, its temporary folder, their end.

How the process is started and when it is ready is the matter of `jvm.py` and `embedded.py`.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from station_sim.brokers.broker import Broker
from station_sim.brokers.kafka_log import why_it_ended
from station_sim.brokers.process import LeashedProcess
from station_sim.errors import LabError


class ProcessBroker(Broker):
    """A broker that is a process on this machine, with a folder that goes when it is closed.

    `port` is a port on loopback (None: a free one); `server_properties` are Kafka's own names and
    texts; `users`, if there are any, are the passwords by name of who alone may connect.
    """

    program: ClassVar[str]
    """What runs, as messages call it."""

    def __init__(
        self,
        port: int | None,
        server_properties: Mapping[str, str] | None,
        users: Mapping[str, str] | None = None,
    ) -> None:
        self._port = port
        self.users = dict(users or {})
        self._server_properties = dict(server_properties or {})
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: LeashedProcess | None = None

    async def close(self) -> None:
        """End the process if it runs, and remove its folder."""
        try:
            if self._process is not None:
                await self._process.kill()
        finally:
            self._process = None
            if self._folder is not None:
                self._folder.cleanup()

    def check_alive(self) -> None:
        """Raises `LabError` with the reason from its output when it has ended by itself."""
        if self._process is not None and self._process.exit_code is not None:
            reason = why_it_ended(self.log_path)
            raise LabError(f"{self.program} ended with code {self._process.exit_code}: {reason}")

    @property
    def directory(self) -> Path:
        """The temporary folder with everything of this broker."""
        assert self._folder is not None, "the broker was never started"
        return Path(self._folder.name)

    @property
    def log_path(self) -> Path:
        """The file with the output of the process."""
        return self.directory / "kafka.log"

    @property
    def pid(self) -> int:
        """The process id of the broker."""
        return self._running().pid

    def _running(self) -> LeashedProcess:
        if self._process is None:
            raise LabError(f"the {self.kind} broker does not run; start it first")
        return self._process

    def _make_folder(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=f"station-lab-{self.kind}-")

    async def _launch(self, command: Sequence[str]) -> LeashedProcess:
        return await LeashedProcess.start(command, directory=self.directory, log_path=self.log_path)
