"""The floor under anything blocking: poll and decode, no window, no output."""

import orjson
from kafka import KafkaConsumer

from tests.benchmarks.yardsticks.meter import Meter, arguments, leave


def main() -> None:
    """Read the topic once."""
    options = arguments(__doc__)
    meter = Meter(options)
    consumer = KafkaConsumer(
        options.topic,
        bootstrap_servers=options.bootstrap.split(","),
        group_id=options.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    loads = orjson.loads
    while not meter.done():
        polled = consumer.poll(timeout_ms=1000, max_records=5000)
        if not polled:
            continue
        meter.start()
        for records in polled.values():
            for record in records:
                loads(record.value)
            meter.records += len(records)
    leave(meter.report())


if __name__ == "__main__":
    main()
