"""Single requests in virtual time: what Produce, Fetch, ListOffsets and the others answer.

The answers are those Apache Kafka 4.1 gives to the same bytes.
"""

import asyncio
import time
import uuid
from typing import Any

import pytest
from kafka.protocol.admin import (
    CreateTopicsRequest,
    CreateTopicsResponse,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
    DescribeConfigsRequest,
    DescribeConfigsResponse,
)
from kafka.protocol.consumer import ListOffsetsRequest, ListOffsetsResponse
from kafka.protocol.metadata import (
    ApiVersionsRequest,
    ApiVersionsResponse,
    MetadataRequest,
    MetadataResponse,
)
from kafka.protocol.producer import InitProducerIdRequest, InitProducerIdResponse
from tests.simulator.kafka.raw_client import RawClient, fetch_request, produce_request
from tests.simulator.kafka.record_batches import make_batch
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.registry import KINDS
from station_sim.kafka.settings import BrokerSettings


def batch(count: int = 1, **options: Any) -> bytes:
    return make_batch(count, timestamp_ms=int(time.time() * 1000), **options)


async def list_offsets(
    client: RawClient, topic: str, timestamp: int, *, partition: int = 0, epoch: int = -1
) -> tuple[int, int, int]:
    """Error code, offset and timestamp for one partition."""
    topic_class = ListOffsetsRequest.ListOffsetsTopic
    asked = topic_class.ListOffsetsPartition(
        partition_index=partition, timestamp=timestamp, current_leader_epoch=epoch
    )
    request = ListOffsetsRequest(
        replica_id=-1, topics=[topic_class(name=topic, partitions=[asked])]
    )
    answer = (await client.ask(request, ListOffsetsResponse, 9)).topics[0].partitions[0]
    return answer.error_code, answer.offset, answer.timestamp


async def metadata(client: RawClient, names: list[str] | None, *, auto: bool, version: int) -> Any:
    topics = None
    if names is not None:
        topics = [MetadataRequest.MetadataRequestTopic(name=name) for name in names]
    request = MetadataRequest(topics=topics, allow_auto_topic_creation=auto)
    return await client.ask(request, MetadataResponse, version)


def test_every_batch_gets_its_offset() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T", partitions=2)
        async with await RawClient.connect(cluster) as client:
            first = await client.produce("T", {0: batch(3), 1: batch(1)})
            second = await client.produce("T", {0: batch(1)})
        return [first[0].base_offset, first[1].base_offset, second[0].base_offset]

    assert [0, 0, 3] == in_virtual_time(story)


