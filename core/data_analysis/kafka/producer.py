"""kafka-python's producer: connects with retries, single values, and records with an answer.

What waits for being sent, and what is tried again, is in `data_analysis.kafka.sync_uploads`.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from kafka import KafkaProducer
from kafka.errors import IllegalStateError
from kafka.partitioner.default import murmur2
from kafka.structs import TopicPartition

from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.blocking_options import blocking_producer_options
from data_analysis.kafka.connecting import Tries, check_wanted, connected
from data_analysis.kafka.errors import CLIENT_ERRORS, describe, mapped, may_pass
from data_analysis.kafka.options import read_kafka_options
from data_analysis.kafka.sync_sending import AnySent, hand_over
from data_analysis.kafka.tls import check_tls

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_MS = 10_000
"""How long one try to connect may take."""

METADATA_TIMEOUT_MS = 5_000
"""How long a record may wait for its topic to be known."""

DELIVERY_TIMEOUT_MS = 60_000
"""How long kafka-python tries by itself before it says what is wrong."""

CLOSE_TIMEOUT_SECONDS = 5.0

KEYS_KNOWN = 100_000
"""Keys whose hash is kept: kafka-python takes microseconds for one."""


class KafkaProducerClient:
    """A producer, idempotent unless `acks` is not "all".

    Args:
        config: Kafka configuration, nested or flat; `bootstrap_servers` is needed.
        max_retries: how often connecting, or sending a value, is tried.
        retry_interval: seconds between two tries.
        instance_id: client id.
        connect: False waits for `connect()`.

    Raises:
        ConfigurationError: the configuration is not valid.
        KafkaConnectionError: connecting did not work after `max_retries` tries.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        max_retries: int = 5,
        retry_interval: float = 5,
        *,
        instance_id: str | None = None,
        connect: bool = True,
    ) -> None:
        self.options = read_kafka_options(config)
        self._arguments = blocking_producer_options(self.options, config)
        self._client_id = instance_id or "data-analysis-producer"
        self._tries = Tries(max_retries, retry_interval)
        self._client: Any = None
        if connect:
            self.connect()

    @property
    def alive(self) -> bool:
        """Whether the client is connected, as far as is known."""
        return self._client is not None

    def connect(self, given_up: threading.Event | None = None) -> None:
        """Connect.

        Raises:
            KafkaConnectionError: it did not work after `max_retries` tries, it is `given_up`
                meanwhile, or certificates are refused.
        """
        servers = ", ".join(self.options.producer["bootstrap_servers"])
        what = f"connecting a producer to {servers}"
        check_tls(what, self.options.producer)
        self._client = connected(what, self._make_client, self._tries, given_up)
        try:
            check_wanted(what, given_up)
        except KafkaConnectionError:
            self.close()
            raise

    def send(self, topic: str, value: Any) -> None:
        """Send one value as JSON and wait for the acknowledgement.

        Raises:
            KafkaConnectionError: it was not acknowledged after `max_retries` tries.
        """
        data = orjson.dumps(value)
        tried = 0
        while True:
            tried += 1
            try:
                with mapped(f"sending to {topic}"):
                    client = self._connected()
                    future = client.send(topic, data)
                    client.flush()
                    future.get(timeout=DELIVERY_TIMEOUT_MS / 1000)
                    return
            except KafkaConnectionError as error:
                if not may_pass(error.__cause__):
                    raise
                time.sleep(self._tries.wait_seconds(tried, error))

    def close(self) -> None:
        """Send what waits, within a limit, and close; a second call does nothing."""
        client, self._client = self._client, None
        if client is not None:
            try:
                client.close(timeout=CLOSE_TIMEOUT_SECONDS)
            except CLIENT_ERRORS as error:
                # It flushes first, and a flush that takes too long leaves it open.
                logger.warning("closing the producer: %s", describe(error))
                client._sender.force_close()

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has, waiting for Kafka to tell.

        kafka-python's errors come as they are, here and below.
        """
        return len(self._connected().partitions_for(topic))

    def begin(
        self,
        topic: str,
        partition: int,
        records: Sequence[AnySent],
        tell: Callable[[Sequence[AnySent]], None],
    ) -> list[tuple[AnySent, Exception]]:
        """Begin to send records of one partition, once `wake` is called.

        `tell` is called, in kafka-python's thread, with some of them that have an answer. Returned
        are those that cannot be sent, and why.
        """
        return hand_over(self._connected(), TopicPartition(topic, partition), records, tell)

    def wake(self) -> None:
        """Have what was begun sent."""
        if self._client is not None:
            self._client._sender.wakeup()

    def _make_client(self) -> Any:
        return KafkaProducer(
            client_id=self._client_id,
            max_block_ms=METADATA_TIMEOUT_MS,
            delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
            bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
            metrics_enabled=False,
            **self._arguments,
        )

    def _connected(self) -> Any:
        if self._client is None:
            raise IllegalStateError("the producer is not connected")
        return self._client


@lru_cache(KEYS_KNOWN)
def partition_for(key: bytes, partitions: int) -> int:
    """Return the partition that any Kafka client with default settings gives a key."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
