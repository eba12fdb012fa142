"""The story with threads: kafka-python's producers, a group that changes, transactions, trouble."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from tests.simulator.seeds.plan import (
    GROUP,
    MEMBERS,
    PAYMENTS,
    READINGS,
    READINGS_SENT,
    Plan,
    Seen,
    make_trouble,
)

from station_sim.brokers import TopicSpec, open_broker
from station_sim.clock import run_virtual

READ_S = 0.03
"""How long one of the pool's threads looks at a record."""


def story(seed: int) -> Seen:
    """What everybody saw in a world of this seed."""
    return run_virtual(lambda: _story(Plan.of(seed)), seed=seed)


async def _story(plan: Plan) -> Seen:
    seen = Seen()
    async with open_broker("virtual") as broker:
        await broker.make_topics(
            TopicSpec(READINGS, partitions=3), TopicSpec(PAYMENTS, partitions=2)
        )
        cluster = broker.simulated  # type: ignore[attr-defined]  # a virtual one has it
        trouble = asyncio.create_task(make_trouble(cluster, plan))
        await asyncio.to_thread(_main, broker.bootstrap, plan, seen)
        await trouble
        seen.note_requests(cluster)
    return seen


def _main(bootstrap: str, plan: Plan, seen: Seen) -> None:
    with ThreadPoolExecutor(2, thread_name_prefix="reader") as pool:
        threads = [
            threading.Thread(target=_measure, args=(bootstrap, plan, seen)),
            threading.Thread(target=_pay, args=(bootstrap, plan, seen)),
        ]
        for number in range(MEMBERS):
            arguments = (bootstrap, plan, seen, number, pool)
            threads.append(threading.Thread(target=_listen, args=arguments))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _measure(bootstrap: str, plan: Plan, seen: Seen) -> None:
    """Send readings one by one."""
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for number in range(READINGS_SENT):
        try:
            sent = producer.send(READINGS, b"%d" % number, key=b"%d" % number).get(30)
            seen.note("measuring", time.monotonic(), sent.partition, sent.offset)
        except KafkaError as error:
            seen.note("measuring", time.monotonic(), type(error).__name__)
        time.sleep(plan.pause_s)
    producer.close()


def _pay(bootstrap: str, plan: Plan, seen: Seen) -> None:
    """Send payments, two in a transaction."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, transactional_id="payments")
    producer.init_transactions()
    for number, aborts in enumerate(plan.aborts):
        try:
            producer.begin_transaction()
            for _ in range(2):
                producer.send(PAYMENTS, b"%d" % number)
            (producer.abort_transaction if aborts else producer.commit_transaction)()
            seen.note("paying", time.monotonic(), number, aborts)
        except KafkaError as error:
            seen.note("paying", time.monotonic(), type(error).__name__)
            break
        time.sleep(plan.pause_s)
    producer.close()


def _listen(
    bootstrap: str, plan: Plan, seen: Seen, number: int, readers: ThreadPoolExecutor
) -> None:
    """Be a member of the group for a while; the pool reads what came, then it is committed."""
    time.sleep(plan.joins_s[number])
    consumer = KafkaConsumer(
        READINGS,
        PAYMENTS,
        bootstrap_servers=bootstrap,
        group_id=GROUP,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
        heartbeat_interval_ms=1000,
        fetch_max_wait_ms=2000,
    )
    who = f"member {number}"
    while time.monotonic() < plan.leaves_s[number]:
        try:
            found = consumer.poll(timeout_ms=2000)
            for partition, records in sorted(found.items()):
                offsets = list(readers.map(_read, [each.offset for each in records]))
                seen.note(who, time.monotonic(), tuple(partition), offsets)
            if found:
                consumer.commit()
        except KafkaError as error:
            seen.note(who, time.monotonic(), type(error).__name__)
    seen.note(who, time.monotonic(), sorted(map(tuple, consumer.assignment())))
    consumer.close()


def _read(offset: int) -> tuple[int, str]:
    time.sleep(READ_S)
    return offset, threading.current_thread().name
