"""Asking a broker for one thing of one partition: requests built, answers unpacked.

Versions default to those aiokafka speaks. Nothing here judges an answer: error codes are part of
what is returned.
"""

import uuid
from typing import Any

from kafka.protocol.admin import CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest
from kafka.protocol.consumer import FetchRequest, ListOffsetsRequest
from kafka.protocol.metadata import MetadataRequest
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest

from tests.contract.connection import Connection
from tests.contract.waiting import eventually

EARLIEST, LATEST, MAX_TIMESTAMP = -2, -1, -3
COORDINATOR_LOAD_IN_PROGRESS = 14
NO_TOPIC_ID = uuid.UUID(int=0)


def produce_request(
    topic: str,
    records: bytes,
    *,
    partition: int = 0,
    acks: int = -1,
    topic_id: uuid.UUID | None = None,
    transactional_id: str | None = None,
) -> Any:
    """A Produce request for one partition."""
    part = ProduceRequest.TopicProduceData.PartitionProduceData(index=partition, records=records)
    wanted = ProduceRequest.TopicProduceData(
        name=topic, topic_id=topic_id or NO_TOPIC_ID, partition_data=[part]
    )
    return ProduceRequest(
        transactional_id=transactional_id, acks=acks, timeout_ms=30_000, topic_data=[wanted]
    )


async def produce(
    wire: Connection,
    topic: str,
    records: bytes,
    *,
    partition: int = 0,
    acks: int = -1,
    version: int = 8,
    topic_id: uuid.UUID | None = None,
    transactional_id: str | None = None,
) -> Any:
    """Produce one batch; returns the partition's answer, None for acks=0."""
    request = produce_request(
        topic,
        records,
        partition=partition,
        acks=acks,
        topic_id=topic_id,
        transactional_id=transactional_id,
    )
    answer = await wire.ask(request, version)
    return None if answer is None else answer.responses[0].partition_responses[0]


def fetch_request(
    topic: str,
    offset: int,
    *,
    partition: int = 0,
    max_wait_ms: int = 0,
    min_bytes: int = 1,
    max_bytes: int = 50 << 20,
    partition_max_bytes: int = 1 << 20,
    isolation_level: int = 0,
    topic_id: uuid.UUID | None = None,
) -> Any:
    """A Fetch request for one partition, outside any fetch session."""
    part = FetchRequest.FetchTopic.FetchPartition(
        partition=partition,
        current_leader_epoch=-1,
        fetch_offset=offset,
        last_fetched_epoch=-1,
        log_start_offset=-1,
        partition_max_bytes=partition_max_bytes,
    )
    wanted = FetchRequest.FetchTopic(
        topic=topic, topic_id=topic_id or NO_TOPIC_ID, partitions=[part]
    )
    return FetchRequest(
        replica_id=-1,
        max_wait_ms=max_wait_ms,
        min_bytes=min_bytes,
        max_bytes=max_bytes,
        isolation_level=isolation_level,
        session_id=0,
        session_epoch=-1,
        topics=[wanted],
        forgotten_topics_data=[],
        rack_id="",
    )


async def fetch(
    wire: Connection, topic: str, offset: int, *, version: int = 11, **options: Any
) -> Any:
    """Fetch from one partition; `options` are those of `fetch_request`."""
    answer = await wire.ask(fetch_request(topic, offset, **options), version)
    assert answer.error_code == 0
    return answer.responses[0].partitions[0]


async def list_offset(
    wire: Connection,
    topic: str,
    timestamp_ms: int,
    *,
    partition: int = 0,
    isolation_level: int = 0,
    version: int = 3,
) -> Any:
    """Look an offset up: by time, or EARLIEST, LATEST, MAX_TIMESTAMP (version 7 and later)."""
    part = ListOffsetsRequest.ListOffsetsTopic.ListOffsetsPartition(
        partition_index=partition, current_leader_epoch=-1, timestamp=timestamp_ms
    )
    wanted = ListOffsetsRequest.ListOffsetsTopic(name=topic, partitions=[part])
    request = ListOffsetsRequest(
        replica_id=-1, isolation_level=isolation_level, topics=[wanted], timeout_ms=30_000
    )
    answer = await wire.ask(request, version)
    return answer.topics[0].partitions[0]


async def metadata(wire: Connection, *topics: str, create: bool = False, version: int = 5) -> Any:
    """Metadata of the named topics; `create` allows them to be made."""
    wanted = [MetadataRequest.MetadataRequestTopic(name=topic) for topic in topics]
    request = MetadataRequest(topics=wanted, allow_auto_topic_creation=create)
    return await wire.ask(request, version)


async def create_topic(
    wire: Connection,
    topic: str,
    *,
    partitions: int = 1,
    replication: int = 1,
    config: dict[str, str] | None = None,
    validate_only: bool = False,
    version: int = 2,
) -> Any:
    """Create one topic; returns its result."""
    creatable = CreateTopicsRequest.CreatableTopic
    configs = [
        creatable.CreatableTopicConfig(name=name, value=value)
        for name, value in (config or {}).items()
    ]
    wanted = creatable(
        name=topic,
        num_partitions=partitions,
        replication_factor=replication,
        assignments=[],
        configs=configs,
    )
    request = CreateTopicsRequest(topics=[wanted], timeout_ms=30_000, validate_only=validate_only)
    return (await wire.ask(request, version)).topics[0]


async def delete_topic(wire: Connection, topic: str, *, version: int = 1) -> Any:
    """Delete one topic; returns its result."""
    states = [DeleteTopicsRequest.DeleteTopicState(name=topic, topic_id=NO_TOPIC_ID)]
    request = DeleteTopicsRequest(topics=states, topic_names=[topic], timeout_ms=30_000)
    return (await wire.ask(request, version)).responses[0]


async def delete_records(
    wire: Connection, topic: str, before_offset: int, *, partition: int = 0, version: int = 0
) -> Any:
    """Cut the log's head; returns the partition's result."""
    wanted = DeleteRecordsRequest.DeleteRecordsTopic(
        name=topic,
        partitions=[
            DeleteRecordsRequest.DeleteRecordsTopic.DeleteRecordsPartition(
                partition_index=partition, offset=before_offset
            )
        ],
    )
    answer = await wire.ask(DeleteRecordsRequest(topics=[wanted], timeout_ms=30_000), version)
    return answer.topics[0].partitions[0]


async def init_producer_id(wire: Connection, *, version: int = 0) -> Any:
    """Ask for a producer id of an idempotent, not transactional, producer."""
    request = InitProducerIdRequest(
        transactional_id=None, transaction_timeout_ms=60_000, producer_id=-1, producer_epoch=-1
    )
    return await wire.ask(request, version)


async def producer_id(wire: Connection) -> int:
    """A new producer id; a broker that has just started needs a moment for the first."""

    async def given() -> Any:
        answer = await init_producer_id(wire)
        return None if answer.error_code == COORDINATOR_LOAD_IN_PROGRESS else answer

    found: int = (await eventually(given)).producer_id
    return found