@pytest.mark.parametrize("version", range(3, 12))
def test_all_versions_of_produce_and_fetch_carry_records(version: int) -> None:
    async def story(cluster: Cluster) -> tuple[int, bytes, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            written = await client.produce("T", {0: batch(2)}, version=version)
            found = await client.fetch("T", {0: 1}, version=version + 1)
        return written[0].error_code, bytes(found[0].records), found[0].high_watermark

    error, records, high_watermark = in_virtual_time(story)

    assert (0, 2) == (error, high_watermark)
    assert 2 == int.from_bytes(records[57:61], "big")


@pytest.mark.parametrize(
    ("partition", "acks", "data", "code"),
    [
        (0, 2, None, ErrorCode.INVALID_REQUIRED_ACKS),
        (9, 1, None, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        (0, 1, b"", ErrorCode.INVALID_RECORD),
        (0, 1, b"x" * 80, ErrorCode.CORRUPT_MESSAGE),
    ],
)
def test_bad_produce_requests_are_refused(
    partition: int, acks: int, data: bytes | None, code: ErrorCode
) -> None:
    async def story(cluster: Cluster) -> Any:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            records = batch() if data is None else data
            return (await client.produce("T", {partition: records}, acks=acks))[partition]

    answer = in_virtual_time(story)

    assert (code, -1) == (answer.error_code, answer.base_offset)


def test_without_acks_there_is_no_answer_but_an_error_closes() -> None:
    async def story(cluster: Cluster) -> tuple[int, bool]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            client.send(produce_request("T", {0: batch()}, acks=0), 8)
            found = await client.fetch("T", {0: 0}, max_wait_ms=100)
            client.send(produce_request("nope", {0: batch()}, acks=0), 8)
            return found[0].high_watermark, await client.is_closed()

    assert (1, True) == in_virtual_time(story)


def test_a_fetch_out_of_range_answers_at_once_without_ends() -> None:
    async def story(cluster: Cluster) -> tuple[Any, float]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            await client.produce("T", {0: batch()})
            before_s = asyncio.get_running_loop().time()
            found = await client.fetch("T", {0: 2}, max_wait_ms=60_000)
            return found[0], asyncio.get_running_loop().time() - before_s

    answer, took_s = in_virtual_time(story)

    assert ErrorCode.OFFSET_OUT_OF_RANGE == answer.error_code
    assert (-1, -1) == (answer.high_watermark, answer.log_start_offset)
    assert took_s < 1


def test_a_fetch_waits_its_time_for_nothing() -> None:
    async def story(cluster: Cluster) -> tuple[int, float]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            before_s = asyncio.get_running_loop().time()
            found = await client.fetch("T", {0: 0}, max_wait_ms=5000)
            return len(found[0].records), asyncio.get_running_loop().time() - before_s

    size_bytes, took_s = in_virtual_time(story)

    assert 0 == size_bytes
    assert 5.0 == pytest.approx(took_s, abs=0.1)


def test_a_waiting_fetch_is_woken_by_any_of_its_partitions() -> None:
    async def story(cluster: Cluster) -> tuple[list[int], float]:
        cluster.create_topic("T", partitions=3)
        async with (
            await RawClient.connect(cluster) as reader,
            await RawClient.connect(cluster) as writer,
        ):
            waiting = asyncio.create_task(reader.fetch("T", {0: 0, 1: 0, 2: 0}, max_wait_ms=60_000))
            await asyncio.sleep(3)
            await writer.produce("T", {2: batch()})
            found = await waiting
            sizes = [len(found[index].records) for index in (0, 1, 2)]
            return sizes, asyncio.get_running_loop().time()

    sizes, at_s = in_virtual_time(story)

    assert [0, 0, 1] == [min(size, 1) for size in sizes]
    assert at_s < 4


def test_a_waiting_fetch_wants_its_minimum() -> None:
    async def story(cluster: Cluster) -> int:
        cluster.create_topic("T")
        size_bytes = len(batch())
        async with (
            await RawClient.connect(cluster) as reader,
            await RawClient.connect(cluster) as writer,
        ):
            waiting = asyncio.create_task(
                reader.fetch("T", {0: 0}, max_wait_ms=60_000, min_bytes=2 * size_bytes)
            )
            await writer.produce("T", {0: batch()})
            await asyncio.sleep(1)
            assert not waiting.done()
            await writer.produce("T", {0: batch()})
            return len((await waiting)[0].records) // size_bytes

    assert 2 == in_virtual_time(story)


def test_a_fetch_that_nobody_waits_for_leaves_nothing_behind() -> None:
    async def story(cluster: Cluster) -> int:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            client.send(fetch_request("T", {0: 0}, max_wait_ms=60_000), 11)
            await asyncio.sleep(1)
            log = cluster.topics.require("T", 0)
            assert 1 == len(log.waiters)
        await asyncio.sleep(1)
        return len(log.waiters)

    assert 0 == in_virtual_time(story)


def test_the_answer_as_a_whole_is_bounded_but_never_empty() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T", partitions=3)
        size_bytes = len(batch())
        async with await RawClient.connect(cluster) as client:
            for _ in range(3):
                await client.produce("T", {0: batch(), 1: batch(), 2: batch()})
            found = await client.fetch("T", {0: 0, 1: 0, 2: 0}, max_bytes=4 * size_bytes)
            small = await client.fetch("T", {0: 0, 1: 0, 2: 0}, max_bytes=1)
        return [len(found[i].records) // size_bytes for i in (0, 1, 2)] + [
            len(small[i].records) // size_bytes for i in (0, 1, 2)
        ]

    assert [3, 1, 0, 1, 0, 0] == in_virtual_time(story)


@pytest.mark.parametrize(
    ("session_id", "epoch", "code"),
    [
        (0, -1, ErrorCode.NONE),
        (0, 0, ErrorCode.NONE),
        (5, 1, ErrorCode.FETCH_SESSION_ID_NOT_FOUND),
        (0, 3, ErrorCode.FETCH_SESSION_ID_NOT_FOUND),
    ],
)
def test_fetch_sessions_are_never_given(session_id: int, epoch: int, code: ErrorCode) -> None:
    from kafka.protocol.consumer import FetchResponse

    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            request = fetch_request("T", {0: 0}, session_id=session_id, session_epoch=epoch)
            answer = await client.ask(request, FetchResponse, 11)
            return answer.error_code, answer.session_id

    assert (code, 0) == in_virtual_time(story)


def test_a_client_ahead_of_the_leader_epoch_is_told() -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            found = await client.fetch("T", {0: 0}, leader_epoch=5)
            return found[0].error_code, (await list_offsets(client, "T", -1, epoch=5))[0]

    assert (ErrorCode.UNKNOWN_LEADER_EPOCH,) * 2 == in_virtual_time(story)


def test_offsets_by_special_times() -> None:
    async def story(cluster: Cluster) -> list[tuple[int, int, int]]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            await client.produce("T", {0: make_batch(5, timestamp_ms=1000)})
            cluster.topics.require("T", 0).delete_records(2)
            return [await list_offsets(client, "T", special) for special in (-1, -2, -3, -4, -5)]

    assert [(0, 5, -1), (0, 2, -1), (0, 4, 1004), (0, 2, -1), (0, -1, -1)] == in_virtual_time(story)


def test_offsets_by_time_and_their_refusals() -> None:
    async def story(cluster: Cluster) -> list[tuple[int, int, int]]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            await client.produce("T", {0: make_batch(5, timestamp_ms=1000)})
            return [
                await list_offsets(client, "T", 1003),
                await list_offsets(client, "T", 1005),
                await list_offsets(client, "T", -9),
                await list_offsets(client, "nope", -1),
            ]

    assert [
        (0, 3, 1003),
        (0, -1, -1),
        (ErrorCode.UNSUPPORTED_VERSION, -1, -1),
        (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1, -1),
    ] == in_virtual_time(story)


def test_a_missing_topic_is_made_if_request_and_broker_allow_it() -> None:
    async def story(cluster: Cluster) -> list[int]:
        async with await RawClient.connect(cluster) as client:
            answers = [
                await metadata(client, ["T"], auto=False, version=7),
                await metadata(client, ["T"], auto=True, version=7),
                await metadata(client, ["T"], auto=False, version=7),
                await metadata(client, ["a b"], auto=True, version=7),
            ]
        return [answer.topics[0].error_code for answer in answers]

    missing = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert [missing, missing, 0, ErrorCode.INVALID_TOPIC_EXCEPTION] == in_virtual_time(story)


def test_no_topic_is_made_where_the_broker_forbids_it() -> None:
    async def story(cluster: Cluster) -> int:
        async with await RawClient.connect(cluster) as client:
            await metadata(client, ["T"], auto=True, version=7)
        return len(cluster.topics)

    settings = BrokerSettings(auto_create_topics_enable=False)
    assert 0 == in_virtual_time(story, settings=settings)


@pytest.mark.parametrize("version", range(13))
def test_metadata_names_broker_and_partitions_in_every_version(version: int) -> None:
    async def story(cluster: Cluster) -> tuple[Any, str]:
        cluster.create_topic("T", partitions=2)
        async with await RawClient.connect(cluster) as client:
            return await metadata(client, None, auto=False, version=version), cluster.bootstrap

    answer, bootstrap = in_virtual_time(story)

    assert bootstrap == f"{answer.brokers[0].host}:{answer.brokers[0].port}"
    assert [0, 1] == [p.partition_index for p in answer.topics[0].partitions]


def test_a_topic_may_be_asked_for_by_id() -> None:
    async def story(cluster: Cluster) -> list[Any]:
        cluster.create_topic("T")
        topic = cluster.topics.get("T")
        assert topic is not None
        topic_class = MetadataRequest.MetadataRequestTopic
        asked = [
            topic_class(name=None, topic_id=topic.topic_id),
            topic_class(name=None, topic_id=uuid.UUID(int=1)),
        ]
        async with await RawClient.connect(cluster) as client:
            answer = await client.ask(MetadataRequest(topics=asked), MetadataResponse, 12)
        return [(found.name, found.error_code) for found in answer.topics]

    assert [("T", 0), (None, ErrorCode.UNKNOWN_TOPIC_ID)] == in_virtual_time(story)


def test_topics_are_created_checked_and_refused() -> None:
    topic_class = CreateTopicsRequest.CreatableTopic
    config_class = topic_class.CreatableTopicConfig

    async def story(cluster: Cluster) -> list[tuple[str, int, int]]:
        topics = [
            topic_class(name="A", num_partitions=2, replication_factor=1),
            topic_class(name="B", num_partitions=-1, replication_factor=-1),
            topic_class(name="C", num_partitions=0, replication_factor=1),
            topic_class(name="D", num_partitions=1, replication_factor=3),
            topic_class(
                name="E",
                num_partitions=1,
                replication_factor=1,
                configs=[config_class(name="retention.ms", value="x")],
            ),
            topic_class(name="F", num_partitions=1, replication_factor=1),
            topic_class(name="F", num_partitions=1, replication_factor=1),
        ]
        async with await RawClient.connect(cluster) as client:
            request = CreateTopicsRequest(topics=topics, timeout_ms=1000, validate_only=False)
            answer = await client.ask(request, CreateTopicsResponse, 7)
        return [(t.name, t.error_code, t.num_partitions) for t in answer.topics]

    assert [
        ("A", 0, 2),
        ("B", 0, 3),
        ("C", ErrorCode.INVALID_PARTITIONS, -1),
        ("D", ErrorCode.INVALID_REPLICATION_FACTOR, -1),
        ("E", ErrorCode.INVALID_CONFIG, -1),
        ("F", ErrorCode.INVALID_REQUEST, -1),
    ] == in_virtual_time(story, settings=BrokerSettings(num_partitions=3))


def test_deleting_a_topic_answers_who_waits_for_it() -> None:
    async def story(cluster: Cluster) -> tuple[int, list[int]]:
        cluster.create_topic("T")
        async with (
            await RawClient.connect(cluster) as reader,
            await RawClient.connect(cluster) as admin,
        ):
            waiting = asyncio.create_task(reader.fetch("T", {0: 0}, max_wait_ms=60_000))
            await asyncio.sleep(1)
            request = DeleteTopicsRequest(topic_names=["T", "nope"], timeout_ms=1000)
            answer = await admin.ask(request, DeleteTopicsResponse, 5)
            found = await waiting
        return found[0].error_code, [deleted.error_code for deleted in answer.responses]

    missing = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert (missing, [0, missing]) == in_virtual_time(story)


def test_configuration_is_described_with_its_source() -> None:
    resource_class = DescribeConfigsRequest.DescribeConfigsResource

    async def story(cluster: Cluster) -> list[Any]:
        cluster.create_topic("T", config={"retention.ms": "5"})
        keys = ["retention.ms", "segment.ms"]
        resources = [
            resource_class(resource_type=2, resource_name="T", configuration_keys=keys),
            resource_class(resource_type=2, resource_name="nope", configuration_keys=None),
            resource_class(
                resource_type=4, resource_name="0", configuration_keys=["num.partitions"]
            ),
        ]
        async with await RawClient.connect(cluster) as client:
            request = DescribeConfigsRequest(resources=resources)
            answer = await client.ask(request, DescribeConfigsResponse, 4)
        return [
            (found.error_code, [(c.name, c.value, c.config_source) for c in found.configs])
            for found in answer.results
        ]

    assert [
        (0, [("retention.ms", "5", 1), ("segment.ms", "604800000", 5)]),
        (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, []),
        (0, [("num.partitions", "1", 5)]),
    ] == in_virtual_time(story)


def test_producer_ids_are_never_given_twice() -> None:
    async def story(cluster: Cluster) -> list[tuple[int, int]]:
        async with await RawClient.connect(cluster) as client:
            request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1)
            answers = [await client.ask(request, InitProducerIdResponse, 4) for _ in range(3)]
        return [(answer.producer_id, answer.producer_epoch) for answer in answers]

    assert [(0, 0), (1, 0), (2, 0)] == in_virtual_time(story)


@pytest.mark.parametrize("version", range(5))
def test_the_table_of_versions_is_told(version: int) -> None:
    async def story(cluster: Cluster) -> Any:
        async with await RawClient.connect(cluster) as client:
            request = ApiVersionsRequest(client_software_name="x", client_software_version="1")
            return await client.ask(request, ApiVersionsResponse, version)

    answer = in_virtual_time(story)

    assert 0 == answer.error_code
    assert {key: kind.advertised for key, kind in KINDS.items()} == {
        row.api_key: (row.min_version, row.max_version) for row in answer.api_keys
    }
