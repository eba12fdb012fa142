"""One measurement of `throughput.py` with confluent-kafka: DEED FORM BOOTSTRAP TOPIC RECORDS."""

import sys
import time

from confluent_kafka import Consumer, Producer

VALUE = bytes(range(256)) + bytes(94)
PARTITIONS = 8
POLL_RECORDS = 10_000
FLUSH_TIMEOUT_S = 300


def produce(form: str, bootstrap: str, topic: str, records: int) -> float:
    """Records/s from the first send to the last acknowledgement."""
    options: dict[str, str | int] = {"bootstrap.servers": bootstrap, "acks": "all"}
    options["queue.buffering.max.messages"] = 2_000_000
    if form == "large":
        options["linger.ms"] = 5
    else:
        options.update({"linger.ms": 0, "batch.num.messages": 1})
    producer = Producer(options)
    producer.list_topics(topic)
    began_s = time.perf_counter()
    for number in range(records):
        producer.produce(topic, VALUE, partition=number % PARTITIONS)
    left = producer.flush(FLUSH_TIMEOUT_S)
    assert left == 0, f"{left} records not acknowledged"
    return records / (time.perf_counter() - began_s)


def consume(bootstrap: str, topic: str, records: int) -> float:
    """Records/s from the subscription to the last record."""
    options = {"bootstrap.servers": bootstrap, "group.id": f"{topic}-read"}
    consumer = Consumer({**options, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    seen = len(consumer.consume(1, timeout=60))
    began_s = time.perf_counter()
    while seen < records:
        seen += len(consumer.consume(min(POLL_RECORDS, records - seen), timeout=1))
    took_s = time.perf_counter() - began_s
    consumer.close()
    return seen / took_s


def main() -> None:
    """Measure once and print the rate."""
    deed, form, bootstrap, topic, text = sys.argv[1:]
    records = int(text) // PARTITIONS * PARTITIONS
    if deed == "produce":
        print(produce(form, bootstrap, topic, records))
    else:
        print(consume(bootstrap, topic, records))


if __name__ == "__main__":
    main()
