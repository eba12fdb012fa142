"""Memory of windows, and what a long window costs as lists, each beside its target.

    python -m tests.benchmarks.memory [--stations N] [--records N]

- `full-windows`: windows of 40,320 points of ten numbers, a time text and the record's time,
  against the bytes of ten float64 columns (target: at most 1.4 times as much).
- `flat`: growth of a process whose engine takes records and finishes their work, from the first
  fifth on (target: under 2 %). Ten million records are `--records 10000000`.
- `lists`: one point and the whole input as lists, against appending to and slicing a list per
  field (target: at most 1.3 times as long), in turn, in processor seconds.
"""

import argparse
import gc
import json
import statistics
import sys
import time
from types import SimpleNamespace
from typing import Any, NamedTuple

from data_analysis import DataDispatcher, OffsetManager
from data_analysis.effects import Effect, RunCallback, Upload
from data_analysis.engine import Engine, EngineOptions
from data_analysis.intake import runs_of
from tests.benchmarks.yardstick import print_yardstick
from tests.benchmarks.yardsticks.common import FIELDS

TOPIC = "T"
MODULE = "m"
WINDOW = 40_320
FIRST_TIME_S = 1_700_000_000
STEP_S = 15
MIB = 1024 * 1024
RECORDS_AT_ONCE = 500
LIST_ROUNDS = 5
LIST_READS = 60


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


def full_windows(stations: int) -> float:
    """Bytes that a full window takes, by those of its ten columns of floats."""
    dispatcher = DataDispatcher(config=config(WINDOW))
    gc.collect()
    before_mb = memory_mb()
    # A few points more than fit, so that windows have slid and have their slack.
    for at in range(WINDOW + 100):
        for number in range(stations):
            dispatcher.update_topic_data(
                f"S{number:04d}", TOPIC, item(at), timestamp=float(FIRST_TIME_S + at * STEP_S)
            )
    taken = (memory_mb() - before_mb) * MIB
    assert len(dispatcher.get_topic_window("S0000", TOPIC)) == WINDOW
    return taken / (stations * WINDOW * len(FIELDS) * 8)


def flat(records: int) -> float:
    """Growth of the resident memory from the first fifth of the records on, as a share."""
    engine = Engine(
        DataDispatcher(config=config(10)),
        OffsetManager(),
        EngineOptions(module_name=MODULE, output_topic="OUT"),
    )
    engine.call(all_stations=True, handlers=False)
    engine.assigned((TOPIC, 0), 0, None)
    warm_mb = 0.0
    for first in range(0, records, RECORDS_AT_ONCE):
        if not warm_mb and first >= records // 5:
            warm_mb = memory_mb()
        taken = [_record(offset) for offset in range(first, first + RECORDS_AT_ONCE)]
        engine.taken(runs_of(taken))
        _finish(engine, engine.received(runs_of(taken), 0.0))
        offsets = engine.offsets.committable()
        engine.offsets.attempted()
        engine.offsets.last_record_ms((TOPIC, 0))
        engine.offsets.confirmed(offsets)
    assert engine.in_flight == 0
    return memory_mb() / warm_mb - 1


def _record(offset: int) -> Record:
    value = json.dumps({"stationId": f"S{offset % 1000:04d}", **item(offset // 1000)}).encode()
    return Record(TOPIC, 0, offset, (FIRST_TIME_S + offset) * 1000, None, value)


def _finish(engine: Engine, effects: list[Effect]) -> None:
    while effects:
        effect = effects.pop()
        if isinstance(effect, RunCallback):
            effect.work.show("list")
            effects += engine.finished(effect.work, {"mean": 1.0}, 0.0)
        elif isinstance(effect, Upload):
            effects += engine.acknowledged(effect.ticket, 0.0)


def lists() -> float:
    """CPU seconds of a point and the input as lists, by those of lists kept per field."""
    dispatcher = DataDispatcher(config=config(WINDOW))
    kept: dict[str, list[Any]] = {name: [] for name in ("sendTime", *FIELDS)}
    for at in range(WINDOW):
        _add(dispatcher, kept, at)
    return statistics.median(_list_round(dispatcher, kept, turn) for turn in range(LIST_ROUNDS))


def _add(dispatcher: DataDispatcher, kept: dict[str, list[Any]], at: int) -> None:
    point = item(at)
    dispatcher.update_topic_data("S", TOPIC, point, timestamp=float(FIRST_TIME_S + at * STEP_S))
    for name, values in kept.items():
        values.append(point[name])


def _list_round(dispatcher: DataDispatcher, kept: dict[str, list[Any]], turn: int) -> float:
    first = WINDOW + turn * LIST_READS
    points = [item(at) for at in range(first, first + LIST_READS)]
    began_s = time.process_time()
    for at, point in enumerate(points, first):
        dispatcher.update_topic_data("S", TOPIC, point, timestamp=float(FIRST_TIME_S + at * STEP_S))
        ours = dispatcher.get_module_input("S", MODULE)
    ours_s = time.process_time() - began_s
    began_s = time.process_time()
    for point in points:
        for name, values in kept.items():
            values.append(point[name])
        sliced = {name: values[-WINDOW:] for name, values in kept.items()}
    kept_s = time.process_time() - began_s
    assert sliced["totalPower"] == ours["totalPower_window"]
    return ours_s / kept_s


def main() -> int:
    """Measure, print a row each; 0 if every target was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=20, help="of full-windows")
    parser.add_argument("--records", type=int, default=200_000, help="of flat")
    options = parser.parse_args()
    rows = (
        (f"full-windows ({options.stations} stations)", full_windows(options.stations), 1.4),
        (f"flat ({options.records:,} records)", flat(options.records), 0.02),
        ("lists (window 40,320)", lists(), 1.3),
    )
    for name, measured, most in rows:
        print(f"{name:32}{measured:10.3f}{'<=':>6}{most:6.2f}", flush=True)
    print_yardstick()
    return 1 if any(measured > most for _, measured, most in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
