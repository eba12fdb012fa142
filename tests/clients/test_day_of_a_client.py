"""One story for every client: all codecs, a group of two, commits, a restart, a look-up by time."""

from contextlib import ExitStack

import pytest
from kafka import KafkaAdminClient

from tests.clients.aiokafka_client import Aiokafka
from tests.clients.command import broker_command, wait_until
from tests.clients.confluent import Confluent
from tests.clients.kafka_python import KafkaPython
from tests.clients.kcat import Kcat
from tests.clients.members import Client

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
PARTITIONS = (0, 1)
GROUP = "g"
TOPIC = "T"


def wait_for_members(bootstrap: str, count: int) -> None:
    """Until that many members have partitions."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)

    def shared() -> bool:
        (group,) = admin.describe_groups([GROUP]).values()
        members = group["members"]
        return group["group_state"] == "Stable" and count == len(members)

    try:
        wait_until(shared, f"a group of {count}")
    finally:
        admin.close()


@pytest.mark.parametrize(
    "client", [Kcat(), Confluent(), KafkaPython(), Aiokafka()], ids=lambda client: client.name
)
def test_day_of_a_client(client: Client) -> None:
    if reason := client.why_not():
        pytest.skip(reason)
    with broker_command("--topic", f"{TOPIC}:{len(PARTITIONS)}") as broker, ExitStack() as ends:
        at = broker.bootstrap
        members = [client.join(at, TOPIC, GROUP) for _ in PARTITIONS]
        for member in members:
            ends.callback(member.close)
        wait_for_members(at, len(members))
        for partition in PARTITIONS:
            for codec in CODECS:
                client.produce(at, TOPIC, partition, f"{codec}-{partition}", codec)
        seen = [member.read(len(CODECS)) for member in members]
        ends.close()
        assert list(PARTITIONS) == sorted(records[0].partition for records in seen)
        for records in seen:
            partition = records[0].partition
            values = [f"{codec}-{partition}" for codec in CODECS]
            assert values == [record.value for record in records]
            assert list(range(len(CODECS))) == [record.offset for record in records]

        broker.restart()
        for partition in PARTITIONS:
            client.produce(at, TOPIC, partition, f"later-{partition}", "none")
        member = client.join(at, TOPIC, GROUP)
        ends.callback(member.close)
        later = sorted(member.read(len(PARTITIONS)))
        ends.close()
        assert ["later-0", "later-1"] == [record.value for record in later]
        assert [len(CODECS)] * 2 == [record.offset for record in later]

        assert 0 == client.offset_at(at, TOPIC, 0, 1)
        assert len(CODECS) == client.offset_at(at, TOPIC, 0, later[0].timestamp_ms)
