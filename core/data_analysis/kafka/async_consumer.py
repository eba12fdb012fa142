"""aiokafka's consumer in a group: start with retries, polls, commits, look-ups.

It never resets a position by itself when it is told not to; that is done in
`data_analysis.kafka.positions`. The client that users see, one member or one per topic, is in
`data_analysis.kafka.async_consumers`.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError, UnknownTopicOrPartitionError
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata, TopicPartition

from data_analysis.cancelling import is_being_cancelled
from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.async_fetching import Fetching
from data_analysis.kafka.connecting import Tries
from data_analysis.kafka.errors import describe, lost_position, mapped, no_topics
from data_analysis.kafka.options import KafkaOptions
from data_analysis.kafka.tls import check_tls_aside
from data_analysis.record_columns import RecordColumns

logger = logging.getLogger(__name__)

FETCH_TICK_MS = 10_000
"""How often aiokafka's fetcher looks round with nothing to do. Answers, seeks and assignments wake
it at once; at long polls its default of 200 ms is half of what an idle service computes."""

DECODED_AT_ONCE = 200
"""Most records that are decoded until nothing but their columns is kept: each is two objects for
the garbage collector, which goes through what is young whenever there are 700."""

Poll = tuple[dict[TopicPartition, RecordColumns], list[BaseException]]
"""Records, and errors."""


class AsyncGroupMember:
    """A member of a consumer group.

    Args:
        topics: what to subscribe to.
        options: a Kafka configuration with a `group_id`.
        resets: False leaves a lost position to the caller, whatever `auto_offset_reset` says.
        instance_id: client id and static group membership of this member.
        tries: how often connecting is tried.

    `listener` is told of revoked and assigned partitions, from the next start on.
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
        self.listener: ConsumerRebalanceListener | None = None
        self._topics = list(topics)
        self._resets = resets
        self._instance_id = instance_id
        self._tries = tries
        self._client: Any = None
        self._fetching: Fetching | None = None

    @property
    def client(self) -> Any:
        """aiokafka's consumer, None while there is none."""
        return self._client

    @property
    def alive(self) -> bool:
        """Whether the client is connected, as far as is known."""
        return self._client is not None

    async def start(self) -> None:
        """Connect and join the group; returns when partitions are assigned.

        Raises:
            KafkaConnectionError: it did not work, as often as it was tried, or certificates are
                refused.
        """
        what = f"connecting a consumer to {self._servers()}"
        await check_tls_aside(what, self.options.consumer)
        tried = 0
        while True:
            tried += 1
            client = self._client = self._make_client()
            try:
                with mapped(what):
                    await self._begin(client, what)
                self._fetching = Fetching(client)
            except KafkaConnectionError as error:
                await self.stop()
                await asyncio.sleep(self._tries.wait_seconds(tried, error))
            except BaseException:
                await self.stop()
                raise
            else:
                return

    async def _begin(self, client: Any, what: str) -> None:
        try:
            await client.start()
        except UnknownTopicOrPartitionError as error:
            unseen = [each for each in self._topics if client.partitions_for_topic(each) is None]
            raise no_topics(what, unseen) from error

    async def stop(self) -> None:
        """Leave the group and close; a second call does nothing."""
        client, self._client = self._client, None
        if client is not None:
            await close_whole(client)

    async def getone(self) -> ConsumerRecord:
        """Return the next record, waiting for it.

        Raises:
            KafkaConnectionError: the client failed.
        """
        self._whole_records()
        with mapped("polling"):
            return await self._connected().getone()

    async def getmany(
        self, timeout_ms: int = 1000, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return what is there, waiting up to `timeout_ms` for something.

        `max_records` is `max_poll_records` of the configuration unless given.

        Raises:
            KafkaConnectionError: the client failed.
        """
        self._whole_records()
        with mapped("polling"):
            records: dict[TopicPartition, list[ConsumerRecord]] = await self._connected().getmany(
                timeout_ms=timeout_ms, max_records=max_records
            )
            return records

    async def drain(
        self, timeout_ms: int, partitions: Sequence[TopicPartition], per_partition: int
    ) -> Poll:
        """Return the first records of each partition at one instant, and the errors among them.

        Waits up to `timeout_ms` for a first record or error, then takes from every partition what
        is there, at most `per_partition` records, without waiting: what a client returns first
        follows hash order, what it has does not. The rest stays, undecoded, in the client.
        """
        if self._fetching is not None:
            self._fetching.lighten(True)
        records: dict[TopicPartition, RecordColumns] = {}
        errors: list[BaseException] = []
        if not await self._take(records, errors, partitions, timeout_ms, per_partition):
            return records, errors
        for tp in sorted(partitions or self.assignment()):
            wanted = per_partition - len(records.get(tp, ()))
            if wanted and not await self._take(records, errors, [tp], 0, wanted):
                break
        return records, errors

    async def _take(
        self,
        records: dict[TopicPartition, RecordColumns],
        errors: list[BaseException],
        partitions: Sequence[TopicPartition],
        timeout_ms: int,
        most: int,
    ) -> bool:
        """Add at most so many records, and the errors among them; False if polling itself fails."""
        while True:
            try:
                some = await self._connected().getmany(
                    *partitions, timeout_ms=timeout_ms, max_records=min(most, DECODED_AT_ONCE)
                )
            except KafkaError as error:
                errors.append(error)
                if lost_position(error) is None:
                    return False
            else:
                for tp, batch in some.items():
                    if tp in records:
                        records[tp].extend(RecordColumns.of(batch))
                    else:
                        records[tp] = RecordColumns.of(batch)
                    most -= len(batch)
                if not some or not most:
                    return True
            timeout_ms = 0

    def _whole_records(self) -> None:
        if self._fetching is not None:
            self._fetching.lighten(False)

    async def commit(self, offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        """Commit offsets with their metadata; aiokafka's errors come as they are."""
        await self._connected().commit(dict(offsets))

    async def committed(self, tp: TopicPartition) -> int | None:
        """Return the group's committed offset of one partition, None without one."""
        offset: int | None = await self._connected().committed(tp)
        return offset

    async def committed_note(self, tp: TopicPartition) -> str:
        """Return the metadata of the group's commit of one partition.

        It takes a connection of its own: aiokafka's consumer does not show metadata.
        """
        admin = AIOKafkaAdminClient(**self.options.admin)
        try:
            await admin.start()
            offsets = await admin.list_consumer_group_offsets(
                self.options.group_id, partitions=[tp]
            )
        finally:
            await admin.close()
        found: OffsetAndMetadata | None = offsets.get(tp)
        return "" if found is None else found.metadata or ""

    async def log_range(self, tp: TopicPartition) -> tuple[int, int]:
        """Return a partition's first offset and the one behind its last, as its leader says."""
        start = (await self._connected().beginning_offsets([tp]))[tp]
        end = (await self._connected().end_offsets([tp]))[tp]
        return start, end

    async def first_since(self, tp: TopicPartition, timestamp_ms: int) -> tuple[int, int] | None:
        """Return offset and time of the first record at or after a time, both in epoch ms."""
        found = (await self._connected().offsets_for_times({tp: timestamp_ms}))[tp]
        return None if found is None else (int(found.offset), int(found.timestamp))

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Go on reading a partition at `offset`."""
        self._connected().seek(tp, offset)

    def position(self, tp: TopicPartition) -> int | None:
        """Return the offset that is handed over next, None while it is not known."""
        subscription = None if self._client is None else self._client._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return None
        state = assignment.state_value(tp)
        return int(state.position) if state.has_valid_position else None

    def lives(self) -> None:
        """Say that somebody is at work, though nothing is polled: else the group is left."""
        if self._client is not None:
            with self._client._subscription.fetch_context():
                pass

    def paused(self) -> list[TopicPartition]:
        """Return the paused partitions, sorted."""
        return [] if self._client is None else sorted(self._client.paused())

    def assignment(self) -> list[TopicPartition]:
        """Return the assigned partitions, sorted."""
        return [] if self._client is None else sorted(self._client.assignment())

    def partitions_of(self, topic: str) -> list[int]:
        """Return the known partitions of a topic, sorted."""
        if self._client is None:
            return []
        return sorted(self._client.partitions_for_topic(topic) or ())

    @property
    def topics(self) -> list[str]:
        """What is subscribed to, or will be at the next start."""
        return list(self._topics)

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Fetch no more from these partitions."""
        self._connected().pause(*partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Fetch from these partitions again."""
        self._connected().resume(*partitions)

    def read(self, topics: Sequence[str]) -> None:
        """Read these topics from the next start on."""
        self._topics = list(topics)

    def _make_client(self) -> Any:
        named = {}
        if self._instance_id is not None:
            named = {"client_id": self._instance_id, "group_instance_id": self._instance_id}
        client = AIOKafkaConsumer(
            group_id=self.options.group_id,
            enable_auto_commit=False,
            auto_offset_reset=self.options.auto_offset_reset if self._resets else "none",
            partition_assignment_strategy=(RangePartitionAssignor,),
            max_poll_records=self.options.max_poll_records,
            consumer_timeout_ms=FETCH_TICK_MS,
            **self.options.consumer,
            **named,
        )
        client.subscribe(topics=self._topics, listener=self.listener)
        return client

    def _servers(self) -> str:
        return ", ".join(self.options.consumer["bootstrap_servers"])

    def _connected(self) -> Any:
        if self._client is None:
            raise IllegalStateError("the consumer is not connected")
        return self._client


async def close_whole(client: Any) -> None:
    """Close aiokafka's consumer whole.

    Its `stop` awaits fetches that it has cancelled: one that is backing off at that moment ends it
    with a cancellation that nobody asked for, and what follows stays open. What ended the
    coordinator comes out here too, and has been reported by a poll already.
    """
    try:
        await client.stop()
    except asyncio.CancelledError:
        if is_being_cancelled():
            raise
    except KafkaError as error:
        logger.warning("closing the consumer: %s", describe(error))
    else:
        return
    fetches = list(client._fetcher._pending_tasks)
    for fetch in fetches:
        fetch.cancel()
    await asyncio.gather(*fetches, return_exceptions=True)
    await client._client.close()
