"""kcat, which is librdkafka 2.0 and older on the command line."""

import shutil
import subprocess
import threading

from tests.clients.command import WITHIN_S
from tests.clients.members import Member, PollingMember, Seen

SHORT_SESSION = ("-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=200")


class Kcat:
    """The program of that name."""

    name = "kcat"

    def why_not(self) -> str | None:
        """Why this client is not here, if it is not."""
        return None if shutil.which("kcat") else "no kcat here; install it (Debian: kcat)"

    def produce(self, bootstrap: str, topic: str, partition: int, value: str, codec: str) -> None:
        """Write one record."""
        command = ["kcat", "-b", bootstrap, "-P", "-t", topic, "-p", str(partition), "-z", codec]
        subprocess.run(command, input=f"{value}\n", text=True, check=True, timeout=WITHIN_S)

    def join(self, bootstrap: str, topic: str, group: str) -> Member:
        """A new member, which begins at the earliest record."""
        earliest = ("-X", "auto.offset.reset=earliest", *SHORT_SESSION)
        output = ("-u", "-q", "-f", r"%p %o %T %s\n")
        process = subprocess.Popen(
            ["kcat", "-b", bootstrap, *earliest, *output, "-G", group, topic],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return KcatMember(process)

    def offset_at(self, bootstrap: str, topic: str, partition: int, timestamp_ms: int) -> int:
        """The first offset at that time or later."""
        asked = f"{topic}:{partition}:{timestamp_ms}"
        command = ["kcat", "-b", bootstrap, "-Q", "-t", asked]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WITHIN_S)
        return int(done.stdout.split()[-1])


class KcatMember(PollingMember):
    """A running kcat; it leaves, and commits, when it is told to end."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        super().__init__(self._lines, self._end)

    def close(self) -> None:
        """Commit what was read, and leave."""
        self._process.terminate()
        super().close()

    def _lines(self) -> list[Seen]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._over.wait(WITHIN_S)  # it was told to end; any other end shows in what is read
            return []
        partition, offset, timestamp_ms, value = line.split()
        return [Seen(int(partition), int(offset), int(timestamp_ms), value)]

    def _end(self) -> None:
        self._process.wait(WITHIN_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        assert threading.current_thread() is self._thread
