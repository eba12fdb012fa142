"""Steps that write to logs, read them, look offsets up and cut heads."""

from dataclasses import dataclass
from typing import Any

from kafka.protocol.admin import DeleteRecordsRequest
from kafka.protocol.consumer import ListOffsetsRequest
from kafka.record.memory_records import MemoryRecordsBuilder

from tests.contract.asking import fetch_request, produce_request
from tests.contract.batches import with_wrong_checksum
from tests.contract.machine.memory import Memory, ProducerMemory
from tests.contract.machine.steps.step import Step

START_MS = 1_700_000_000_000
"""Times of records count from here."""

WAIT_MS = 15_000
"""How long a fetch waits that is to be woken; longer than a program takes."""

Written = tuple[int, bytes | None, bytes | int | None]
"""Time after `START_MS`, key, value; a number stands for so many bytes."""


@dataclass(frozen=True)
class Produce(Step):
    """Write a batch, as nobody or as a producer whose epoch and sequence may be wrong by a bit."""

    kind = "Produce"
    topic: int
    records: tuple[Written, ...]
    partition: int = 0
    codec: int = 0
    damage: str = ""
    acks: int = -1
    producer: int | None = None
    epoch_shift: int = 0
    sequence_shift: int = 0
    transactional: bool = False

    def request(self, memory: Memory) -> Any:
        transactional_id = None
        if self.producer is not None and self.transactional:
            transactional_id = memory.transactional_id(self.producer)
            if memory.producer(self.producer).producer_id < 0:
                return None  # the codec makes no such batch
        return produce_request(
            memory.topic(self.topic),
            self._damaged(self._batch(memory)),
            partition=self.partition,
            acks=self.acks,
            topic_id=memory.topic_ids.get(self.topic),
            transactional_id=transactional_id,
        )

    def _batch(self, memory: Memory) -> bytes:
        builder = MemoryRecordsBuilder(
            magic=2, compression_type=self.codec, batch_size=1 << 24, **self._identity(memory)
        )
        for at, key, value in self.records:
            content = b"x" * value if isinstance(value, int) else value
            builder.append(START_MS + at, key, content)
        builder.close()
        return bytes(builder.buffer())

    def _identity(self, memory: Memory) -> dict[str, Any]:
        known = ProducerMemory() if self.producer is None else memory.producer(self.producer)
        if self.producer is None or known.producer_id < 0:
            return {}
        next_sequence = known.sequences.get((self.topic, self.partition), 0)
        return {
            "producer_id": known.producer_id,
            "producer_epoch": max(known.epoch + self.epoch_shift, 0),
            "base_sequence": max(next_sequence + self.sequence_shift, 0),
            "transactional": self.transactional,
        }

    def _damaged(self, made: bytes) -> bytes:
        if self.damage == "checksum":
            return with_wrong_checksum(made)
        if self.damage == "twice":
            return made + made
        return b"" if self.damage == "empty" else made

    def learn(self, memory: Memory, answer: Any) -> None:
        if self.producer is None or self.sequence_shift < 0:
            return
        if answer is None or answer.responses[0].partition_responses[0].error_code == 0:
            known = memory.producer(self.producer)
            where = self.topic, self.partition
            written = known.sequences.get(where, 0) + self.sequence_shift + len(self.records)
            known.sequences[where] = written


@dataclass(frozen=True)
class Fetch(Step):
    """Read what is there."""

    kind = "Fetch"
    topic: int
    offset: int
    partition: int = 0
    max_bytes: int = 1 << 20
    partition_max_bytes: int = 1 << 20
    isolation: int = 0

    def request(self, memory: Memory) -> Any:
        return fetch_request(
            memory.topic(self.topic),
            self.offset,
            partition=self.partition,
            max_bytes=self.max_bytes,
            partition_max_bytes=self.partition_max_bytes,
            isolation_level=self.isolation,
            topic_id=memory.topic_ids.get(self.topic),
        )


@dataclass(frozen=True)
class WaitingFetch(Step):
    """Read, and wait for more than is there; woken by what later steps write."""

    kind = "Fetch"
    topic: int
    offset: int
    partition: int = 0
    min_bytes: int = 1
    isolation: int = 0

    @property
    def lane(self) -> str:
        return f"fetch of t{self.topic}/{self.partition}"

    def request(self, memory: Memory) -> Any:
        return fetch_request(
            memory.topic(self.topic),
            self.offset,
            partition=self.partition,
            max_wait_ms=WAIT_MS,
            min_bytes=self.min_bytes,
            isolation_level=self.isolation,
            topic_id=memory.topic_ids.get(self.topic),
        )


@dataclass(frozen=True)
class LookUp(Step):
    """Look an offset up: earliest (-2), latest (-1), newest record (-3), or by time after
    `START_MS`.
    """

    kind = "ListOffsets"
    topic: int
    at: int
    partition: int = 0
    isolation: int = 0

    def request(self, memory: Memory) -> Any:
        topic_class = ListOffsetsRequest.ListOffsetsTopic
        part = topic_class.ListOffsetsPartition(
            partition_index=self.partition,
            current_leader_epoch=-1,
            timestamp=self.at if self.at < 0 else START_MS + self.at,
        )
        return ListOffsetsRequest(
            replica_id=-1,
            isolation_level=self.isolation,
            topics=[topic_class(name=memory.topic(self.topic), partitions=[part])],
            timeout_ms=30_000,
        )


@dataclass(frozen=True)
class CutHead(Step):
    """Delete the records before an offset; -1: all."""

    kind = "DeleteRecords"
    topic: int
    before: int
    partition: int = 0

    def request(self, memory: Memory) -> Any:
        topic_class = DeleteRecordsRequest.DeleteRecordsTopic
        part = topic_class.DeleteRecordsPartition(
            partition_index=self.partition, offset=self.before
        )
        return DeleteRecordsRequest(
            topics=[topic_class(name=memory.topic(self.topic), partitions=[part])],
            timeout_ms=30_000,
        )
