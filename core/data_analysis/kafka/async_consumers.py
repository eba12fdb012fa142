"""The consumer client that users see: one group member, or in multi-consumer mode one per topic.

A member is in `data_analysis.kafka.async_consumer`; with `multi_consumer_mode` and several topics
each topic has one of its own, in the group `{group_id}-{topic}`.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord, TopicPartition

from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.async_consumer import AsyncGroupMember
from data_analysis.kafka.async_lag import LagWatch, ProgressOf
from data_analysis.kafka.commits import Offsets, with_notes
from data_analysis.kafka.connecting import Tries
from data_analysis.kafka.errors import mapped
from data_analysis.kafka.options import KafkaOptions, check_group_id, options_of
from data_analysis.lag import LagInfo, show_lags
from data_analysis.settings import check_number, subscribed

logger = logging.getLogger(__name__)


class AsyncKafkaConsumerClient:
    """Reads topics as a member of a consumer group, or of one group per topic.

    Args:
        topics: what to subscribe to.
        config: Kafka configuration, nested or flat; `bootstrap_servers` and `group_id` are needed.
        loop: accepted for the sake of old callers; the running loop is used.
        resets: False leaves a lost position to the caller, whatever `auto_offset_reset` says.
        instance_id: client id and static group membership of this member.
        max_retries: how often connecting is tried.
        retry_interval: seconds between two tries.
        lag_refresh_seconds: how often Kafka is asked for what `get_lag_info` returns.

    Raises:
        ConfigurationError: the configuration is not valid.
    """

    def __init__(
        self,
        topics: list[str],
        config: Mapping[str, Any] | KafkaOptions,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        resets: bool = True,
        instance_id: str | None = None,
        max_retries: int = 5,
        retry_interval: float = 5,
        lag_refresh_seconds: float = 5.0,
    ) -> None:
        self.options = options_of(config)
        check_group_id(self.options)
        topics = subscribed(topics)
        check_number("lag_refresh_seconds", lag_refresh_seconds, least=0, above=True)
        self._resets = resets
        self._instance_id = instance_id
        self._tries = Tries(max_retries, retry_interval)
        self.per_topic = self.options.one_per_topic(topics)
        self.members: list[AsyncGroupMember] = []
        for some in [[topic] for topic in topics] if self.per_topic else [topics]:
            self.add_member(some)
        self._asked: dict[AsyncGroupMember, asyncio.Task[ConsumerRecord]] = {}
        self._turns: dict[AsyncGroupMember, int] = {}
        self._lag_refresh_seconds = lag_refresh_seconds
        self.lag = self._make_watch(self._own_progress)

    @property
    def alive(self) -> bool:
        """Whether all members are connected, as far as is known."""
        return all(member.alive for member in self.members)

    @property
    def topics(self) -> list[str]:
        """What is subscribed to, or will be at the next start."""
        return [topic for member in self.members for topic in member.topics]

    async def start(self) -> None:
        """Connect and join; returns when partitions are assigned.

        Raises:
            KafkaConnectionError: it did not work after `max_retries` tries.
        """
        try:
            await _each(member.start() for member in self.members)
        except BaseException:
            await self.stop()
            raise
        self.lag.start()

    async def stop(self) -> None:
        """Leave the groups and close; a second call does nothing."""
        await self.lag.stop()
        asked, self._asked = self._asked, {}
        for task in asked.values():
            task.cancel()
        await asyncio.gather(*asked.values(), return_exceptions=True)
        await _each(member.stop() for member in self.members)

    async def getone(self) -> ConsumerRecord:
        """Return the next record, waiting for it; of whatever topic, in multi-consumer mode.

        Raises:
            KafkaConnectionError: the client failed.
        """
        if not self.per_topic:
            return await self.members[0].getone()
        for member in self.members:
            if member not in self._asked:
                self._asked[member] = asyncio.create_task(member.getone())
        await asyncio.wait(self._asked.values(), return_when=asyncio.FIRST_COMPLETED)
        # The others keep waiting for the next call, and whoever had its turn is asked last.
        done = [member for member in self.members if self._asked[member].done()]
        member = min(done, key=lambda each: self._turns.get(each, 0))
        self._turns[member] = max(self._turns.values(), default=0) + 1
        return self._asked.pop(member).result()

    async def getmany(
        self, timeout_ms: int = 1000, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return what is there, waiting up to `timeout_ms` for something.

        `max_records` is `max_poll_records` of the configuration unless given; in multi-consumer
        mode it holds for each topic, and a topic that fails holds the others up no longer than one
        call.

        Raises:
            KafkaConnectionError: the client failed, and no topic brought anything.
        """
        if not self.per_topic:
            return await self.members[0].getmany(timeout_ms, max_records)
        tasks = [
            asyncio.create_task(member.getmany(timeout_ms, max_records)) for member in self.members
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
        records: dict[TopicPartition, list[ConsumerRecord]] = {}
        failed: KafkaConnectionError | None = None
        for answer in answers:
            if isinstance(answer, KafkaConnectionError):
                failed = answer
                logger.warning("%s", answer)
            elif isinstance(answer, dict):
                records.update(answer)
        if failed is not None and not records:
            raise failed
        return records

    async def commit(self, offsets: Offsets | None = None) -> None:
        """Commit `{(topic, partition): next offset}`, or what has been handed out.

        In place of an offset `(offset, metadata)` may stand.

        Raises:
            KafkaConnectionError: Kafka did not take them.
        """
        for member in self.members:
            given = self._handed_out(member) if offsets is None else offsets
            own = with_notes(given, member.topics)
            if own:
                with mapped("committing"):
                    await member.commit({TopicPartition(*tp): own[tp] for tp in own})

    def get_consumer(self) -> Any:
        """Return aiokafka's consumer; in multi-consumer mode `{topic: consumer}`.

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

    def assignment(self) -> list[TopicPartition]:
        """Return the assigned partitions, sorted."""
        return sorted(tp for member in self.members for tp in member.assignment())

    # What a service uses.

    def watch(self, progress: ProgressOf) -> None:
        """Begin to refresh the lag; the caller says how far reading and committing have come."""
        self.lag = self._make_watch(progress)
        self.lag.start()

    def add_member(self, topics: Sequence[str]) -> AsyncGroupMember:
        """Add a member that reads these topics; it is not started yet."""
        options = self.options.of_topic(topics[0]) if self.per_topic else self.options
        member = AsyncGroupMember(
            topics, options, self._tries, resets=self._resets, instance_id=self._instance_id
        )
        self.members.append(member)
        return member

    def _make_watch(self, progress: ProgressOf) -> LagWatch:
        return LagWatch(self.options, self.assignment, progress, self._lag_refresh_seconds)

    def _handed_out(self, member: AsyncGroupMember) -> dict[tuple[str, int], int]:
        """Return the next offsets of what callers have got."""
        places = {tuple(tp): member.position(tp) for tp in member.assignment()}
        asked = self._asked.get(member)
        if asked is not None and asked.done() and asked.exception() is None:
            waiting = asked.result()
            places[waiting.topic, waiting.partition] = waiting.offset
        return {tp: offset for tp, offset in places.items() if offset is not None}

    async def _own_progress(self, tp: TopicPartition) -> tuple[int | None, int | None]:
        member = next(member for member in self.members if tp.topic in member.topics)
        return member.position(tp), await member.committed(tp)


async def _each(calls: Any) -> None:
    """Await all, side by side; the first error is raised when all have ended."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
