"""Memory of windows, and what a long window costs as lists, each beside its target.

    python -m tests.benchmarks.memory [--row NAME]... [--stations N] [--records N]

- `full-windows`: windows of 40,320 points of ten numbers, a time text and the record's time, that
  are full and slide, against the bytes of ten float64 columns (target: at most 1.4 times as much).
  Stations send at seconds of their own; the most counts that was resident at any time.
- `read-windows`: the same while the input of every station is read once as lists, of which some
  are kept (same target).
- `flat`: growth of a process whose engine takes records of every kind and finishes their work, from
  three tenths on (target: under 2 %); see `tests.benchmarks.memory_flat`.
- `lists`: one point and the whole input as lists, against appending to and slicing a list per
  field (target: at most 1.3 times as long), in turn, in processor seconds; of one station, and of
  fifteen in turn.

A thousand stations want 5 GB; with few, what the process itself needs counts for more, and with
fewer than ten million records `flat` sees caches fill. Each row is a process of its own; memory is
what is resident.
"""

import argparse
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from data_analysis import DataDispatcher
from tests.benchmarks.memory_flat import ROUND_RECORDS, LongRun, check
from tests.benchmarks.yardstick import print_yardstick
from tests.benchmarks.yardsticks.common import FIELDS

TOPIC = "T"
MODULE = "m"
WINDOW = 40_320
AT_ONCE = 64
"""Points that a window takes before the next one gets as many."""

FIRST_TIME_S = 1_700_000_000
STEP_S = 15
MIB = 1024 * 1024
SAMPLES = 10
WARM_SAMPLES = 3
"""Tenths until caches are full and the allocator has its share of holes."""

LOOK_ROUNDS = 20
"""Caches fill and are emptied: of each tenth of the records, the most counts."""

LIST_ROUNDS = 5
LIST_READS = 60
MANY_STATIONS = 15


def memory_mb() -> float:
    """Resident memory of this process in MiB."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no VmRSS")


def config(window: int) -> SimpleNamespace:
    """One topic of ten numbers and a time."""
    detail = {
        "fields": ["stationId", "sendTime", *FIELDS],
        "modules": [MODULE],
        "window_size": window,
        "expire_seconds": None,
    }
    return SimpleNamespace(TOPIC_DETAIL={TOPIC: detail}, MODULE_DEPENDENCIES={})


def item(at: int, late_s: int = 0) -> dict[str, Any]:
    """A station's point number `at`, sent so many seconds later than by the first stations."""
    seconds = FIRST_TIME_S + at * STEP_S + late_s
    sent = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
    point: dict[str, Any] = {"sendTime": sent}
    point.update((field, at * 0.25 + number) for number, field in enumerate(FIELDS))
    return point


def again(point: dict[str, Any]) -> dict[str, Any]:
    """The same point with a text of its own, as decoding another station's record makes it."""
    return {**point, "sendTime": point["sendTime"].encode().decode()}


def full_windows(options: argparse.Namespace) -> float:
    """Bytes that a full window takes, by those of its ten columns of floats."""
    full = Full(options.stations)
    full.fill()
    return full.most


def read_windows(options: argparse.Namespace) -> float:
    """The same, while every input is read as lists."""
    full = Full(options.stations)
    full.fill()
    full.read()
    return full.most


class Full:
    """Windows that are full and slide, of stations that send at seconds of their own.

    They grow in turn, `AT_ONCE` points at a time, as stores of the topic that stand in no
    dispatcher. `most` is the most that they took, relative to ten columns of floats.
    """

    def __init__(self, stations: int) -> None:
        dispatcher = DataDispatcher(config=config(WINDOW))
        self._feed = dispatcher.feed(TOPIC)
        self._inputs = dispatcher.inputs(MODULE)
        self._before_mb = memory_mb()
        self._stores = [self._feed.store() for _ in range(stations)]
        self.most = 0.0

    def fill(self) -> None:
        """Give every window as many points as it has, and as make it move twice."""
        points = WINDOW + WINDOW // 4 + AT_ONCE
        for first in range(0, points, AT_ONCE):
            items = [item(at) for at in range(first, first + AT_ONCE)]
            for number, store in enumerate(self._stores):
                late_s = number % STEP_S
                times = [
                    float(FIRST_TIME_S + at * STEP_S + late_s)
                    for at in range(first, first + AT_ONCE)
                ]
                rows = [
                    self._feed.row({**each, "sendTime": sent})
                    for each, sent in zip(items, _texts(first, late_s), strict=True)
                ]
                store.take(rows, times, times[-1])
            if first % (16 * AT_ONCE) == 0:
                self._look(told=first % (160 * AT_ONCE) == 0)
        self._look(told=True)
        assert all(len(store) == WINDOW for store in self._stores)

    def read(self) -> None:
        """Read the input of every station."""
        for number, store in enumerate(self._stores):
            read = self._inputs.assemble(f"S{number:04d}", {TOPIC: store.view()}, "list")
            assert len(read["totalPower_window"]) == WINDOW
            del read
            if number % 10 == 0:
                self._look(told=number % 100 == 0)
        self._look(told=True)

    def _look(self, told: bool) -> None:
        columns_bytes = len(self._stores) * WINDOW * len(FIELDS) * 8
        taken_mb = memory_mb() - self._before_mb
        self.most = max(self.most, taken_mb * MIB / columns_bytes)
        if told:
            points = len(self._stores[0])
            print(f"windows of {points:,}: {taken_mb:,.0f} MiB", file=sys.stderr, flush=True)


