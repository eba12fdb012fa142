"""`station-lab broker` as a process of the test's own, which can be made to restart."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WITHIN_S = 60.0


def wait_until(holds: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
    """Return when `holds()` is true; fail when it is not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.05)


class BrokerCommand:
    """The running command; `bootstrap` is where it listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        self.bootstrap = line.split()[-1]

    def restart(self) -> None:
        """Close the listener and every connection, then listen again at the same port."""
        os.kill(self._process.pid, signal.SIGUSR1)
        wait_until(lambda: not self._listens(), "the broker is away")
        os.kill(self._process.pid, signal.SIGUSR2)
        wait_until(self._listens, "the broker is back")

    def _listens(self) -> bool:
        host, _, port = self.bootstrap.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=WITHIN_S).close()
        except ConnectionError:
            return False
        return True


@contextmanager
def broker_command(*options: str) -> Iterator[BrokerCommand]:
    """A broker on a free port, ended afterwards."""
    command = [sys.executable, "-m", "station_sim.kafka", "--port", "0", "--log-level", "warning"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield BrokerCommand(process)
        finally:
            process.terminate()
            process.wait(WITHIN_S)
