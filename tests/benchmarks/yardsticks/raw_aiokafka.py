"""The floor under anything asynchronous: poll and decode, no window, no output."""

import asyncio

import orjson
from aiokafka import AIOKafkaConsumer

from tests.benchmarks.yardsticks.meter import Meter, arguments, leave


async def main() -> None:
    """Read the topic once."""
    options = arguments(__doc__)
    meter = Meter(options)
    consumer = AIOKafkaConsumer(
        options.topic,
        bootstrap_servers=options.bootstrap,
        group_id=options.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    loads = orjson.loads
    while not meter.done():
        polled = await consumer.getmany(timeout_ms=1000)
        if not polled:
            continue
        meter.start()
        for records in polled.values():
            for record in records:
                loads(record.value)
            meter.records += len(records)
    meter.stop()
    await consumer.stop()
    leave(meter.report())


if __name__ == "__main__":
    asyncio.run(main())
