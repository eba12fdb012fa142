"""Faults: error answers for every kind of request, delays, drops, counts."""

import asyncio
import re
import time
from typing import Any

import pytest
from kafka.protocol.consumer import HeartbeatRequest, HeartbeatResponse
from kafka.protocol.metadata import MetadataRequest, MetadataResponse
from tests.simulator.kafka.raw_client import RawClient, produce_request
from tests.simulator.kafka.record_batches import make_batch
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.registry import KINDS, Kind
from station_sim.kafka.requests.shapes import refuse
from station_sim.kafka.requests.subjects import groups_of

GROUP_FIELDS = {"group_id", "groups", "groups_names", "coordinator_keys"}


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
            with cluster.faults.inject("Produce", answer=6, count=1) as fault:
                first = await client.produce("T", {0: batch()})
                second = await client.produce("T", {0: batch()})
            return [first[0].error_code, second[0].error_code, second[0].base_offset], fault.hits

    assert ([6, 0, 0], 1) == in_virtual_time(story)


def test_only_the_partitions_meant_are_refused() -> None:
    async def story(cluster: Cluster) -> dict[int, int]:
        cluster.create_topic("T", partitions=3)
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Fetch", topic="T", partition=1, answer=6):
                found = await client.fetch("T", {0: 0, 1: 0, 2: 0}, max_wait_ms=60_000)
        return {index: answer.error_code for index, answer in found.items()}

    assert {0: 0, 1: 6, 2: 0} == in_virtual_time(story)


def test_a_refused_partition_is_not_written_while_others_are() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T", partitions=2)
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Produce", topic="T", partition=0, answer=7, count=1):
                await client.produce("T", {0: batch(), 1: batch()})
        return [cluster.topics.require("T", index).end_offset for index in (0, 1)]

    assert [0, 1] == in_virtual_time(story)


def test_other_topics_and_clients_pass() -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with (
                cluster.faults.inject("Produce", topic="other", answer=7, count=1) as by_topic,
                cluster.faults.inject("Produce", client_id="other", answer=7, count=1) as by_client,
            ):
                await client.produce("T", {0: batch()})
            return by_topic.hits, by_client.hits

    assert (0, 0) == in_virtual_time(story)


def test_a_topic_fault_takes_kinds_without_partitions_too() -> None:
    async def story(cluster: Cluster) -> list[int]:
        topics = [MetadataRequest.MetadataRequestTopic(name="T")]
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Metadata", topic="T", answer=5, count=1) as fault:
                answer = await client.ask(MetadataRequest(topics=topics), MetadataResponse, 7)
        return [answer.topics[0].error_code, fault.hits]

    assert [5, 1] == in_virtual_time(story)


