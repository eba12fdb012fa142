"""The client library that a case works with: whatever it opens is closed when the case ends."""

from contextlib import AsyncExitStack
from typing import Any

from tests.contract.clients.interface import Admin, Consumer, Producer
from tests.contract.clients.kinds import KINDS
from tests.contract.clients.settings import ConsumerSettings, ProducerSettings
from tests.contract.clients.terms import Record, in_order
from tests.contract.waiting import eventually

READ_POLL_S = 1.0


class Client:
    """Opens producers, consumers and admin clients of one library at one broker."""

    def __init__(self, kind: str, bootstrap: str, stack: AsyncExitStack) -> None:
        self.name = kind
        self._kind = KINDS[kind]
        self._bootstrap = bootstrap
        self._stack = stack

    async def producer(self, **settings: Any) -> Producer:
        """A producer that is ready; settings as in `ProducerSettings`."""
        opened = await self._kind.open_producer(self._bootstrap, ProducerSettings(**settings))
        self._stack.push_async_callback(opened.close)
        return opened

    async def consumer(self, *topics: str, **settings: Any) -> Consumer:
        """A consumer, subscribed if topics are given; settings as in `ConsumerSettings`."""
        opened = await self._kind.open_consumer(self._bootstrap, ConsumerSettings(**settings))
        self._stack.push_async_callback(opened.close)
        if topics:
            await opened.subscribe(*topics)
        return opened

    async def admin(self, **login: str) -> Admin:
        """An admin client."""
        opened = await self._kind.open_admin(self._bootstrap, login)
        self._stack.push_async_callback(opened.close)
        return opened


async def read(consumer: Consumer, count: int, *, deadline_s: float = 30.0) -> list[Record]:
    """Poll until `count` records came; sorted by topic, partition and offset. More is an error."""
    records: list[Record] = []

    async def enough() -> bool:
        records.extend(await consumer.poll(READ_POLL_S))
        return len(records) >= count

    await eventually(
        enough, deadline_s=deadline_s, what=lambda: f"{count} records, got {len(records)}"
    )
    assert count == len(records)
    return in_order(records)
