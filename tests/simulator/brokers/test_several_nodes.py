"""Brokers of ours with several nodes, and such as look like an older release."""

from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from kafka.protocol.metadata import ApiVersionsRequest
from tests.contract.connection import Connection
from tests.simulator.brokers.living import live, produce

from station_sim.brokers import Broker, TopicSpec
from station_sim.errors import LabError

OURS = ["virtual", "embedded"]
PRODUCE = 0
NEWEST_PRODUCE_OF_2_3 = 7


async def node_count(broker: Broker) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        return len((await admin.describe_cluster())["brokers"])
    finally:
        await admin.close()


async def keeps_over_a_stop(broker: Broker) -> None:
    addresses = broker.bootstrap
    assert 3 == len(set(addresses.split(",")))
    assert 3 == await node_count(broker)
    await broker.make_topics(TopicSpec("T", partitions=6, replication_factor=3))
    await produce(broker, "T", 5)
    await broker.stop()
    await broker.start()
    assert addresses == broker.bootstrap
    assert (0, 5) == (await broker.log_ranges("T"))[0]


@pytest.mark.parametrize("kind", OURS)
def test_three_nodes(kind: str) -> None:
    live(kind, keeps_over_a_stop, nodes=3)


def test_three_nodes_with_a_folder(tmp_path: Path) -> None:
    live("embedded", keeps_over_a_stop, nodes=3, data=tmp_path)


@pytest.mark.parametrize("kind", OURS)
def test_an_older_release(kind: str) -> None:
    async def body(broker: Broker) -> None:
        assert 3 == await node_count(broker)
        for address in broker.bootstrap.split(","):
            assert NEWEST_PRODUCE_OF_2_3 == await newest_produce(address)

    live(kind, body, nodes=3, as_version="2.3")


async def newest_produce(address: str) -> int:
    connection = await Connection.open(address)
    try:
        answer = await connection.ask(ApiVersionsRequest(), 0)
        return max(kind.max_version for kind in answer.api_keys if kind.api_key == PRODUCE)
    finally:
        await connection.close()


@pytest.mark.parametrize("kind", OURS)
def test_a_release_that_never_was(kind: str) -> None:
    async def body(_: Broker) -> None:
        pytest.fail("it opened")

    with pytest.raises(LabError, match=r"9\.9"):
        live(kind, body, as_version="9.9")
