"""The hand-written asynchronous service: windows, a callback and a sent result per point.

At least once: once a second the sends under way are awaited, and all that was polled is committed.
"""

import asyncio
import time
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.benchmarks.yardsticks.job import Windows, points_of
from tests.benchmarks.yardsticks.meter import Meter, arguments, leave


async def main() -> None:
    """Serve until all records are done."""
    options = arguments(__doc__)
    meter = Meter(options)
    windows = Windows(options.window)
    consumer = AIOKafkaConsumer(
        options.topic,
        bootstrap_servers=options.bootstrap,
        group_id=options.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=options.bootstrap, acks="all")
    await consumer.start()
    await producer.start()
    under_way: list[Any] = []
    committed_at = time.monotonic()
    while not meter.done():
        polled = await consumer.getmany(timeout_ms=1000, max_records=500)
        if not polled:
            continue
        meter.start()
        for records in polled.values():
            for record in records:
                for point in points_of(orjson.loads(record.value), options.payload):
                    result = windows.add(point)
                    under_way.append(
                        await producer.send(
                            options.out_topic,
                            orjson.dumps(result),
                            key=result["station_id"].encode(),
                        )
                    )
                meter.records += 1
        if time.monotonic() - committed_at >= 1.0:
            await asyncio.gather(*under_way)
            under_way.clear()
            await consumer.commit()
            committed_at = time.monotonic()
    await asyncio.gather(*under_way)
    await consumer.commit()
    meter.stop()
    await producer.stop()
    await consumer.stop()
    leave(meter.report(points=windows.points, outputs=windows.outputs, check=windows.check))


if __name__ == "__main__":
    asyncio.run(main())
