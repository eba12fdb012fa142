"""Steps of producers that have an id, and of their transactions."""

from dataclasses import dataclass
from typing import Any

from kafka.protocol.admin import DescribeProducersRequest, DescribeTransactionsRequest
from kafka.protocol.producer import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
    TxnOffsetCommitRequest,
)

from tests.contract.machine.memory import TRANSACTIONAL, Memory
from tests.contract.machine.steps.step import Step

NEW, ITSELF, STALE = "new", "itself", "stale"
"""Who a producer says it is when it starts: nobody yet, who it is, who it was."""

SINCE_SEVERAL_TRANSACTIONS = 4
SINCE_RAISED_EPOCH = 5


@dataclass(frozen=True)
class StartProducer(Step):
    """Ask for a producer id; a transactional producer's open transaction is aborted."""

    kind = "InitProducerId"
    ends_transactions = True
    producer: int
    as_who: str = NEW
    timeout_ms: int = 60_000

    def request(self, memory: Memory) -> Any:
        known = memory.producer(self.producer)
        producer_id, epoch = known.producer_id, known.epoch
        if self.as_who == NEW:
            producer_id = epoch = -1
        elif self.as_who == STALE and epoch >= 0:
            epoch = max(epoch - 1, 0)
        return InitProducerIdRequest(
            transactional_id=memory.transactional_id(self.producer),
            transaction_timeout_ms=self.timeout_ms,
            producer_id=producer_id,
            producer_epoch=epoch,
        )

    def learn(self, memory: Memory, answer: Any) -> None:
        if answer.error_code == 0:
            known = memory.producer(self.producer)
            memory.call(answer.producer_id, f"producer {self.producer}")
            known.producer_id, known.epoch = answer.producer_id, answer.producer_epoch
            known.sequences.clear()


@dataclass(frozen=True)
class AddPartitions(Step):
    """Let partitions take part in a transaction."""

    kind = "AddPartitionsToTxn"
    producer: int
    partitions: tuple[tuple[int, int], ...]
    epoch_shift: int = 0
    verify_only: bool = False

    def request(self, memory: Memory) -> Any:
        known = memory.producer(self.producer)
        names = memory.transactional_id(self.producer), known.producer_id, known.epoch
        transactional_id, producer_id, epoch = names
        epoch += self.epoch_shift
        topics = [
            AddPartitionsToTxnRequest.AddPartitionsToTxnTopic(
                name=memory.topic(topic),
                partitions=sorted({part for where, part in self.partitions if where == topic}),
            )
            for topic in sorted({topic for topic, _ in self.partitions})
        ]
        if self.version < SINCE_SEVERAL_TRANSACTIONS:
            return AddPartitionsToTxnRequest(
                v3_and_below_transactional_id=transactional_id,
                v3_and_below_producer_id=producer_id,
                v3_and_below_producer_epoch=epoch,
                v3_and_below_topics=topics,
            )
        several = AddPartitionsToTxnRequest.AddPartitionsToTxnTransaction(
            transactional_id=transactional_id,
            producer_id=producer_id,
            producer_epoch=epoch,
            verify_only=self.verify_only,
            topics=topics,
        )
        return AddPartitionsToTxnRequest(transactions=[several])


@dataclass(frozen=True)
class AddOffsets(Step):
    """Let a group's offsets take part in a transaction."""

    kind = "AddOffsetsToTxn"
    producer: int
    group: int
    epoch_shift: int = 0

    def request(self, memory: Memory) -> Any:
        known = memory.producer(self.producer)
        return AddOffsetsToTxnRequest(
            transactional_id=memory.transactional_id(self.producer),
            producer_id=known.producer_id,
            producer_epoch=known.epoch + self.epoch_shift,
            group_id=memory.group(self.group),
        )


@dataclass(frozen=True)
class CommitInTransaction(Step):
    """Commit an offset that counts when the transaction is committed."""

    kind = "TxnOffsetCommit"
    writes_behind_its_answer = True
    producer: int
    group: int
    topic: int
    offset: int
    partition: int = 0
    metadata: str = ""
    epoch_shift: int = 0
    member: int | None = None
    generation_shift: int = 0

    def request(self, memory: Memory) -> Any:
        known = memory.producer(self.producer)
        member = None if self.member is None else memory.member(self.group, self.member)
        topic_class = TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic
        part = topic_class.TxnOffsetCommitRequestPartition(
            partition_index=self.partition,
            committed_offset=self.offset,
            committed_leader_epoch=-1,
            committed_metadata=self.metadata,
        )
        return TxnOffsetCommitRequest(
            transactional_id=memory.transactional_id(self.producer),
            group_id=memory.group(self.group),
            producer_id=known.producer_id,
            producer_epoch=known.epoch + self.epoch_shift,
            generation_id=-1 if member is None else member.generation + self.generation_shift,
            member_id="" if member is None else member.member_id,
            group_instance_id=None,
            topics=[topic_class(name=memory.topic(self.topic), partitions=[part])],
        )


@dataclass(frozen=True)
class End(Step):
    """Commit or abort a transaction."""

    kind = "EndTxn"
    ends_transactions = True
    producer: int
    commit: bool
    epoch_shift: int = 0

    def request(self, memory: Memory) -> Any:
        known = memory.producer(self.producer)
        return EndTxnRequest(
            transactional_id=memory.transactional_id(self.producer),
            producer_id=known.producer_id,
            producer_epoch=known.epoch + self.epoch_shift,
            committed=self.commit,
        )

    def learn(self, memory: Memory, answer: Any) -> None:
        if answer.error_code == 0 and self.version >= SINCE_RAISED_EPOCH:
            known = memory.producer(self.producer)
            memory.call(answer.producer_id, f"producer {self.producer}")
            if answer.producer_epoch != known.epoch:
                known.sequences.clear()
            known.producer_id, known.epoch = answer.producer_id, answer.producer_epoch


@dataclass(frozen=True)
class ShowTransactions(Step):
    """Describe the transactions of both transactional producers."""

    kind = "DescribeTransactions"

    def request(self, memory: Memory) -> Any:
        names = [memory.transactional_id(producer) for producer in TRANSACTIONAL]
        return DescribeTransactionsRequest(transactional_ids=names)


@dataclass(frozen=True)
class ShowProducers(Step):
    """Describe the producers of a partition."""

    kind = "DescribeProducers"
    topic: int
    partition: int = 0

    def request(self, memory: Memory) -> Any:
        wanted = DescribeProducersRequest.TopicRequest(
            name=memory.topic(self.topic), partition_indexes=[self.partition]
        )
        return DescribeProducersRequest(topics=[wanted])
