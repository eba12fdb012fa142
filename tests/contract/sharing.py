"""Members of a group, polled together until partitions are shared out as they should be.

Most clients take part in a rebalance only while they are polled, so none may be left waiting.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from tests.contract.asking import produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client
from tests.contract.clients.interface import Consumer
from tests.contract.clients.terms import Record, Where
from tests.contract.waiting import eventually

Holdings = list[frozenset[Where]]
"""What each member holds."""

QUICK = {"session_timeout_ms": 10_000, "heartbeat_interval_ms": 50, "max_poll_interval_ms": 10_000}


async def topic_to_share(kafka: Bench, partitions: int, label: str = "t") -> str:
    """A topic with a record in each partition: a poll ends when a member has got something."""
    topic = await kafka.topic(label, partitions=partitions)
    for partition in range(partitions):
        await produce(kafka.wire, topic, batch(b"%d" % partition), partition=partition)
    return topic


async def join(kafka: Bench, client: Client, *topics: str, **settings: object) -> Consumer:
    """One more member of the case's group."""
    return await client.consumer(*topics, group=kafka.name("g"), **{**QUICK, **settings})


def places(topic: str, partitions: int) -> frozenset[Where]:
    """All partitions of a topic."""
    return frozenset(Where(topic, partition) for partition in range(partitions))


def each_once(everything: frozenset[Where], share: int | None = None) -> Callable[[Holdings], bool]:
    """Whether every partition is held by exactly one member, and every member holds `share`."""

    def judge(held: Holdings) -> bool:
        fair = share is None or all(len(each) == share for each in held)
        return fair and Counter(everything) == Counter(one for each in held for one in each)

    return judge


async def polled_until(
    members: Sequence[Consumer],
    settled: Callable[[Holdings], bool],
    *,
    deadline_s: float = 30.0,
) -> list[Record]:
    """Poll all members, at the same time, until what they hold is right; returns what came."""
    found: list[Record] = []
    held: Holdings = []

    async def right() -> bool:
        for came in await asyncio.gather(*(each.poll(each.poll_s) for each in members)):
            found.extend(came)
        held[:] = [await each.assignment() for each in members]
        return settled(held)

    await eventually(right, deadline_s=deadline_s, what=lambda: f"sharing, but {held}")
    return found


async def shared_out(
    members: Sequence[Consumer], topic: str, partitions: int, share: int | None = None
) -> list[Record]:
    """Poll the members until they hold each partition of one topic once, `share` each."""
    return await polled_until(members, each_once(places(topic, partitions), share))
