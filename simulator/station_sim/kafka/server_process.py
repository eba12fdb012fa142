"""The simulated Kafka in a process of its own, for blocking code: tests, scripts, a prompt.

Nothing here needs an event loop or a Kafka client. What the process is asked goes through its HTTP
control, whose paths and options are in `control/routes.py`. How stories of this lab start a
broker is in `station_sim.brokers`.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

from station_sim.errors import LabError

ANSWER_TIMEOUT_S = 120.0
"""How long a question to the control may take unless it waits for something."""

END_TIMEOUT_S = 10.0


class ServerProcess:
    """A broker on free ports of loopback, from its making until `close`.

    `settings` go by Kafka's own names. `bootstrap` is where clients connect, `control` the address
    of its HTTP control. Raises: LabError with one line if it does not start.
    """

    def __init__(self, *, nodes: int = 1, settings: Mapping[str, str] | None = None) -> None:
        self._errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115  # until `close`
        options = [f"--set={name}={value}" for name, value in (settings or {}).items()]
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "station_sim.kafka", "--port=0", "--control=0"),
                *("--exit-on-stdin-close", f"--parent-pid={os.getpid()}", "--log-level=warning"),
                *(f"--nodes={nodes}", *options),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self.bootstrap = self._told("listening on ")
            self.control = self._told("control on ")
        except BaseException:
            self.close()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it and forget everything; a second time is harmless."""
        self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """What the control answers to one of its routes.

        Raises: LabError with the control's own line for anything but success.
        """
        address = urlsplit(self.control)
        patience_s = ANSWER_TIMEOUT_S + options.get("within_s", 0) + options.get("down_s", 0)
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=patience_s
        )
        body = None
        if method == "GET" and options:
            path = f"{path}?{urlencode(options)}"
        elif options:
            body = json.dumps(options)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise LabError(f"no answer from {self.control}{path}: {error or 'none'}") from error
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise LabError(f"{method} {path}: {told['error']}")
        return told

    # topics, groups, requests

    def make_topic(
        self, name: str, partitions: int = 1, *, config: Mapping[str, str] | None = None
    ) -> Any:
        """Make a topic; returns what `topic` does."""
        return self.ask(
            "POST", "/topics", name=name, partitions=partitions, config=dict(config or {})
        )

    def topic(self, name: str) -> Any:
        """A topic: its settings, and each partition's leader, offsets and bytes."""
        return self.ask("GET", f"/topics/{quote(name, safe='')}")

    def group(self, name: str) -> Any:
        """A consumer group: its state, members with their partitions, offsets with their lag."""
        return self.ask("GET", f"/groups/{quote(name, safe='')}")

    def requests(self, **which: Any) -> Any:
        """The newest requests that match (`kind`, `topic`, `group`, ...), oldest first."""
        return self.ask("GET", "/requests", **which)

    # trouble

    @contextmanager
    def fault(self, *kinds: str, **options: Any) -> Iterator["ProcessFault"]:
        """A fault for as long as the block runs; the options are those of `Faults.install`."""
        installed = self.ask("POST", "/faults", kinds=list(kinds), **options)
        fault = ProcessFault(self, installed["id"])
        try:
            yield fault
        finally:
            if self.is_alive:
                self.ask("DELETE", f"/faults/{fault.fault_id}")

    def restart(self, *, down_s: float = 0.0) -> None:
        """Close everything as if killed, stay down so long, come back with everything."""
        self.ask("POST", "/restart", down_s=down_s)

    def stop(self) -> None:
        """Close the listeners and every connection as if killed; `start` brings all back."""
        self.ask("POST", "/stop")

    def start(self) -> None:
        """Listen again at the same addresses."""
        self.ask("POST", "/start")

    def wipe(self) -> None:
        """Be as new, at the same addresses."""
        self.ask("POST", "/wipe")

    def _told(self, what: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line.startswith(what):
            return line.removeprefix(what).strip()
        self._process.wait(END_TIMEOUT_S)
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines() or ["it ended without a word"]
        raise LabError(f"the broker did not start: {lines[-1].removeprefix('station-lab: ')}")


class ProcessFault:
    """A fault in a broker's process."""

    def __init__(self, server: ServerProcess, fault_id: int) -> None:
        self._server = server
        self.fault_id = fault_id

    @property
    def seen(self) -> int:
        """How many requests have matched."""
        return int(self._now()["seen"])

    @property
    def hits(self) -> int:
        """How many of them it took."""
        return int(self._now()["hits"])

    @property
    def held(self) -> int:
        """How many wait for `release`."""
        return int(self._now()["held"])

    def wait(self, hits: int = 1, *, within_s: float = 30.0) -> None:
        """Return when it has taken so many requests; raises `LabError` if it has not in time."""
        self._server.ask("POST", f"/faults/{self.fault_id}/wait", hits=hits, within_s=within_s)

    def release(self, count: int | None = None) -> int:
        """Let held requests go on, all or the `count` held longest; returns how many went."""
        path = f"/faults/{self.fault_id}/release"
        return int(self._server.ask("POST", path, count=count)["released"])

    def _now(self) -> Any:
        return self._server.ask("GET", f"/faults/{self.fault_id}")
