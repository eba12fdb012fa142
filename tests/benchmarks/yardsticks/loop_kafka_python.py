"""The hand-written blocking service: windows, a callback and a sent result per point.

At least once: once a second the sends under way are awaited, and all that was polled is committed.
"""

import time
from typing import Any

import orjson
from kafka import KafkaConsumer, KafkaProducer

from tests.benchmarks.yardsticks.job import Windows, points_of
from tests.benchmarks.yardsticks.meter import Meter, arguments, leave


def main() -> None:
    """Serve until all records are done."""
    options = arguments(__doc__)
    meter = Meter(options)
    windows = Windows(options.window)
    servers = options.bootstrap.split(",")
    consumer = KafkaConsumer(
        options.topic,
        bootstrap_servers=servers,
        group_id=options.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=5)
    under_way: list[Any] = []
    committed_at = time.monotonic()

    def settle() -> None:
        producer.flush()
        for future in under_way:
            future.get(timeout=30)
        under_way.clear()

    while not meter.done():
        polled = consumer.poll(timeout_ms=1000, max_records=500)
        if not polled:
            continue
        meter.start()
        for records in polled.values():
            for record in records:
                for point in points_of(orjson.loads(record.value), options.payload):
                    result = windows.add(point)
                    under_way.append(
                        producer.send(
                            options.out_topic,
                            orjson.dumps(result),
                            key=result["station_id"].encode(),
                        )
                    )
                meter.records += 1
        if time.monotonic() - committed_at >= 1.0:
            settle()
            consumer.commit()
            committed_at = time.monotonic()
    settle()
    consumer.commit()
    meter.stop()
    leave(meter.report(points=windows.points, outputs=windows.outputs, check=windows.check))


if __name__ == "__main__":
    main()
