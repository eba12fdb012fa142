"""The control from Python: the same verbs as over HTTP, in virtual time."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.control.control import Control
from station_sim.kafka.control.errors import UnknownThingError


def test_held_requests_are_seen_and_released() -> None:
    async def story(cluster: Cluster) -> None:
        control = Control(cluster)
        control.topics.make(name="T", partitions=1)
        installed = control.faults.install(kinds=["Produce"], hold=True)
        async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap) as producer:
            sending = asyncio.create_task(producer.send_and_wait("T", b"x"))
            held = await control.faults.wait(installed["id"], within_s=10)
            assert (1, 1, 1) == (held["seen"], held["hits"], held["held"])
            assert [None] == [each["answered_s"] for each in control.requests(kind="Produce")]
            assert 1 == control.faults.release(installed["id"])["released"]
            assert 0 == (await sending).offset
        assert {"removed": 1} == control.faults.clear()
        [request] = control.requests(kind="Produce", topic="T")
        assert request["took_s"] > 0
        assert 1 == control.topics.cut("T", 0, before_offset=-1)["partitions"][0]["start_offset"]

    in_virtual_time(story)


def test_a_fault_that_is_waited_for_in_vain() -> None:
    async def story(cluster: Cluster) -> None:
        control = Control(cluster)
        installed = control.faults.install(kinds=["Produce"])
        with pytest.raises(TimeoutError, match="took 0 of 2 requests in 5 s"):
            await control.faults.wait(installed["id"], hits=2, within_s=5)

    in_virtual_time(story)


def test_faults_of_python_have_numbers_too() -> None:
    async def story(cluster: Cluster) -> None:
        control = Control(cluster)
        with cluster.faults.inject("Fetch"):
            first = control.faults.all()[0]["id"]
            second = control.faults.install(kinds=["Fetch"])["id"]
            assert first != second
        assert [second] == [each["id"] for each in control.faults.all()]
        with pytest.raises(UnknownThingError, match=f"no fault {first}; installed are: {second}"):
            control.faults.get(first)

    in_virtual_time(story)


def test_wiped_is_as_new() -> None:
    async def story(cluster: Cluster) -> None:
        control = Control(cluster)
        before = control.settings()
        control.topics.make(name="T")
        control.faults.install(kinds=["Fetch"], hold=True)
        control.configure(settings={"log.retention.ms": "5000"})
        assert before != control.settings()
        async with (
            AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, transactional_id="t") as producer,
            producer.transaction(),
        ):
            await producer.send("T", b"x")
        assert ["t"] == [each["transactional_id"] for each in control.transactions()]
        await control.nodes.stop(0)
        told = await control.wipe()
        assert (0, 0, 0, {}) == tuple(told[k] for k in ("topics", "groups", "faults", "requests"))
        assert [] == control.transactions()
        assert before == control.settings()
        assert control.nodes.get(0)["running"]

    in_virtual_time(story)