def test_a_delay_lets_the_request_wait_and_then_pass() -> None:
    async def story(cluster: Cluster) -> tuple[float, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Produce", delay_s=7, count=1):
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
            with cluster.faults.inject("Produce", drop=drop, count=1):
                client.send(produce_request("T", {0: batch()}), 8)
                closed = await client.is_closed()
            return closed, cluster.topics.require("T", 0).end_offset

    assert (True, written) == in_virtual_time(story)


def test_watching_counts_all_and_changes_nothing() -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with (
                cluster.faults.inject("Produce") as watch,
                cluster.faults.inject("Produce", answer=7, count=2) as fault,
            ):
                for _ in range(3):
                    await client.produce("T", {0: batch()})
            return watch.hits, fault.hits

    assert (3, 2) == in_virtual_time(story)


def test_faults_are_gone_after_their_block() -> None:
    async def story(cluster: Cluster) -> int:
        with cluster.faults.inject("Produce", answer=7):
            assert 1 == len(cluster.faults)
        return len(cluster.faults)

    assert 0 == in_virtual_time(story)


@pytest.mark.parametrize(
    ("kinds", "options", "said"),
    [
        (["Prodice"], {}, "known are: Produce"),
        (["Produce"], {"answer": 7, "drop": "after"}, "either answers or drops"),
        (["Produce"], {"throttle_ms": 7, "drop": "after"}, "either throttles or drops"),
        (["Produce"], {"answer": 0}, "is no error"),
        (["Produce"], {"answer": 12_345}, "answer=12345 is no error code"),
        (["Produce"], {"drop": "during"}, "'before' or 'after'"),
        (["Produce"], {"count": 0}, "count=0"),
        (["Produce"], {"skip": -1}, "skip=-1"),
        (["Produce"], {"every": 0}, "every=0"),
        (["Produce"], {"probability": 1.5}, "probability=1.5"),
        (["Produce"], {"delay_s": -1}, "delay_s=-1"),
        (["Produce"], {"delay_s": float("inf")}, "hold=True"),
        (["Produce"], {"throttle_ms": -1}, "throttle_ms=-1"),
        (["SaslHandshake"], {"throttle_ms": 1}, "have no throttle_time_ms"),
        (["Heartbeat"], {"topic": "T"}, "Heartbeat name no topics"),
        (["Metadata", "Heartbeat"], {"partition": 0}, "Metadata and Heartbeat name no partitions"),
        (["Fetch"], {"group": "g"}, "Fetch name no groups"),
    ],
)
def test_impossible_faults_are_refused(
    kinds: list[str], options: dict[str, Any], said: str
) -> None:
    async def story(cluster: Cluster) -> None:
        with (
            pytest.raises(ValueError, match=re.escape(said)),
            cluster.faults.inject(*kinds, **options),
        ):
            pass

    in_virtual_time(story)


async def errors_of(client: RawClient, count: int) -> list[int]:
    return [(await client.produce("T", {0: batch()}))[0].error_code for _ in range(count)]


def test_turns_skip_take_every_nth_and_end() -> None:
    async def story(cluster: Cluster) -> tuple[list[int], int, int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Produce", skip=2, every=3, count=2, answer=7) as fault:
                return await errors_of(client, 12), fault.seen, fault.hits

    assert ([0, 0, 0, 0, 7, 0, 0, 7, 0, 0, 0, 0], 8, 2) == in_virtual_time(story)


def test_a_probability_is_drawn_from_the_seed() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Produce", probability=0.5, answer=7):
                return await errors_of(client, 40)

    first, again, other = (in_virtual_time(story, seed=seed) for seed in (3, 3, 4))

    assert first == again
    assert first != other
    assert 10 < first.count(7) < 30


def test_several_kinds_or_all_are_taken() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T")
        faults = cluster.faults
        with faults.inject("Produce", "Fetch") as two, faults.inject() as every:
            async with await RawClient.connect(cluster) as client:
                await client.produce("T", {0: batch()})
                await client.fetch("T", {0: 0})
                await client.ask(MetadataRequest(topics=[]), MetadataResponse, 7)
            return [two.hits, every.hits]

    assert [2, 3] == in_virtual_time(story)


@pytest.mark.parametrize(("pattern", "hits"), [("r*", 1), ("raw", 1), ("R*", 0), ("*x", 0)])
def test_a_client_id_may_be_a_pattern(pattern: str, hits: int) -> None:
    async def story(cluster: Cluster) -> int:
        cluster.create_topic("T")
        with cluster.faults.inject(client_id=pattern) as fault:
            async with await RawClient.connect(cluster) as client:
                await client.fetch("T", {0: 0})
            return fault.hits

    assert hits == in_virtual_time(story)


def test_faults_are_of_a_node_and_a_group() -> None:
    async def story(cluster: Cluster) -> list[int]:
        faults = cluster.faults
        with (
            faults.inject("Heartbeat", group="g") as of_group,
            faults.inject("Heartbeat", group="h") as of_other,
            faults.inject(node_id=0) as of_node,
            faults.inject(node_id=9) as of_stranger,
        ):
            async with await RawClient.connect(cluster) as client:
                request = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
                await client.ask(request, HeartbeatResponse, 3)
            return [fault.hits for fault in (of_group, of_other, of_node, of_stranger)]

    assert [1, 0, 1, 0] == in_virtual_time(story)


@pytest.mark.parametrize(
    ("kind", "version"),
    [(kind, kind.versions[1]) for kind in KINDS.values() if "group" in repr(kind.request.json)],
    ids=lambda value: value.name if isinstance(value, Kind) else str(value),
)
def test_groups_are_found_in_every_kind_that_names_them(kind: Kind, version: int) -> None:
    request = filled(kind.request, version)

    found = groups_of(kind.name, request)

    names_one = any(name in GROUP_FIELDS for name in kind.request.fields)
    assert (("x",) if names_one else ()) == found


def test_throttling_is_told_and_mutes_the_connection() -> None:
    async def story(cluster: Cluster) -> list[Any]:
        loop = asyncio.get_running_loop()
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Metadata", throttle_ms=5_000, count=1):
                answer = await client.ask(MetadataRequest(topics=[]), MetadataResponse, 7)
                told_s = loop.time()
                await client.ask(MetadataRequest(topics=[]), MetadataResponse, 7)
            return [answer.throttle_time_ms, round(told_s), round(loop.time())]

    assert [5_000, 0, 5] == in_virtual_time(story)


def test_held_requests_go_on_in_order_when_released() -> None:
    async def story(cluster: Cluster) -> list[Any]:
        cluster.create_topic("T")
        clients = [await RawClient.connect(cluster) for _ in range(3)]
        with cluster.faults.inject("Produce", hold=True) as fault:
            asked = []
            for number, client in enumerate(clients):
                asked.append(asyncio.ensure_future(client.produce("T", {0: batch()})))
                await fault.hit(number + 1)
            held = fault.held
            first = fault.release(1)
            await asked[0]
            there = cluster.topics.require("T", 0).end_offset
        answers = await asyncio.gather(*asked)
        return [held, first, there, [answer[0].base_offset for answer in answers]]

    assert [3, 1, 1, [0, 1, 2]] == in_virtual_time(story)


def test_a_held_request_has_its_effect_though_its_client_is_gone() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T")
        log = cluster.topics.require("T", 0)
        with cluster.faults.inject("Produce", hold=True) as fault:
            async with await RawClient.connect(cluster) as client:
                client.send(produce_request("T", {0: batch()}), 8)
                await fault.hit()
            await asyncio.sleep(1)
            before = log.end_offset
        await asyncio.sleep(1)
        return [before, log.end_offset]

    assert [0, 1] == in_virtual_time(story)


def test_what_a_node_held_is_forgotten_when_it_stops() -> None:
    async def story(cluster: Cluster) -> int:
        cluster.create_topic("T")
        with cluster.faults.inject("Produce", hold=True) as fault:
            async with await RawClient.connect(cluster) as client:
                client.send(produce_request("T", {0: batch()}), 8)
                await fault.hit()
            await cluster.stop()
            await cluster.start()
        await asyncio.sleep(1)
        return cluster.topics.require("T", 0).end_offset

    assert 0 == in_virtual_time(story)


def test_hold_delay_and_answer_combine() -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("T")
        loop = asyncio.get_running_loop()
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Produce", hold=True, delay_s=3, answer=7) as fault:
                loop.call_later(4, fault.release)
                answer = await client.produce("T", {0: batch()})
        return answer[0].error_code, round(loop.time())

    assert (7, 7) == in_virtual_time(story)


def test_a_fault_tells_when_it_was_hit() -> None:
    async def story(cluster: Cluster) -> list[Any]:
        cluster.create_topic("T")
        with cluster.faults.inject("Produce", topic="T") as fault:
            async with await RawClient.connect(cluster) as client:
                loop = asyncio.get_running_loop()
                for at_s in (5, 9):
                    frame = produce_request("T", {0: batch()})
                    loop.call_at(at_s, client.send, frame, 8)
                seen = await fault.hit(2)
        return [round(seen.asked_s), seen.client_id, seen.partitions, len(fault.requests)]

    assert [9, "raw", (("T", 0),), 2] == in_virtual_time(story)


def test_a_fault_that_is_not_hit_says_so_at_its_deadline() -> None:
    async def story(cluster: Cluster) -> float:
        with (
            cluster.faults.inject("Produce") as fault,
            pytest.raises(TimeoutError, match="0 of 2 requests in 30 s; 0 matched"),
        ):
            await fault.hit(2, deadline_s=30)
        return asyncio.get_running_loop().time()

    assert 30.0 == pytest.approx(in_virtual_time(story), abs=0.1)


def test_an_installed_fault_stays_until_removed() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            fault = cluster.faults.install("Produce", answer=7)
            first = await errors_of(client, 2)
            fault.remove()
            fault.remove()
            return first + await errors_of(client, 1)

    assert [7, 7, 0] == in_virtual_time(story)
