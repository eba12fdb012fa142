"""The bench a case works at: one broker, names of its own, clients and connections that are always
closed.

Requests that ask for one thing of one partition are in `asking.py`; a bare group member is in
`member.py`.
"""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest

from station_sim.brokers import Broker
from tests.contract.asking import LATEST, create_topic, list_offset
from tests.contract.clients.client import Client
from tests.contract.connection import Connection
from tests.contract.waiting import eventually

TOPIC_ID_SINCE_METADATA = 10


class Bench:
    """What a case gets. Everything opened through it is closed when the case ends."""

    def __init__(self, broker: Broker, case_name: str, stack: AsyncExitStack) -> None:
        self.broker = broker
        self._prefix = f"{case_name}-{uuid.uuid4().hex[:8]}"
        self._stack = stack
        self._wire: Connection | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` of the broker."""
        return self.broker.bootstrap

    @property
    def wire(self) -> Connection:
        """A connection that is there from the start."""
        assert self._wire is not None
        return self._wire

    def name(self, label: str = "t") -> str:
        """A topic name or group id that no other case, worker or run uses; the same again for the
        same label.
        """
        return f"{self._prefix}-{label}"

    def client(self, kind: str) -> Client:
        """A client library at this broker, by the name of its kind."""
        return Client(kind, self.bootstrap, self._stack)

    async def connect(self) -> Connection:
        """Open one more connection."""
        connection = await Connection.open(self.bootstrap)
        self._stack.push_async_callback(connection.close)
        return connection

    async def connect_anew(self) -> None:
        """Give `wire` a new connection, after the broker was away."""
        self._wire = await self.connect()

    async def topic(
        self, label: str = "t", *, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> str:
        """Make a topic and return its name, when the leader of each partition answers."""
        name = self.name(label)
        settings = {"retention.ms": "-1", **(config or {})}
        made = await create_topic(self.wire, name, partitions=partitions, config=settings)
        assert made.error_code == 0, made
        for partition in range(partitions):
            await eventually(partial(self._is_led, name, partition), what=f"leader of {name}")
        return name

    async def _is_led(self, topic: str, partition: int) -> bool:
        found = await list_offset(self.wire, topic, LATEST, partition=partition)
        return bool(found.error_code == 0)

    async def versions(self, request_class: Any) -> range:
        """The versions of a kind that the broker advertises and the codec knows."""
        answer = await self.wire.ask(ApiVersionsRequest(), 0)
        spoken = {kind.api_key: (kind.min_version, kind.max_version) for kind in answer.api_keys}
        low, high = spoken[request_class.API_KEY]
        known_low, known_high = request_class.valid_versions
        return range(max(low, known_low), min(high, known_high) + 1)

    async def topic_id(self, topic: str) -> uuid.UUID | None:
        """The id of a topic, None from a broker whose metadata has none."""
        versions = await self.versions(MetadataRequest)
        if versions[-1] < TOPIC_ID_SINCE_METADATA:
            return None
        wanted = [MetadataRequest.MetadataRequestTopic(name=topic)]
        request = MetadataRequest(topics=wanted, allow_auto_topic_creation=False)
        answer = await self.wire.ask(request, TOPIC_ID_SINCE_METADATA)
        found: uuid.UUID = answer.topics[0].topic_id
        return found


@asynccontextmanager
async def open_bench(broker: Broker, case_name: str) -> AsyncIterator[Bench]:
    """Set a bench up at an open broker, and clear it afterwards."""
    async with AsyncExitStack() as stack:
        bench = Bench(broker, case_name, stack)
        await bench.connect_anew()
        yield bench
