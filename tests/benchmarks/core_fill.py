"""Fills topics of `core.py` that the yardsticks' own `gen.py` does not know how to.

    python -m tests.benchmarks.core_fill KIND --bootstrap HOST:PORT --topic T --messages N

`known`: points of `gen.py`, a station after another; before them `--head` records of `--known`
stations in turn, which make these stations known.
`hourly`: a record is `--hours` hours of `--stations` stations with four guns each, in the order of
the hours, so that stations are mixed; the order of guns changes with the hour.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import numpy as np
import orjson
from confluent_kafka import Producer

from tests.benchmarks.yardsticks.common import FIELDS

FIRST_MINUTE = datetime(2026, 2, 25, 8, 0, 0, tzinfo=UTC)
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
GUNS = 4
SEED = 1
ROWS_AT_ONCE = 20_000
FLUSH_S = 120
LARGEST_RECORD_BYTES = 20_000_000

Filled = tuple[bytes, bytes, int | None]
"""Key, value, and the partition where the key does not decide."""


def points(count: int, stations: int) -> Iterator[dict[str, Any]]:
    """Points of stations in turn, a minute per turn, values of three decimals."""
    generator = np.random.default_rng(SEED)
    made = 0
    while made < count:
        rows = np.round(generator.uniform(0.0, 500.0, (ROWS_AT_ONCE, len(FIELDS))), 3).tolist()
        for row in rows[: count - made]:
            turn, station = divmod(made, stations)
            minute = FIRST_MINUTE + timedelta(minutes=turn)
            point = {"stationId": f"S{station:04d}", "sendTime": minute.strftime(TIME_FORMAT)}
            point.update(zip(FIELDS, row, strict=True))
            yield point
            made += 1


def known(options: argparse.Namespace) -> Iterator[Filled]:
    """Records of one point each: those that make stations known, then those of the busy ones."""
    head = points(options.head, options.known)
    for point in chain(head, points(options.messages, options.stations)):
        yield point["stationId"].encode(), orjson.dumps(point), None


def hourly(options: argparse.Namespace) -> Iterator[Filled]:
    """Pushes, each an hour later than the one before, spread over the partitions."""
    generator = np.random.default_rng(SEED)
    for number in range(options.messages):
        first = FIRST_MINUTE + timedelta(hours=number)
        powers = generator.uniform(0.0, 120.0, (options.hours, options.stations, GUNS))
        items = [
            _hour(station, first + timedelta(hours=hour), hour, power)
            for hour, of_stations in enumerate(np.round(powers, 3).tolist())
            for station, power in enumerate(of_stations)
        ]
        yield b"hourly", orjson.dumps({"realTimeData": items}), number % options.partitions


def _hour(station: int, sent: datetime, hour: int, power: list[float]) -> dict[str, Any]:
    turned = hour % GUNS
    guns = [f"{gun + 1:02d}" for gun in range(GUNS)]
    return {
        "stationId": f"S{station:04d}",
        "hostCode": f"{52_000_000_000_000 + station}",
        "sendTime": sent.strftime(TIME_FORMAT),
        "gunPower": {
            "gunNo": guns[turned:] + guns[:turned],
            "outputPowerPerGunAvg": power,
            "outputPowerPerGunMax": [round(each * 1.25, 3) for each in power],
        },
        "outputPowerPerStationAvg": round(sum(power), 3),
        "outputPowerPerStationMax": round(sum(power) * 1.25, 3),
    }


def main() -> None:
    """Write all records, see that they arrived, and print the size of the largest."""
    options = _parser().parse_args()
    failed: list[str] = []

    def delivered(error: Any, _message: Any) -> None:
        if error is not None:
            failed.append(str(error))

    producer = Producer(
        {
            "bootstrap.servers": options.bootstrap,
            "partitioner": "murmur2_random",
            "batch.size": 65_536,
            "message.max.bytes": LARGEST_RECORD_BYTES,
            "linger.ms": 50,
            "queue.buffering.max.messages": 500_000,
            "queue.buffering.max.kbytes": 262_144,
            "log_level": 3,
        }
    )
    largest = 0
    for key, value, place in {"known": known, "hourly": hourly}[options.kind](options):
        largest = max(largest, len(value))
        where = {} if place is None else {"partition": place}
        while True:
            try:
                producer.produce(options.topic, value, key=key, on_delivery=delivered, **where)
                break
            except BufferError:
                producer.poll(0.1)
    left = producer.flush(FLUSH_S)
    if left or failed:
        raise SystemExit(f"{left + len(failed)} records were not written: {failed[:1]}")
    print(orjson.dumps({"largest_bytes": largest}).decode())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["known", "hourly"])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True, help="made before, and empty")
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--stations", type=int, default=100)
    parser.add_argument("--known", type=int, default=100)
    parser.add_argument("--head", type=int, default=0)
    parser.add_argument("--hours", type=int, default=168)
    parser.add_argument("--partitions", type=int, default=8)
    return parser


if __name__ == "__main__":
    main()
