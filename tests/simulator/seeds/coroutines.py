"""The story with asyncio: aiokafka's producers, a group that changes, transactions, trouble."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
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
        members = [_listen(broker.bootstrap, plan, seen, number) for number in range(MEMBERS)]
        await asyncio.gather(
            _measure(broker.bootstrap, plan, seen), _pay(broker.bootstrap, plan, seen), *members
        )
        await trouble
        seen.note_requests(cluster)
    return seen


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _measure(bootstrap: str, plan: Plan, seen: Seen) -> None:
    """Send readings one by one."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for number in range(READINGS_SENT):
            try:
                sent = await producer.send_and_wait(READINGS, b"%d" % number, key=b"%d" % number)
                seen.note("measuring", _now(), sent.partition, sent.offset)
            except KafkaError as error:
                seen.note("measuring", _now(), type(error).__name__)
            await asyncio.sleep(plan.pause_s)


async def _pay(bootstrap: str, plan: Plan, seen: Seen) -> None:
    """Send payments, two in a transaction."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="payments")
    async with producer:
        for number, aborts in enumerate(plan.aborts):
            try:
                await producer.begin_transaction()
                for _ in range(2):
                    await producer.send(PAYMENTS, b"%d" % number)
                await (producer.abort_transaction if aborts else producer.commit_transaction)()
                seen.note("paying", _now(), number, aborts)
            except KafkaError as error:
                seen.note("paying", _now(), type(error).__name__)
                return
            await asyncio.sleep(plan.pause_s)


async def _listen(bootstrap: str, plan: Plan, seen: Seen, number: int) -> None:
    """Be a member of the group for a while, and commit what came."""
    await asyncio.sleep(plan.joins_s[number])
    consumer = AIOKafkaConsumer(
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
    async with consumer:
        while _now() < plan.leaves_s[number]:
            try:
                found = await consumer.getmany(timeout_ms=500)
                for partition, records in sorted(found.items()):
                    seen.note(who, _now(), tuple(partition), [each.offset for each in records])
                if found:
                    await consumer.commit()
            except KafkaError as error:
                seen.note(who, _now(), type(error).__name__)
        seen.note(who, _now(), sorted(map(tuple, consumer.assignment())))
