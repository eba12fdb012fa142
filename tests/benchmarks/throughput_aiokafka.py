"""One measurement of `throughput.py` with aiokafka: DEED FORM BOOTSTRAP TOPIC RECORDS."""

import asyncio
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

VALUE = bytes(range(256)) + bytes(94)
AT_ONCE = 8
"""Records under way at a time where each has a request of its own."""


async def produce(form: str, bootstrap: str, topic: str, records: int) -> float:
    """Records/s from the first send to the last acknowledgement."""
    large = form == "large"
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        linger_ms=5 if large else 0,
        max_batch_size=65_536 if large else 1,
    )
    await producer.start()
    partitions = len(await producer.partitions_for(topic))
    began_s = time.perf_counter()
    if large:
        sent = [await producer.send(topic, VALUE, partition=n % partitions) for n in range(records)]
        await asyncio.gather(*sent)
    else:

        async def one_by_one(partition: int) -> None:
            for _ in range(records // AT_ONCE):
                await producer.send_and_wait(topic, VALUE, partition=partition)

        await asyncio.gather(*(one_by_one(n % partitions) for n in range(AT_ONCE)))
    took_s = time.perf_counter() - began_s
    await producer.stop()
    return records / took_s


async def consume(bootstrap: str, topic: str, records: int) -> float:
    """Records/s from the first poll to the last record."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    seen = 0
    began_s = time.perf_counter()
    while seen < records:
        seen += sum(map(len, (await consumer.getmany(timeout_ms=1000)).values()))
    took_s = time.perf_counter() - began_s
    await consumer.stop()
    return seen / took_s


def main() -> None:
    """Measure once and print the rate."""
    deed, form, bootstrap, topic, text = sys.argv[1:]
    records = int(text) // AT_ONCE * AT_ONCE
    doing = (
        produce(form, bootstrap, topic, records)
        if deed == "produce"
        else consume(bootstrap, topic, records)
    )
    print(asyncio.run(doing))


if __name__ == "__main__":
    main()
