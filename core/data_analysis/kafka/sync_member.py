"""kafka-python's consumer in a group: connects with retries, polls, commits, look-ups.

Where a lost position goes on is decided in `data_analysis.kafka.positions`; the client that users
see, one member or one per topic, is in `data_analysis.kafka.consumer`. Every call may come from any
thread; one thread at a time polls.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.base import MemberState
from kafka.errors import IllegalStateError
from kafka.structs import OffsetAndMetadata

from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.blocking_options import blocking_consumer_options
from data_analysis.kafka.connecting import Tries, check_wanted, connected
from data_analysis.kafka.errors import CLIENT_ERRORS, describe, gone_is_unknown, no_topics
from data_analysis.kafka.options import KafkaOptions
from data_analysis.kafka.sync_fetching import poll
from data_analysis.kafka.tls import check_tls
from data_analysis.offsets import Partition

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_MS = 10_000
"""How long one try to connect may take."""

TOPICS_TIMEOUT_MS = 5_000
"""How long topics are waited for that the broker may be making."""

TOPICS_LOOK_SECONDS = 0.2

ANSWER_TIMEOUT_MS = 5_000
"""How long a look-up may take; kafka-python asks again and again within it."""

JOIN_POLL_MS = 1_000
"""Shortest poll while the group is joined: kafka-python forgets an assignment that comes between
two polls, and joins anew."""

Records = dict[Partition, list[Any]]


class GroupMember:
    """A member of a consumer group; it commits nothing by itself.

    Args:
        topics: what to subscribe to.
        options: a Kafka configuration with a `group_id`.
        tries: how often connecting is tried.
        resets: False leaves a lost position to the caller, whatever `auto_offset_reset` says.
        instance_id: client id and static group membership of this member.

    `listener`, kafka-python's, is told of revoked and assigned partitions, from the next connection
    on.
    """

    def __init__(
        self,
        topics: Sequence[str],
        options: KafkaOptions,
        tries: Tries,
        *,
        resets: bool = True,
        instance_id: str | None = None,
    ) -> None:
        self.options = options
        self.listener: Any = None
        self._topics = list(topics)
        self._tries = tries
        self._resets = resets
        self._instance_id = instance_id
        self._client: Any = None

    @property
    def client(self) -> Any:
        """kafka-python's consumer, None while there is none."""
        return self._client

    @property
    def alive(self) -> bool:
        """Whether the client is connected, as far as is known."""
        return self._client is not None

    def connect(self, given_up: threading.Event | None = None) -> None:
        """Connect; the group is joined by the polls that follow.

        Raises:
            KafkaConnectionError: it did not work, as often as it was tried, it is `given_up`
                meanwhile, or certificates are refused.
        """
        servers = ", ".join(self.options.consumer["bootstrap_servers"])
        what = f"connecting a consumer to {servers}"
        check_tls(what, self.options.consumer)
        self._client = connected(what, lambda: self._make_client(what), self._tries, given_up)
        try:
            check_wanted(what, given_up)
        except KafkaConnectionError:
            self.close()
            raise

    def close(self) -> None:
        """Leave the group and close; a second call does nothing."""
        client = self._client
        if client is not None:
            try:
                client.close(autocommit=False, timeout_ms=ANSWER_TIMEOUT_MS)
            except CLIENT_ERRORS as error:
                logger.warning("closing the consumer: %s", describe(error))
            finally:
                self._client = None

    # kafka-python's errors come as they are.

    def fetch(self, timeout_ms: int, max_records: int | None = None) -> Records:
        """Poll once, long enough for a join that is under way."""
        client = self._connected()
        if not self.joined:
            timeout_ms = max(timeout_ms, JOIN_POLL_MS)
        polled = poll(client, timeout_ms, max_records)
        if not polled and not self.joined:
            polled = poll(client, JOIN_POLL_MS, max_records)
        return {Partition(*tp): records for tp, records in polled.items()}

    def commit(
        self,
        offsets: Mapping[Any, tuple[int, str]],
        timeout_ms: int = ANSWER_TIMEOUT_MS,
    ) -> None:
        """Commit offsets with their metadata, waiting up to `timeout_ms` for the answer."""
        noted = {
            TopicPartition(*tp): OffsetAndMetadata(offset, note, -1)
            for tp, (offset, note) in offsets.items()
        }
        self._connected().commit(noted, timeout_ms=timeout_ms)

    def wake(self) -> None:
        """Have the client's own thread look round: an empty commit asks nothing of Kafka."""
        self.commit({})

    def committed(self, tp: tuple[str, int]) -> tuple[int, str] | None:
        """Return the group's committed offset of one partition with its metadata, None without."""
        found = self._connected().committed(
            TopicPartition(*tp), metadata=True, timeout_ms=ANSWER_TIMEOUT_MS
        )
        return None if found is None or found.offset < 0 else (found.offset, found.metadata or "")

    def log_range(self, tp: tuple[str, int]) -> tuple[int, int]:
        """Return a partition's first offset and the one behind its last, as its leader says."""
        where = TopicPartition(*tp)
        client = self._connected()
        with gone_is_unknown():
            start = client.beginning_offsets([where], timeout_ms=ANSWER_TIMEOUT_MS)[where]
            end = client.end_offsets([where], timeout_ms=ANSWER_TIMEOUT_MS)[where]
        return start, end

    def first_since(self, tp: tuple[str, int], timestamp_ms: int) -> tuple[int, int] | None:
        """Return offset and time of the first record at or after a time, both in epoch ms."""
        where = TopicPartition(*tp)
        client = self._connected()
        with gone_is_unknown():
            found = client.offsets_for_times({where: timestamp_ms}, timeout_ms=ANSWER_TIMEOUT_MS)[
                where
            ]
        return None if found is None else (int(found.offset), int(found.timestamp))

    def seek(self, tp: tuple[str, int], offset: int) -> None:
        """Go on reading a partition at `offset`."""
        self._connected().seek(TopicPartition(*tp), offset)

    def pause(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Fetch no more from these partitions."""
        self._connected().pause(*(TopicPartition(*tp) for tp in partitions))

    def resume(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Fetch from these partitions again."""
        self._connected().resume(*(TopicPartition(*tp) for tp in partitions))

    def position(self, tp: tuple[str, int]) -> int | None:
        """Return the offset that is handed over next, None while it is not known."""
        client = self._client
        where = TopicPartition(*tp)
        state = None if client is None else client._subscription.assignment.get(where)
        if state is None or not state.has_valid_position:
            return None
        return int(state.position.offset)

    def assignment(self) -> list[Partition]:
        """Return the assigned partitions, sorted."""
        client = self._client
        return [] if client is None else sorted(Partition(*tp) for tp in client.assignment())

    @property
    def joined(self) -> bool:
        """Whether the group's current assignment is known."""
        return bool(self._connected().group_metadata().state is MemberState.STABLE)

    def partitions_of(self, topic: str) -> list[int]:
        """Return the known partitions of a topic, sorted."""
        return sorted(self._connected().partitions_for_topic(topic) or ())

    @property
    def topics(self) -> list[str]:
        """What is subscribed to, or will be at the next connection."""
        return list(self._topics)

    def read(self, topics: Sequence[str]) -> None:
        """Read these topics from the next connection on."""
        self._topics = list(topics)

    def _make_client(self, what: str) -> Any:
        named = {}
        if self._instance_id is not None:
            named = {"client_id": self._instance_id, "group_instance_id": self._instance_id}
        client = KafkaConsumer(
            group_id=self.options.group_id,
            enable_auto_commit=False,
            auto_offset_reset=self.options.auto_offset_reset if self._resets else "none",
            partition_assignment_strategy=(RangePartitionAssignor,),
            max_poll_records=self.options.max_poll_records,
            bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
            metrics_enabled=False,
            **blocking_consumer_options(self.options),
            **named,
        )
        client.subscribe(topics=self._topics, listener=self.listener)
        # A member that knows no partitions yet shares out none, and has to join twice.
        deadline = time.monotonic() + TOPICS_TIMEOUT_MS / 1000
        while unseen := [each for each in self._topics if not client.partitions_for_topic(each)]:
            if time.monotonic() > deadline:
                client.close(autocommit=False)
                raise no_topics(what, unseen)
            # Only this asks for the topics by name, which has a broker make them that does so.
            client._cluster.request_update()
            time.sleep(TOPICS_LOOK_SECONDS)
        return client

    def _connected(self) -> Any:
        if self._client is None:
            raise IllegalStateError("the consumer is not connected")
        return self._client
