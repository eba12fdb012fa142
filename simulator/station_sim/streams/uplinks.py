"""The gateway's producers, one for all or one a station, and which partition a record takes.

Unmodified aiokafka producers with idempotence and `acks=all`, which retry until the broker takes a
batch. A keyed record goes where Kafka's own hash of the key puts it; records without a key go to
partition 0, which keeps their order. When to send is `gateway`'s business.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Literal, NamedTuple, get_args

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from station_sim.errors import LabError
from station_sim.streams.ledger import Entry

Producers = Literal["gateway", "per-station"]
GATEWAY = "gateway"
BATCH_BYTES_MAX = 512 * 1024  # half of Kafka's default limit for a request
KEYLESS_PARTITION = 0


class Lane(NamedTuple):
    """Where records go that keep their order: one producer, one partition."""

    producer: AIOKafkaProducer
    topic: str
    partition: int

    def send(self, batch: Any) -> "Awaitable[asyncio.Future[Any]]":
        """Hand a batch to the producer; its future is done when Kafka has answered for it."""
        sent: Awaitable[asyncio.Future[Any]] = self.producer.send_batch(
            batch, self.topic, partition=self.partition
        )
        return sent


class Uplinks:
    """The producers to one Kafka. Connects those of stations when they first send.

    `options` are added to aiokafka's. Raises `LabError` for an unknown kind of `producers`.
    """

    def __init__(self, bootstrap: str, producers: Producers, options: Mapping[str, Any]) -> None:
        if producers not in get_args(Producers):
            allowed = " or ".join(get_args(Producers))
            raise LabError(f"producers must be {allowed}, got {producers}")
        self._bootstrap = bootstrap
        self._is_per_station = producers == "per-station"
        self._options = dict(options)
        self._producers: dict[str, AIOKafkaProducer] = {}
        self._lanes: dict[tuple[str, str | None], Lane] = {}
        self._partitioner = DefaultPartitioner()

    async def open(self) -> None:
        """Connect the shared producer; raises `LabError` when nobody answers."""
        await self._producer(GATEWAY)

    async def lane(self, entry: Entry) -> Lane:
        """Where the entry goes; waits for the topic's metadata the first time.

        Raises `KafkaError` when there is no such topic, `LabError` when nobody answers.
        """
        where = (entry.topic, entry.key)
        if where not in self._lanes:
            self._lanes[where] = await self._find_lane(*where)
        return self._lanes[where]

    async def close(self, timeout_s: float) -> None:
        """Disconnect within `timeout_s`; without a broker, aiokafka's tasks end with the loop."""
        stops = [asyncio.create_task(each.stop()) for each in self._producers.values()]
        if not stops:
            return
        _, unfinished = await asyncio.wait(stops, timeout=timeout_s)
        for stop in unfinished:
            stop.cancel()

    async def _find_lane(self, topic: str, key: str | None) -> Lane:
        name = key if self._is_per_station and key is not None else GATEWAY
        producer = await self._producer(name)
        partitions = sorted(await producer.partitions_for(topic))
        if key is None:
            return Lane(producer, topic, KEYLESS_PARTITION)
        return Lane(producer, topic, self._partitioner(key.encode(), partitions, partitions))

    async def _producer(self, name: str) -> AIOKafkaProducer:
        if name not in self._producers:
            self._producers[name] = await self._connect(name)
        return self._producers[name]

    async def _connect(self, name: str) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=GATEWAY if name == GATEWAY else f"{GATEWAY}-{name}",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES_MAX,
            **self._options,
        )
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            raise LabError(
                f"no Kafka answers at {self._bootstrap} ({error!r}); check the address"
            ) from error
        return producer
