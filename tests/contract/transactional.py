"""A bare transactional producer: each step of a transaction by hand, on one connection.

It judges nothing and retries nothing, but for what Kafka finishes behind its answers: a transaction
that is still ending, coordinators that are not there yet.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from kafka.protocol.metadata import FindCoordinatorRequest
from kafka.protocol.producer import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
    TxnOffsetCommitRequest,
)

from tests.contract.asking import produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.connection import Connection
from tests.contract.waiting import eventually

TRANSACTION = 1  # as a coordinator's kind
NOT_YET = (14, 15, 16)  # a coordinator loads, is not there, is elsewhere
CONCURRENT_TRANSACTIONS = 51
READ_COMMITTED = 1


class Transactional:
    """Starts, adds, writes and ends when told to; keeps its producer id, epoch and sequences."""

    def __init__(self, wire: Connection, transactional_id: str) -> None:
        self.wire = wire
        self.transactional_id = transactional_id
        self.producer_id = -1
        self.epoch = -1
        self.sequences: dict[tuple[str, int], int] = {}

    async def init_once(
        self,
        *,
        timeout_ms: int = 60_000,
        expected: tuple[int, int] = (-1, -1),
        version: int = 4,
    ) -> Any:
        """Ask for a producer id once; keeps nothing."""
        request = InitProducerIdRequest(
            transactional_id=self.transactional_id,
            transaction_timeout_ms=timeout_ms,
            producer_id=expected[0],
            producer_epoch=expected[1],
        )
        return await self.wire.ask(request, version)

    async def init(self, **options: Any) -> Any:
        """Start, when what is open has ended; keeps producer id and epoch."""
        answer = await settled(lambda: self.init_once(**options))
        if answer.error_code == 0:
            self.producer_id, self.epoch = answer.producer_id, answer.producer_epoch
            self.sequences.clear()
        return answer

    async def add_once(self, *topics: str, partition: int = 0, version: int = 3) -> int:
        """Add one partition of topics (version 3 at most); returns the last one's error code."""
        request = AddPartitionsToTxnRequest(
            v3_and_below_transactional_id=self.transactional_id,
            v3_and_below_producer_id=self.producer_id,
            v3_and_below_producer_epoch=self.epoch,
            v3_and_below_topics=[
                AddPartitionsToTxnRequest.AddPartitionsToTxnTopic(
                    name=topic, partitions=[partition]
                )
                for topic in topics
            ],
        )
        answer = await self.wire.ask(request, version)
        results = {
            topic.name: topic.results_by_partition[0].partition_error_code
            for topic in answer.results_by_topic_v3_and_below
        }
        code: int = results[topics[-1]]
        return code

    async def add(self, *topics: str, **options: Any) -> int:
        """Add partitions when the transaction before has ended; returns the error code."""
        return await settled_code(lambda: self.add_once(*topics, **options))

    async def write(
        self,
        topic: str,
        *values: bytes,
        partition: int = 0,
        transactional: bool = True,
        version: int = 9,
    ) -> Any:
        """Write one batch; returns the partition's answer. Sequences go on if it was taken."""
        sequence = self.sequences.get((topic, partition), 0)
        made = batch(
            *values,
            producer_id=self.producer_id,
            epoch=self.epoch,
            sequence=sequence,
            transactional=transactional,
            at_ms=int(time.time() * 1000),  # as the markers: times far apart would roll a segment
        )
        answer = await produce(
            self.wire,
            topic,
            made,
            partition=partition,
            version=version,
            transactional_id=self.transactional_id,
        )
        if answer.error_code == 0:
            self.sequences[topic, partition] = sequence + len(values)
        return answer

    async def begin(self, topic: str, *values: bytes, **options: Any) -> None:
        """Add a partition and write one batch to it; both have to be taken."""
        assert await self.add(topic, **options) == 0
        answer = await self.write(topic, *values, **options)
        assert answer.error_code == 0, answer

    async def end_once(self, *, commit: bool, version: int = 3) -> Any:
        """Ask for the end once; returns the answer."""
        request = EndTxnRequest(
            transactional_id=self.transactional_id,
            producer_id=self.producer_id,
            producer_epoch=self.epoch,
            committed=commit,
        )
        return await self.wire.ask(request, version)

    async def end(self, *, commit: bool, version: int = 3) -> int:
        """End the transaction and wait until it has ended; returns the error code."""
        answer = await self.end_once(commit=commit, version=version)
        if answer.error_code == 0 and version < 5:
            await settled(lambda: self.end_once(commit=commit, version=version))
        return int(answer.error_code)

    async def add_offsets(self, group: str, *, version: int = 3) -> int:
        """Add the offsets of a group; returns the error code."""
        request = AddOffsetsToTxnRequest(
            transactional_id=self.transactional_id,
            producer_id=self.producer_id,
            producer_epoch=self.epoch,
            group_id=group,
        )

        async def ask() -> int:
            return int((await self.wire.ask(request, version)).error_code)

        return await settled_code(ask)

    async def commit_offset(
        self,
        group: str,
        topic: str,
        offset: int,
        *,
        partition: int = 0,
        metadata: str = "",
        member_id: str = "",
        generation: int = -1,
        version: int = 3,
    ) -> int:
        """Commit one offset within the transaction; returns the partition's error code."""
        topic_class = TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic
        part = topic_class.TxnOffsetCommitRequestPartition(
            partition_index=partition,
            committed_offset=offset,
            committed_leader_epoch=-1,
            committed_metadata=metadata,
        )
        request = TxnOffsetCommitRequest(
            transactional_id=self.transactional_id,
            group_id=group,
            producer_id=self.producer_id,
            producer_epoch=self.epoch,
            generation_id=generation,
            member_id=member_id,
            group_instance_id=None,
            topics=[topic_class(name=topic, partitions=[part])],
        )

        async def ask() -> int:
            answer = await self.wire.ask(request, version)
            return int(answer.topics[0].partitions[0].error_code)

        return await settled_code(ask)


async def transactional(
    kafka: Bench, label: str = "p", *, start: bool = True, **options: Any
) -> Transactional:
    """A producer with a connection of its own, started unless told otherwise."""
    made = Transactional(await kafka.connect(), kafka.name(label))
    await find_transaction_coordinator(made)
    if start:
        answer = await made.init(**options)
        assert answer.error_code == 0, answer
    return made


async def find_transaction_coordinator(producer: Transactional) -> None:
    """Wait for the coordinator; on a fresh broker the first question makes its topic."""

    async def found() -> bool:
        request = FindCoordinatorRequest(key=producer.transactional_id, key_type=TRANSACTION)
        return bool((await producer.wire.ask(request, 1)).error_code == 0)

    await eventually(found, what="coordinator")


async def settled(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until nothing is under way any more; returns the answer."""

    async def answered() -> Any:
        answer = await ask()
        return None if answer.error_code in (*NOT_YET, CONCURRENT_TRANSACTIONS) else answer

    return await eventually(answered, what="the end of what is under way")


async def settled_code(ask: Callable[[], Awaitable[int]]) -> int:
    """`settled` for what returns an error code."""
    codes = []

    async def answered() -> bool:
        codes.append(await ask())
        return codes[-1] not in (*NOT_YET, CONCURRENT_TRANSACTIONS)

    await eventually(answered, what="the end of what is under way")
    return codes[-1]
