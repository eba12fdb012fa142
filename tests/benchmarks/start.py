"""How long `station-lab broker` takes until clients may connect, cold and warm.

    python -m tests.benchmarks.start [--starts N]

From the start of the process to its line `listening on HOST:PORT`. Cold is a first start from a
clone, when nothing of the project is compiled; warm is every other. Processor seconds, which other
programs hardly change, are those of the whole process, with its end.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import station_sim
from tests.benchmarks.yardstick import print_yardstick

TARGET_S = 0.5
COMMAND = (sys.executable, "-m", "station_sim.cli", "broker", "--port", "0")


@dataclass(frozen=True)
class Start:
    """Seconds until the line, and those of the processor."""

    wall_s: float
    cpu_s: float


def start(environment: Mapping[str, str]) -> Start:
    """Start a broker, wait for its line, end it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.perf_counter()
    with subprocess.Popen(
        COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as broker:
        assert broker.stdout is not None
        line = broker.stdout.readline()
        took_s = time.perf_counter() - began_s
        broker.terminate()
    assert line.startswith("listening on "), f"instead of listening, the broker said {line!r}"
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return Start(took_s, cpu_s)


def environment(caches: Path) -> dict[str, str]:
    """Where compiled Python lies in a folder of its own, and is written."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(caches)}


def forget_own(caches: Path) -> None:
    """Remove what was compiled of the project, and keep what was of its dependencies."""
    own = Path(station_sim.__file__).parent
    shutil.rmtree(caches / own.relative_to(own.anchor))


def measure(starts: int) -> dict[str, list[Start]]:
    """`starts` cold starts and as many warm ones."""
    cold = []
    with tempfile.TemporaryDirectory(prefix="station-lab-starts-") as folder:
        caches = Path(folder)
        start(environment(caches))
        for _ in range(starts):
            forget_own(caches)
            cold.append(start(environment(caches)))
        warm = [start(environment(caches)) for _ in range(starts)]
    return {"cold": cold, "warm": warm}


def row(name: str, starts: Sequence[Start], target: str) -> str:
    """One line of the table."""
    walls_s = [each.wall_s for each in starts]
    cpu_s = statistics.median(each.cpu_s for each in starts)
    return (
        f"{name:8}{len(starts):8}{statistics.median(walls_s):12.3f}"
        f"{min(walls_s):9.3f}-{max(walls_s):.3f}{cpu_s:9.3f}{target:>10}"
    )


def main() -> int:
    """Measure and print; 0 if the median of warm starts met its target, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=10)
    found = measure(parser.parse_args().starts)
    print(f"{'start':8}{'starts':>8}{'median s':>12}{'spread s':>14}{'cpu s':>9}{'target s':>10}")
    print(row("cold", found["cold"], "reported"))
    print(row("warm", found["warm"], f"< {TARGET_S:g}"))
    print_yardstick()
    return 1 if statistics.median(each.wall_s for each in found["warm"]) >= TARGET_S else 0


if __name__ == "__main__":
    sys.exit(main())