def _texts(first: int, late_s: int) -> list[str]:
    """The times of points as texts, new ones as decoding a record makes them."""
    return [text.encode().decode() for text in _known_texts(first, late_s)]


@lru_cache(maxsize=2 * STEP_S)
def _known_texts(first: int, late_s: int) -> list[str]:
    return [item(at, late_s)["sendTime"] for at in range(first, first + AT_ONCE)]


def flat(options: argparse.Namespace) -> float:
    """Growth of the most that is resident behind the first three tenths of the records, a share."""
    coalescing, calling = LongRun(coalesce=True), LongRun(coalesce=False)
    rounds = options.records // ROUND_RECORDS
    peaks_mb = [0.0] * SAMPLES
    for number in range(rounds):
        part = number * SAMPLES // rounds
        if number % LOOK_ROUNDS == 0:
            peaks_mb[part] = max(peaks_mb[part], memory_mb())
        if part != (number + 1) * SAMPLES // rounds:
            _tell((number + 1) * ROUND_RECORDS, peaks_mb[part])
        # Calling for every record takes several times as long.
        (coalescing if number % 20 else calling).round()
    for run in (coalescing, calling):
        run.end()
    check(coalescing, calling)
    warm = WARM_SAMPLES
    return max(peaks_mb[warm:]) / max(peaks_mb[:warm]) - 1


def _tell(records: int, peak_mb: float) -> None:
    gc.collect()
    told = (
        f"{records:,} records: at most {peak_mb:.1f} MiB, now {sys.getallocatedblocks():,} blocks"
    )
    print(told, file=sys.stderr, flush=True)


def lists_of_one(_options: argparse.Namespace) -> float:
    """CPU seconds of a point and the input as lists, by those of lists kept per field."""
    return Lists(1).ratio()


def lists_of_many(_options: argparse.Namespace) -> float:
    """The same of stations in turn."""
    return Lists(MANY_STATIONS).ratio()


class Lists:
    """Stations with full windows, here and as a list per field."""

    def __init__(self, stations: int) -> None:
        self._dispatcher = DataDispatcher(config=config(WINDOW))
        names = ("sendTime", *FIELDS)
        self._kept: dict[str, dict[str, list[Any]]] = {
            f"S{number:04d}": {name: [] for name in names} for number in range(stations)
        }
        for at in range(WINDOW):
            point = item(at)
            for station_id in self._kept:
                self._add(station_id, at, again(point))
                self._keep(station_id, point)

    def ratio(self) -> float:
        """The median of rounds; the first reads of each station are not measured."""
        self._round(WINDOW)
        first = WINDOW + LIST_READS
        last = first + LIST_ROUNDS * LIST_READS
        return statistics.median(self._round(at) for at in range(first, last, LIST_READS))

    def _round(self, first: int) -> float:
        points = [item(at) for at in range(first, first + LIST_READS)]
        gc.collect()
        began_s = time.process_time()
        for at, point in enumerate(points, first):
            for station_id in self._kept:
                self._add(station_id, at, point)
                ours = self._dispatcher.get_module_input(station_id, MODULE)
        ours_s = time.process_time() - began_s
        gc.collect()
        began_s = time.process_time()
        for point in points:
            for station_id in self._kept:
                self._keep(station_id, point)
                kept = self._kept[station_id].items()
                sliced = {name: values[-WINDOW:] for name, values in kept}
        kept_s = time.process_time() - began_s
        assert sliced["totalPower"] == ours["totalPower_window"]
        return ours_s / kept_s

    def _add(self, station_id: str, at: int, point: dict[str, Any]) -> None:
        self._dispatcher.update_topic_data(
            station_id, TOPIC, point, timestamp=float(FIRST_TIME_S + at * STEP_S)
        )

    def _keep(self, station_id: str, point: dict[str, Any]) -> None:
        for name, values in self._kept[station_id].items():
            values.append(point[name])


ROWS: dict[str, tuple[Callable[[argparse.Namespace], float], str, float | None]] = {
    "full-windows": (full_windows, "{0.stations:,} stations x 40,320 x 10", 1.4),
    "read-windows": (read_windows, "{0.stations:,} stations, each read as lists", 1.4),
    "flat": (flat, "{0.records:,} records of every kind", 0.02),
    "lists": (lists_of_one, "window 40,320, one station", 1.3),
    "lists-15": (lists_of_many, "window 40,320, fifteen stations in turn", 1.3),
}


def measure(name: str, options: argparse.Namespace) -> bool:
    """Measure one row here and print it; whether its target was met."""
    function, what, most = ROWS[name]
    measured = function(options)
    target = "" if most is None else f"<= {most:.2f}"
    print(f"{name:14}{what.format(options):42}{measured:9.3f}{target:>9}", flush=True)
    return most is None or measured <= most


def main() -> int:
    """Measure, print a row each; 0 if every target was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", action="append", choices=list(ROWS), help="again for more")
    parser.add_argument("--stations", type=int, default=1000, help="with full windows")
    parser.add_argument("--records", type=int, default=10_000_000, help="of flat")
    options = parser.parse_args()
    rows = options.row or list(ROWS)
    if len(rows) == 1:
        return 0 if measure(rows[0], options) else 1
    again_with = ("--stations", str(options.stations), "--records", str(options.records))
    missed = 0
    for name in rows:
        command = (sys.executable, "-m", "tests.benchmarks.memory", "--row", name, *again_with)
        missed += subprocess.run(command).returncode != 0
    print_yardstick()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
