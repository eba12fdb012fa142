"""Fills a topic with station data: the same records for the same seed.

    python -m tests.benchmarks.yardsticks.fill --bootstrap HOST:PORT --topic T --records N

`single`: a record is one point (about 350 bytes), stations in turn, key = station.
`batch`: a record is one minute of 50 stations, groups in turn, each in a partition of its own
choice, so that a station stays in one partition.
`hourly`: a record is `--hours` hours of all stations.

With `--known K`, one record of each of K stations comes before all others.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
from confluent_kafka import Producer

from tests.benchmarks.yardsticks.job import FIELDS

STATIONS_PER_BATCH = 50
FIRST_MINUTE = datetime(2026, 2, 25, 8, 0, 0, tzinfo=UTC)
ROWS_AT_ONCE = 20_000
FLUSH_S = 120

Row = tuple[bytes, bytes, int | None]
"""Key, value, and a number that decides the partition where the key does not."""


def station_name(number: int) -> str:
    """The id of a station."""
    return f"S{number:04d}"


def points(count: int, stations: int, seed: int) -> Iterator[dict[str, Any]]:
    """Points of stations in turn, a minute per turn, values of three decimals."""
    generator = np.random.default_rng(seed)
    made = 0
    while made < count:
        rows = np.round(generator.uniform(0.0, 500.0, (ROWS_AT_ONCE, len(FIELDS))), 3).tolist()
        for row in rows[: count - made]:
            turn, station = divmod(made, stations)
            minute = FIRST_MINUTE + timedelta(minutes=turn)
            point = {"stationId": station_name(station), "sendTime": f"{minute:%Y-%m-%d %H:%M:%S}"}
            point.update(zip(FIELDS, row, strict=True))
            yield point
            made += 1


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """The records to write."""
    if options.payload == "batch":
        yield from _batches(options)
    elif options.payload == "hourly":
        count = options.hours * options.stations
        for number in range(options.records):
            items = list(points(count, options.stations, options.seed + number))
            yield b"hourly", orjson.dumps({"realTimeData": items}), number
    else:
        parts = ((options.known, options.known), (options.records, options.stations))
        for count, stations in parts:
            for point in points(count, stations, options.seed):
                yield point["stationId"].encode(), orjson.dumps(point), None


def _batches(options: argparse.Namespace) -> Iterator[Row]:
    groups = options.stations // STATIONS_PER_BATCH
    source = points(options.records * STATIONS_PER_BATCH, options.stations, options.seed)
    for number in range(options.records):
        items = [next(source) for _ in range(STATIONS_PER_BATCH)]
        group = number % groups
        yield f"G{group:03d}".encode(), orjson.dumps({"realTimeData": items}), group


def main() -> None:
    """Write all records and see that they arrived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True, help="made before, and empty")
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--known", type=int, default=0)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--payload", choices=["single", "batch", "hourly"], default="single")
    parser.add_argument("--hours", type=int, default=168)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--batch-records", type=int, default=10_000, help="most records of one record batch"
    )
    options = parser.parse_args()
    failed: list[str] = []

    def delivered(error: Any, _message: Any) -> None:
        if error is not None:
            failed.append(str(error))

    producer = Producer(
        {
            "bootstrap.servers": options.bootstrap,
            "partitioner": "murmur2_random",
            "batch.size": 65_536,
            "batch.num.messages": options.batch_records,
            "message.max.bytes": 20_000_000,
            "linger.ms": 50,
            "queue.buffering.max.messages": 500_000,
            "queue.buffering.max.kbytes": 262_144,
            "log_level": 3,
        }
    )
    for number, (key, value, place) in enumerate(rows(options)):
        where = {} if place is None else {"partition": place % options.partitions}
        while True:
            try:
                producer.produce(options.topic, value, key=key, on_delivery=delivered, **where)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 1000 == 0:
            producer.poll(0)
    left = producer.flush(FLUSH_S)
    if left or failed:
        raise SystemExit(f"{left + len(failed)} records were not written: {failed[:1]}")


if __name__ == "__main__":
    main()
