"""Memory of windows, and what a long window costs as lists, each beside its target.

    python -m tests.benchmarks.memory [--row NAME]... [--stations N] [--records N]

- `full-windows`: windows of 40,320 points of ten numbers, a time text and the record's time,
  against the bytes of ten float64 columns (target: at most 1.4 times as much).
- `read-windows`: the same after the input of every station was read once as lists, some of which
  are kept (reported). A thousand stations are `--stations 1000`; they want 6 GB.
- `flat`: growth of a process whose engine takes records and finishes their work, from the first
  fifth on (target: under 2 %). Ten million records are `--records 10000000`.
- `lists`: one point and the whole input as lists, against appending to and slicing a list per
  field (target: at most 1.3 times as long), in turn, in processor seconds; of one station, and of
  fifteen in turn.

Each row is a process of its own; memory is what is resident.
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
from typing import Any, NamedTuple

import orjson

from data_analysis import DataDispatcher, OffsetManager
from data_analysis.effects import Effect, RunCallback, Upload
from data_analysis.engine import Engine, EngineOptions
from data_analysis.intake import runs_of
from tests.benchmarks.yardstick import print_yardstick
from tests.benchmarks.yardsticks.common import FIELDS

TOPIC = "T"
MODULE = "m"
WINDOW = 40_320
SLID = 100
"""Points beyond a full window, so that windows have slid and have their slack."""

FIRST_TIME_S = 1_700_000_000
STEP_S = 15
MIB = 1024 * 1024
RECORDS_AT_ONCE = 500
STATIONS = 1000
SAMPLES = 10
LIST_ROUNDS = 5
LIST_READS = 60
MANY_STATIONS = 15


class Record(NamedTuple):
    """What the engine needs of a record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


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


def item(at: int) -> dict[str, Any]:
    """A station's point number `at`; stations send at the same times."""
    sent = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(FIRST_TIME_S + at * STEP_S))
    point: dict[str, Any] = {"sendTime": sent}
    point.update((field, at * 0.25 + number) for number, field in enumerate(FIELDS))
    return point


def again(point: dict[str, Any]) -> dict[str, Any]:
    """The same point with a text of its own, as decoding another station's record makes it."""
    return {**point, "sendTime": point["sendTime"].encode().decode()}


def full_windows(options: argparse.Namespace) -> float:
    """Bytes that a full window takes, by those of its ten columns of floats."""
    before_mb = memory_mb()
    dispatcher = _full(options.stations)
    taken = _taken(before_mb, options.stations)
    assert len(dispatcher.get_topic_window("S0000", TOPIC)) == WINDOW
    return taken


def read_windows(options: argparse.Namespace) -> float:
    """The same after every input was read as lists."""
    before_mb = memory_mb()
    dispatcher = _full(options.stations)
    for number in range(options.stations):
        read = dispatcher.get_module_input(f"S{number:04d}", MODULE)
        assert len(read["totalPower_window"]) == WINDOW
        del read
    return _taken(before_mb, options.stations)


def _full(stations: int) -> DataDispatcher:
    dispatcher = DataDispatcher(config=config(WINDOW))
    names = [f"S{number:04d}" for number in range(stations)]
    for at in range(WINDOW + SLID):
        point, sent_s = item(at), float(FIRST_TIME_S + at * STEP_S)
        for name in names:
            dispatcher.update_topic_data(name, TOPIC, again(point), timestamp=sent_s)
    return dispatcher


def _taken(before_mb: float, stations: int) -> float:
    gc.collect()
    return (memory_mb() - before_mb) * MIB / (stations * WINDOW * len(FIELDS) * 8)


def flat(options: argparse.Namespace) -> float:
    """Growth of the resident memory from the first fifth of the records on, as a share."""
    engine = Engine(
        DataDispatcher(config=config(10)),
        OffsetManager(),
        EngineOptions(module_name=MODULE, output_topic="OUT"),
    )
    engine.call(all_stations=True, handlers=False)
    engine.assigned((TOPIC, 0), 0, None)
    samples_mb: list[float] = []
    for first in range(0, options.records, RECORDS_AT_ONCE):
        if first >= len(samples_mb) * options.records // SAMPLES:
            samples_mb.append(memory_mb())
            print(f"{first:,} records: {samples_mb[-1]:.1f} MiB", file=sys.stderr, flush=True)
        taken = [_record(offset) for offset in range(first, first + RECORDS_AT_ONCE)]
        engine.taken(runs_of(taken))
        _finish(engine, engine.received(runs_of(taken), 0.0))
        offsets = engine.offsets.committable()
        engine.offsets.attempted()
        engine.offsets.last_record_ms((TOPIC, 0))
        engine.offsets.confirmed(offsets)
    samples_mb.append(memory_mb())
    assert engine.in_flight == 0
    assert engine.counters.records_finished >= options.records
    return samples_mb[-1] / samples_mb[SAMPLES // 5] - 1


def _record(offset: int) -> Record:
    value = b'{"stationId":"S%04d",%b' % (offset % STATIONS, _encoded(offset // STATIONS))
    return Record(TOPIC, 0, offset, (FIRST_TIME_S + offset) * 1000, None, value)


@lru_cache(maxsize=2)
def _encoded(at: int) -> bytes:
    return orjson.dumps(item(at))[1:]


def _finish(engine: Engine, effects: list[Effect]) -> None:
    while effects:
        effect = effects.pop()
        if isinstance(effect, RunCallback):
            effect.work.show("list")
            effects += engine.finished(effect.work, {"mean": 1.0}, 0.0)
        elif isinstance(effect, Upload):
            effects += engine.acknowledged(effect.ticket, 0.0)


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
    "read-windows": (read_windows, "{0.stations:,} stations, each read as lists", None),
    "flat": (flat, "{0.records:,} records, window 10", 0.02),
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
    parser.add_argument("--stations", type=int, default=20, help="of full-windows")
    parser.add_argument("--records", type=int, default=200_000, help="of flat")
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
