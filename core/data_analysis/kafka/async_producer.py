"""aiokafka's producer: start with retries, single records, and batches built by the caller.

What waits for being sent, and what is tried again, is in `data_analysis.kafka.async_uploads`.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed
from aiokafka.partitioner import DefaultPartitioner

from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.connecting import Tries
from data_analysis.kafka.errors import mapped
from data_analysis.kafka.options import KafkaOptions, options_of
from data_analysis.kafka.tls import check_tls_aside


class AsyncKafkaProducerClient:
    """A producer, idempotent unless `acks` is not "all".

    Args:
        config: Kafka configuration, nested or flat; `bootstrap_servers` is needed.
        loop: accepted for the sake of old callers; the running loop is used.
        instance_id: client id.
        max_retries: how often connecting is tried.
        retry_interval: seconds between two tries.

    Raises:
        ConfigurationError: the configuration is not valid.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | KafkaOptions,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        instance_id: str | None = None,
        max_retries: int = 5,
        retry_interval: float = 5,
    ) -> None:
        self.options = options_of(config)
        self._client_id = instance_id or "data-analysis-producer"
        self._tries = Tries(max_retries, retry_interval)
        self._client: Any = None
        self._partitioner = DefaultPartitioner()

    @property
    def alive(self) -> bool:
        """Whether the client is connected, as far as is known."""
        return self._client is not None

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaConnectionError: it did not work after `max_retries` tries, or certificates are
                refused.
        """
        what = f"connecting a producer to {', '.join(self.options.producer['bootstrap_servers'])}"
        await check_tls_aside(what, self.options.producer)
        tried = 0
        while True:
            tried += 1
            client = AIOKafkaProducer(client_id=self._client_id, **self.options.producer)
            try:
                with mapped(what):
                    await client.start()
            except KafkaConnectionError as error:
                await client.stop()
                await asyncio.sleep(self._tries.wait_seconds(tried, error))
            except BaseException:
                await client.stop()
                raise
            else:
                self._client = client
                return

    async def stop(self) -> None:
        """Send what waits and close; a second call does nothing."""
        client, self._client = self._client, None
        if client is not None:
            await client.stop()

    async def send(self, topic: str, value: Any) -> None:
        """Send one value as JSON and wait for the acknowledgement.

        Raises:
            KafkaConnectionError: it was not acknowledged.
        """
        with mapped(f"sending to {topic}"):
            await self._connected().send_and_wait(topic, orjson.dumps(value))

    async def partitions_of(self, topic: str) -> list[int]:
        """Return the partitions of a topic, sorted, waiting for metadata if need be."""
        return sorted(await self._connected().partitions_for(topic))

    def partition_for(self, key: bytes, partitions: list[int]) -> int:
        """Return the partition that any Kafka client with default settings gives this key."""
        partition: int = self._partitioner(key, partitions, partitions)
        return partition

    def create_batch(self) -> Any:
        """Return aiokafka's empty batch; `append` gives None when it is full."""
        return self._connected().create_batch()

    async def send_batch(self, batch: Any, topic: str, partition: int) -> asyncio.Future[Any]:
        """Queue a batch; the future resolves when it is acknowledged."""
        future: asyncio.Future[Any] = await self._connected().send_batch(
            batch, topic, partition=partition
        )
        return future

    def _connected(self) -> Any:
        if self._client is None:
            raise ProducerClosed
        return self._client
