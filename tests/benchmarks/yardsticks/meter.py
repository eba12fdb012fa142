"""Counts, clocks, the rule when to stop, and the one line of JSON that every measurement prints."""

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Sequence

LONGEST_START_S = 40.0


def arguments(description: str | None, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line of a yardstick; `group` is a new consumer group."""
    parser = parser_of(description)
    options = parser.parse_args(argv)
    options.group = f"bench-{uuid.uuid4().hex[:12]}"
    return options


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """What every measurement is asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bootstrap", required=True, help="host:port[,host:port]")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--out-topic", default="bench-out")
    parser.add_argument("--records", type=int, required=True, help="stop after so many")
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--payload", choices=["single", "batch", "hourly"], default="single")
    parser.add_argument("--max-seconds", type=float, default=120.0)
    return parser


class Meter:
    """Measures from the first record to the last acknowledgement."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.records = 0
        self._wanted = options.records
        self._max_seconds = options.max_seconds
        self._born = time.perf_counter()
        self._began: tuple[float, float] | None = None
        self._ended: tuple[float, float] | None = None

    def start(self) -> None:
        """Begin to measure, once."""
        if self._began is None:
            self._began = (time.perf_counter(), time.process_time())

    def done(self) -> bool:
        """Whether enough records were seen, or time is up."""
        if self.records >= self._wanted:
            return True
        now = time.perf_counter()
        if self._began is None:
            return now - self._born > LONGEST_START_S
        return now - self._began[0] > self._max_seconds

    def stop(self) -> None:
        """End the measurement, once."""
        if self._ended is None:
            self._ended = (time.perf_counter(), time.process_time())

    def report(self, **more: object) -> int:
        """Print the line; 0 if all records were seen."""
        self.stop()
        if self._began is None or self._ended is None:
            print(json.dumps({"error": "no record arrived"}))
            return 1
        seconds = max(self._ended[0] - self._began[0], 1e-9)
        cpu_seconds = self._ended[1] - self._began[1]
        line = {
            "records": self.records,
            "seconds": round(seconds, 4),
            "records_per_s": round(self.records / seconds, 1),
            "cpu_us_per_record": round(1e6 * cpu_seconds / max(self.records, 1), 2),
            "peak_rss_mb": round(memory_mb("VmHWM"), 1),
            "complete": self.records >= self._wanted,
            **more,
        }
        print(json.dumps(line), flush=True)
        return 0 if line["complete"] else 1


def memory_mb(name: str = "VmRSS") -> float:
    """Resident memory of this process in MiB: VmRSS now, VmHWM at its highest."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {name}")


def leave(code: int) -> None:
    """End the process without waiting for a client's threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
