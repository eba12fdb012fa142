"""What can be seen of a service from outside: its commits as they happen, its uploads at the end.

Seeing only; what it means is judged in `checker/`. Times are seconds since `began_at_s`, an epoch
time of the same clock that the broker stamps with.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from station_scenarios.checker.commits import CommitSeen
from station_scenarios.checker.uploads import Upload
from station_sim.brokers import Broker

SAMPLED_EVERY_S = 0.25
"""How often a broker is asked for commits that does not tell them by itself."""

READ_WITHIN_S = 60.0
"""Between two answers while the output topic is read; a broker that is silent longer is gone."""


class CommitWatch:
    """All commits of one group, in the order seen.

    On the simulated broker in virtual time every commit at its instant; elsewhere samples, each
    with the time its answer came: a commit may be older than that, never newer.
    """

    def __init__(
        self, group: str, began_at_s: float, tell: Callable[[str, int, int], None]
    ) -> None:
        self.seen: list[CommitSeen] = []
        self._group = group
        self._began_at_s = began_at_s
        self._tell = tell
        self._newest: dict[tuple[str, int], int] = {}

    def committed(
        self, group: str, topic: str, partition: int, offset: int, metadata: str, at: float
    ) -> None:
        """The simulated broker's observer."""
        if group == self._group:
            self._see(topic, partition, offset, at)

    def appended(self, *_what: object) -> None:
        """Records are not looked at."""

    @asynccontextmanager
    async def on(self, broker: Broker) -> AsyncIterator[None]:
        """Watch while inside."""
        if broker.is_virtual:
            broker.simulated.observers.append(self)  # type: ignore[attr-defined]  # of virtual brokers
            yield
            return
        sampling = asyncio.create_task(self._sample(broker), name="commit-watch")
        try:
            yield
        finally:
            sampling.cancel()
            await asyncio.wait([sampling])
            if not sampling.cancelled():
                sampling.result()

    async def _sample(self, broker: Broker) -> None:
        while True:
            committed = await broker.committed(self._group)
            at = time.time()
            for (topic, partition), kept in sorted(committed.items()):
                if self._newest.get((topic, partition)) != kept.offset:
                    self._see(topic, partition, kept.offset, at)
            await asyncio.sleep(SAMPLED_EVERY_S)

    def _see(self, topic: str, partition: int, offset: int, at: float) -> None:
        self._newest[topic, partition] = offset
        self.seen.append(CommitSeen(at - self._began_at_s, topic, partition, offset))
        self._tell(topic, partition, offset)


async def read_uploads(
    broker: Broker, topic: str, starts: dict[int, int], began_at_s: float
) -> AsyncIterator[Upload]:
    """Everything in a topic from the offsets `starts` to its end, partition by partition."""
    ends = {partition: end for partition, (_, end) in (await broker.log_ranges(topic)).items()}
    ends = {partition: end for partition, end in ends.items() if end > starts.get(partition, 0)}
    if not ends:
        return  # aiokafka's consumer cannot be stopped before it has done something
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        client_id="station-lab-reader",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        for partition, end in sorted(ends.items()):
            where = TopicPartition(topic, partition)
            consumer.assign([where])
            consumer.seek(where, starts.get(partition, 0))
            while await consumer.position(where) < end:
                async with asyncio.timeout(READ_WITHIN_S):
                    batch = await consumer.getmany(timeout_ms=1000, max_records=5000)
                for record in batch.get(where, ()):
                    if record.offset < end:
                        stored_at_s = record.timestamp / 1000 - began_at_s
                        yield Upload(
                            partition, record.offset, record.key, record.value, stored_at_s
                        )
    finally:
        await consumer.stop()
