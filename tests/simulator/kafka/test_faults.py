"""Faults: error answers for every kind of request, delays, drops, counts."""

import asyncio
import time
from typing import Any

import pytest
from kafka.protocol.metadata import MetadataRequest, MetadataResponse
from tests.simulator.kafka.raw_client import RawClient, produce_request
from tests.simulator.kafka.record_batches import make_batch
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.errors import LabError
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.registry import KINDS, Kind
from station_sim.kafka.requests.shapes import refuse


def batch() -> bytes:
    return make_batch(timestamp_ms=int(time.time() * 1000))


def filled(container: Any, version: int, **given: Any) -> Any:
    """A request in which every array has one element, so that every answer has a place."""
    values = dict(given)
    for field in container._struct._fields:
        if not field.for_version_q(version) or field.name in values:
            continue
        if field.is_struct_array():
            values[field.name] = [filled(getattr(container, field.type_str), version)]
        elif field.is_array():
            values[field.name] = ["x" if "string" in field.type_str else 0]
        elif field.type_str == "string":
            values[field.name] = "x"
    return container(**values)


@pytest.mark.parametrize(
    ("kind", "version"),
    [(kind, v) for kind in KINDS.values() for v in range(kind.versions[0], kind.versions[1] + 1)],
    ids=lambda value: value.name if isinstance(value, Kind) else str(value),
)
def test_every_kind_can_be_refused_in_every_version(kind: Kind, version: int) -> None:
    request = filled(kind.request, version)
    frame = request.encode(version=version)
    request = kind.request.decode(bytes(frame), version=version)

    response = refuse(kind.name, request, kind.response, ErrorCode.NOT_COORDINATOR)

    answer_version = 0 if kind.name == "ApiVersions" else version
    encoded = bytes(response.encode(version=answer_version))
    answered = kind.response.decode(encoded, version=answer_version)
    assert f"error_code={ErrorCode.NOT_COORDINATOR.value}" in repr(answered)


def test_an_error_answer_has_no_effect_and_comes_once() -> None:
    async def story(cluster: Cluster) -> tuple[list[int], int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.on("Produce", answer=ErrorCode.NOT_LEADER_OR_FOLLOWER) as fault:
                first = await client.produce("T", {0: batch()})
                second = await client.produce("T", {0: batch()})
            return [first[0].error_code, second[0].error_code, second[0].base_offset], fault.hits

    assert ([6, 0, 0], 1) == in_virtual_time(story)


def test_only_the_partitions_meant_are_refused() -> None:
    async def story(cluster: Cluster) -> dict[int, int]:
        cluster.create_topic("T", partitions=3)
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.on("Fetch", topic="T", partition=1, answer=6, count=None):
                found = await client.fetch("T", {0: 0, 1: 0, 2: 0}, max_wait_ms=60_000)
        return {index: answer.error_code for index, answer in found.items()}

    assert {0: 0, 1: 6, 2: 0} == in_virtual_time(story)


def test_a_refused_partition_is_not_written_while_others_are() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T", partitions=2)
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.on("Produce", topic="T", partition=0, answer=7):
                await client.produce("T", {0: batch(), 1: batch()})
        return [cluster.topics.require("T", index).end_offset for index in (0, 1)]

    assert [0, 1] == in_virtual_time(story)


def test_other_topics_and_clients_pass() -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with (
                cluster.faults.on("Produce", topic="other", answer=7) as by_topic,
                cluster.faults.on("Produce", client_id="other", answer=7) as by_client,
            ):
                await client.produce("T", {0: batch()})
            return by_topic.hits, by_client.hits

    assert (0, 0) == in_virtual_time(story)


def test_a_topic_fault_takes_kinds_without_partitions_too() -> None:
    async def story(cluster: Cluster) -> list[int]:
        topics = [MetadataRequest.MetadataRequestTopic(name="T")]
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.on("Metadata", topic="T", answer=5) as fault:
                answer = await client.ask(MetadataRequest(topics=topics), MetadataResponse, 7)
        return [answer.topics[0].error_code, fault.hits]

    assert [5, 1] == in_virtual_time(story)


def test_a_delay_lets_the_request_wait_and_then_pass() -> None:
    async def story(cluster: Cluster) -> tuple[float, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.on("Produce", delay_s=7):
                answer = await client.produce("T", {0: batch()})
            return asyncio.get_running_loop().time(), answer[0].error_code

    took_s, error = in_virtual_time(story)

    assert 7.0 == pytest.approx(took_s, abs=0.1)
    assert 0 == error


@pytest.mark.parametrize(("drop", "written"), [("before", 0), ("after", 1)])
def test_a_drop_closes_before_or_after_the_effect(drop: Any, written: int) -> None:
    async def story(cluster: Cluster) -> tuple[bool, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.on("Produce", drop=drop):
                client.send(produce_request("T", {0: batch()}), 8)
                closed = await client.is_closed()
            return closed, cluster.topics.require("T", 0).end_offset

    assert (True, written) == in_virtual_time(story)


def test_watching_counts_all_and_changes_nothing() -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with (
                cluster.faults.on("Produce", count=None) as watch,
                cluster.faults.on("Produce", answer=7, count=2) as fault,
            ):
                for _ in range(3):
                    await client.produce("T", {0: batch()})
            return watch.hits, fault.hits

    assert (3, 2) == in_virtual_time(story)


def test_faults_are_gone_after_their_block() -> None:
    async def story(cluster: Cluster) -> int:
        with cluster.faults.on("Produce", answer=7, count=None):
            assert 1 == len(cluster.faults)
        return len(cluster.faults)

    assert 0 == in_virtual_time(story)


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("Prodice", {}, "known are: Produce"),
        ("Produce", {"answer": 7, "drop": "after"}, "either answers or drops"),
        ("Produce", {"count": 0}, "count=0"),
        ("Produce", {"delay_s": -1}, "delay_s=-1"),
    ],
)
def test_impossible_faults_are_refused(kind: str, options: dict[str, Any], said: str) -> None:
    async def story(cluster: Cluster) -> str:
        with pytest.raises(LabError) as caught, cluster.faults.on(kind, **options):
            pass
        return str(caught.value)

    assert said in in_virtual_time(story)
