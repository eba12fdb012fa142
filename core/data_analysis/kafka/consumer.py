"""The blocking consumer client that users see: one group member, or in multi-consumer mode one per
topic.

A member is in `data_analysis.kafka.sync_member`; with `multi_consumer_mode` and several topics each
topic has one of its own, in the group `{group_id}-{topic}`.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from data_analysis.clock import WALL
from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.commits import Offsets, with_notes
from data_analysis.kafka.connecting import Tries
from data_analysis.kafka.errors import mapped
from data_analysis.kafka.options import KafkaOptions, check_group_id, options_of
from data_analysis.kafka.sync_lag import LagWatch, ProgressOf
from data_analysis.kafka.sync_member import ANSWER_TIMEOUT_MS, GroupMember, Records
from data_analysis.lag import LagInfo, show_lags
from data_analysis.offsets import Partition
from data_analysis.settings import check_number, subscribed

logger = logging.getLogger(__name__)

TURN_SECONDS = 0.02
"""How long a poll of several members waits until it asks them again whether something has come."""


class KafkaConsumerClient:
    """Reads topics as a member of a consumer group, or of one group per topic; commits nothing by
    itself.

    Args:
        topics: what to subscribe to.
        config: Kafka configuration, nested or flat; `bootstrap_servers` and `group_id` are needed.
        max_retries: how often connecting, or a poll, is tried.
        retry_interval: seconds between two tries.
        resets: False leaves a lost position to the caller, whatever `auto_offset_reset` says.
        instance_id: client id and static group membership of this member.
        connect: False waits for `connect()`.
        lag_refresh_seconds: how often Kafka is asked for what `get_lag_info` returns.

    Raises:
        ConfigurationError: the configuration is not valid.
        KafkaConnectionError: connecting did not work after `max_retries` tries.
    """

    def __init__(
        self,
        topics: list[str],
        config: Mapping[str, Any] | KafkaOptions,
        max_retries: int = 5,
        retry_interval: float = 5,
        *,
        resets: bool = True,
        instance_id: str | None = None,
        connect: bool = True,
        lag_refresh_seconds: float = 5.0,
    ) -> None:
        self.options = options_of(config)
        check_group_id(self.options)
        topics = subscribed(topics)
        check_number("lag_refresh_seconds", lag_refresh_seconds, least=0, above=True)
        self._tries = Tries(max_retries, retry_interval)
        self._resets = resets
        self._instance_id = instance_id
        self._lag_refresh_seconds = lag_refresh_seconds
        self.per_topic = self.options.one_per_topic(topics)
        self.members: list[GroupMember] = []
        for some in [[topic] for topic in topics] if self.per_topic else [topics]:
            self.add_member(some)
        self.lag = self._make_watch(self._own_progress)
        if connect:
            self.connect()

    @property
    def alive(self) -> bool:
        """Whether all members are connected, as far as is known."""
        return all(member.alive for member in self.members)

    @property
    def topics(self) -> list[str]:
        """What is subscribed to, or will be at the next connection."""
        return [topic for member in self.members for topic in member.topics]

    def connect(self) -> None:
        """Connect; the groups are joined by the polls that follow.

        Raises:
            KafkaConnectionError: it did not work after `max_retries` tries.
        """
        try:
            for member in self.members:
                member.connect()
        except BaseException:
            self.close()
            raise
        self.lag = self._make_watch(self._own_progress)
        self.lag.start()

    def poll(self, timeout_ms: int = 1000) -> Records:
        """Return what is there, waiting up to `timeout_ms` for something.

        In multi-consumer mode `max_poll_records` holds for each topic, and a topic that fails holds
        the others up no longer than one call.

        Returns:
            `{TopicPartition: [Message]}`; a message has `topic`, `partition`, `offset`,
            `timestamp` (epoch ms), `key`, `value` and `headers`.

        Raises:
            KafkaConnectionError: polling failed `max_retries` times in a row, and no topic brought
                anything.
        """
        tried = 0
        while True:
            tried += 1
            try:
                return self._poll_once(timeout_ms)
            except KafkaConnectionError as error:
                if not self.alive:
                    raise
                time.sleep(self._tries.wait_seconds(tried, error))

    def close(self) -> None:
        """Leave the groups and close; a second call does nothing."""
        self.lag.stop()
        for member in self.members:
            member.close()

    def commit(self, offsets: Offsets | None = None, timeout_ms: int = ANSWER_TIMEOUT_MS) -> None:
        """Commit `{(topic, partition): next offset}`, or what has been handed out.

        In place of an offset `(offset, metadata)` may stand.

        Raises:
            KafkaConnectionError: Kafka did not take them.
        """
        for member in self.members:
            given = _handed_out(member) if offsets is None else offsets
            own = with_notes(given, member.topics)
            if own:
                with mapped("committing"):
                    member.commit(own, timeout_ms)

    def get_consumer(self) -> Any:
        """Return kafka-python's consumer; in multi-consumer mode `{topic: consumer}`.

        It is None before the start, after the stop, and while a lost one is replaced.
        """
        if not self.per_topic:
            return self.members[0].client
        return {topic: member.client for member in self.members for topic in member.topics}

    def get_lag_info(self) -> LagInfo:
        """Return how far the group is behind, as of the last refresh, without asking anybody.

        The shape is `{topic: {partition: {"current_offset", "committed_offset", "end_offset",
        "lag"}}}` over the partitions that are assigned to this process; lag counts from the
        committed offset, or from the log's start where that is above it.
        """
        return show_lags(self.lag.lags, self.topics)

    def assignment(self) -> list[Partition]:
        """Return the assigned partitions, sorted."""
        return sorted(tp for member in self.members for tp in member.assignment())

    # What a service uses.

    def watch(self, progress: ProgressOf) -> None:
        """Begin to refresh the lag; the caller says how far reading and committing have come."""
        self.lag = self._make_watch(progress)
        self.lag.start()

    def add_member(self, topics: Sequence[str]) -> GroupMember:
        """Add a member that reads these topics; it is not connected yet."""
        options = self.options.of_topic(topics[0]) if self.per_topic else self.options
        member = GroupMember(
            topics, options, self._tries, resets=self._resets, instance_id=self._instance_id
        )
        self.members.append(member)
        return member

    def _poll_once(self, timeout_ms: int) -> Records:
        if not self.per_topic:
            with mapped("polling"):
                return self.members[0].fetch(timeout_ms)
        deadline = WALL.monotonic() + timeout_ms / 1000
        while True:
            records, failed = self._poll_each()
            left_seconds = deadline - WALL.monotonic()
            if failed is not None and not records:
                raise failed
            if records or left_seconds <= 0:
                return records
            time.sleep(min(TURN_SECONDS, left_seconds))

    def _poll_each(self) -> tuple[Records, KafkaConnectionError | None]:
        """Return what is there of every topic, and what one of them has met, if any."""
        records: Records = {}
        failed: KafkaConnectionError | None = None
        for member in self.members:
            try:
                with mapped(f"polling {', '.join(member.topics)}"):
                    records.update(member.fetch(0))
            except KafkaConnectionError as error:
                failed = error
        if failed is not None and records:
            logger.warning("%s", failed)
        return records, failed

    def _make_watch(self, progress: ProgressOf) -> LagWatch:
        return LagWatch(self.options, self.assignment, progress, self._lag_refresh_seconds)

    def _own_progress(self, tp: Partition) -> tuple[int | None, int | None]:
        member = next(member for member in self.members if tp.topic in member.topics)
        found = member.committed(tp)
        return member.position(tp), None if found is None else found[0]


def _handed_out(member: GroupMember) -> dict[tuple[str, int], int]:
    """Return the next offsets of what callers have got."""
    places = {tp: member.position(tp) for tp in member.assignment()}
    return {tp: offset for tp, offset in places.items() if offset is not None}
