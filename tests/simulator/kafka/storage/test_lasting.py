"""What a cluster wrote down is what the next one begins with, whatever was done to it before."""

import asyncio
import errno
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.simulator.kafka.storage.lasting import Lasting, state_of, write

from station_sim.errors import LabError
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.compaction import compact
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.group_messages import UNKNOWN_MEMBER, Identity, Join, Sync
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.storage.data_folder import DataFolder
from station_sim.kafka.transaction import Producer

SMALL_SEGMENTS = BrokerSettings(log_segment_bytes=300, log_retention_bytes=1500)


@pytest.fixture
def lasting(tmp_path: Path) -> Iterator[Lasting]:
    made = Lasting(tmp_path / "data", settings=SMALL_SEGMENTS)
    yield made
    made.close()


def stable_group(cluster: Cluster, group_id: str, instance: str) -> None:
    """Bring a group of one static member to rest; the cluster must run."""
    join = Join("", "c", "/h", 10_000, 10_000, "consumer", (("range", b"m"),), instance)
    answers: list[Any] = []

    async def bring() -> None:
        cluster.groups.join(group_id, join, answers.append)
        while not answers:
            await asyncio.sleep(0)
        joined = answers[0]
        if joined.leader_id == joined.member_id:
            assigned = {member.member_id: b"all" for member in joined.members}
            sync = Sync(joined.member_id, joined.generation_id, assignments=assigned)
            cluster.groups.sync(group_id, sync, answers.append)

    running(cluster, bring)


def running(cluster: Cluster, deed: Callable[[], Any]) -> Any:
    """What `deed` gives while the cluster runs."""

    async def live() -> Any:
        await cluster.start()
        done = deed()
        result = await done if isinstance(done, Awaitable) else done
        await cluster.stop()
        return result

    return asyncio.run(live())


def commit(cluster: Cluster, group_id: str, partition: int, offset: int) -> None:
    cluster.groups.check_commit(group_id, Identity(UNKNOWN_MEMBER), -1, names_missing=True)
    cluster.groups.commit(group_id, "T", partition, offset, leader_epoch=2, metadata="m")


def test_topics_settings_and_the_id_are_there_again(lasting: Lasting) -> None:
    cluster = lasting.cluster
    cluster.create_topic("T", partitions=2, config={"retention.ms": "5"})
    cluster.create_topic("gone", partitions=2)
    cluster.topics.add_partitions("T", 3)
    cluster.configure_topic("T", {"segment.ms": "7"})
    cluster.topics.delete("gone")
    cluster.configure_broker(None, {"min.insync.replicas": "1", "log.retention.ms": "99"})
    cluster.configure_broker(0, {"message.max.bytes": "1234"})
    expected = state_of(cluster)
    again = lasting.open()
    assert expected == state_of(again)
    assert ["7", 99, 1234] == [
        again.topics.require("T", 2).config.overrides["segment.ms"],
        again.settings.log_retention_ms,
        again.settings.message_max_bytes,
    ]


def test_no_id_is_given_out_twice(lasting: Lasting) -> None:
    seen = set()
    for start in range(4):
        cluster = lasting.cluster if start == 0 else lasting.open()
        topic = cluster.topics.create(f"T{start}")
        seen.update({topic.topic_id, cluster.producers.take(), cluster.producers.take()})
    assert 12 == len(seen)


def test_a_duplicate_is_known_even_when_its_segment_is_gone(lasting: Lasting) -> None:
    lasting.cluster.create_topic("T", partitions=1)
    for sequence in range(20):
        write(lasting.cluster, "T", producer_id=3, epoch=0, sequence=sequence)
    last = lasting.cluster.topics.require("T", 0)
    last.config = lasting.cluster.topics.checked_config("T", {"retention.ms": "1"})
    last.delete_old_segments(10**15)
    assert [] == last.segments
    again = lasting.open()
    written = write(again, "T", producer_id=3, epoch=0, sequence=19)
    assert (19, True) == (written.base_offset, written.duplicate)
    assert (20, False) == write(again, "T", producer_id=3, epoch=0, sequence=20)[::2]
    with pytest.raises(RefusalError) as caught:
        write(again, "T", producer_id=3, epoch=0, sequence=25)
    assert ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER is caught.value.code


def test_a_group_at_rest_is_there_with_its_members(lasting: Lasting) -> None:
    stable_group(lasting.cluster, "g", "one")
    commit(lasting.cluster, "simple", 0, 7)
    expected = state_of(lasting.cluster)
    again = lasting.open()
    assert expected == state_of(again)
    group = again.groups.get("g")
    assert group is not None
    assert ("Stable", 1) == (group.state.value, len(group.members))


def test_an_open_transaction_goes_on(lasting: Lasting) -> None:
    cluster = lasting.cluster
    cluster.create_topic("T", partitions=1)
    producer = cluster.transactions.initialise("x", 60_000).producer
    write_transaction(cluster, producer)
    expected = state_of(cluster)
    again = lasting.open()
    assert expected == state_of(again)
    ended = running(again, lambda: again.transactions.end("x", producer, commit=True, bump=False))
    assert ErrorCode.NONE is ended.error
    assert 2 == again.topics.require("T", 0).last_stable_offset


def write_transaction(cluster: Cluster, producer: Producer) -> None:
    running(cluster, lambda: cluster.transactions.add("x", producer, [("T", 0)]))
    write(
        cluster,
        "T",
        transactional=True,
        producer_id=producer.producer_id,
        epoch=producer.epoch,
        sequence=0,
    )


def test_epochs_and_starts_are_there_again(lasting: Lasting) -> None:
    lasting.cluster.create_topic("T", partitions=1)
    log = lasting.cluster.topics.require("T", 0)
    write(lasting.cluster, "T")
    log.new_leader_epoch()
    write(lasting.cluster, "T", count=5)
    log.delete_records(4)
    log.new_leader_epoch()
    expected = state_of(lasting.cluster)
    assert (4, 6, 2) == (log.log_start_offset, log.end_offset, log.leader_epoch)
    assert expected == state_of(lasting.open())


def test_other_nodes_are_told_to_stay_away(lasting: Lasting) -> None:
    lasting.folder.close()
    lasting.folder = DataFolder(lasting.path)
    with pytest.raises(LabError, match=r"cluster with the node 0, and this one has the nodes 0 to"):
        Cluster(rng=lasting.cluster.rng, nodes=3, storage=lasting.folder)


def test_a_merged_segment_that_was_not_deleted_yet_is_left_out(lasting: Lasting) -> None:
    lasting.cluster.create_topic("T", partitions=1)
    log = lasting.cluster.topics.require("T", 0)
    for _ in range(12):
        write(lasting.cluster, "T")
    first, second = log.segments[:2]
    log.storage.replace(first.base_offset, [*first.batches, *second.batches])
    again = lasting.open().topics.require("T", 0)
    offsets = [batch.base_offset for batch in again.batches_from(0)]
    assert list(range(12)) == offsets
    files = sorted(int(path.stem) for path in lasting.path.glob("topics/*/0/*.log"))
    assert files == [segment.base_offset for segment in again.segments]


STEPS = st.lists(
    st.tuples(st.integers(0, 13), st.integers(0, 1), st.integers(0, 6)), min_size=1, max_size=40
)


@given(STEPS)
@example([(11, 0, 0), (11, 0, 0), (3, 0, 0)])
@settings(max_examples=40, deadline=None)
def test_any_history_outlives_a_kill(steps: list[tuple[int, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lasting = Lasting(Path(folder), settings=SMALL_SEGMENTS)
        lasting.cluster.create_topic("T", partitions=2)
        for deed, partition, number in steps:
            if deed == 13:
                expected = state_of(lasting.cluster)
                assert expected == state_of(lasting.open())
                continue
            with suppress(RefusalError):
                act(lasting.cluster, deed, partition, number)
        expected = state_of(lasting.cluster)
        assert expected == state_of(lasting.open())
        assert expected == state_of(lasting.open())
        lasting.close()


NEVER_REFUSED = (6, 12)
"""Elections and groups that come to rest: they go on, and what was not written is found out."""


def can_be_refused(cluster: Cluster, deed: int) -> bool:
    """Whether a deed is to be tried on a full disk; a cluster that starts again holds elections."""
    starts_again = deed == 11 and cluster.elections.was_closed
    return deed not in NEVER_REFUSED and not starts_again


@given(STEPS, st.integers(1, 4))
@example([(0, 0, 0), (11, 0, 0), (11, 0, 0), (0, 0, 0), (11, 0, 0)], 1)
@settings(max_examples=40, deadline=None)
def test_what_a_full_disk_refuses_is_nowhere(
    steps: list[tuple[int, int, int]], writes_left: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lasting = Lasting(Path(folder), settings=SMALL_SEGMENTS)
        lasting.cluster.create_topic("T", partitions=2)
        for index, (deed, partition, number) in enumerate(steps):
            full = index % 2 == 0 and can_be_refused(lasting.cluster, deed)
            room = full_disk(writes_left) if full else nullcontext()
            with suppress(RefusalError), room:
                act(lasting.cluster, deed, partition, number)
        expected = state_of(lasting.cluster)
        assert expected == state_of(lasting.open())
        lasting.close()


@contextmanager
def full_disk(writes_left: int) -> Iterator[None]:
    """All writes after some are refused, halfway."""
    left = [writes_left]

    def write_some(descriptor: int, data: bytes, at_bytes: int) -> int:
        if left[0] == 0:
            pwrite(descriptor, data[: len(data) // 2], at_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1
        return pwrite(descriptor, data, at_bytes)

    pwrite = os.pwrite
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pwrite", write_some)
        yield


def act(cluster: Cluster, deed: int, partition: int, number: int) -> None:
    """One of many things that change a cluster."""
    if deed <= 2:
        write(cluster, "T", partition, count=number + 1)
    elif deed == 3:
        log = cluster.topics.require("T", partition)
        written = {s.producer_id: s.written for s in log.producers.snapshot()}.get(number)
        last = written[-1].last_sequence if written else -1  # none: known by a marker alone
        write(cluster, "T", partition, producer_id=number, epoch=0, sequence=last + 1)
    elif deed == 4:
        cluster.topics.require("T", partition).delete_records(number)
    elif deed == 5:
        cluster.topics.require("T", partition).delete_old_segments(cluster.now_ms())
    elif deed == 6:
        cluster.topics.require("T", partition).new_leader_epoch()
    elif deed == 7:
        commit(cluster, f"g{number}", partition, number)
    elif deed == 8:
        commit(cluster, "g", partition, number)
        cluster.groups.commit_in_transaction(
            number, "g", "T", partition, number, leader_epoch=0, metadata=""
        )
    elif deed == 9:
        offsets_partition = cluster.groups.partition_for("g")
        cluster.groups.end_transaction(number, offsets_partition, commit=bool(partition))
    elif deed == 10:
        cluster.groups.delete(f"g{number}")
    elif deed == 11:
        running(cluster, lambda: act_in_transaction(cluster, f"x{number % 3}", partition, number))
    elif deed == 12:
        stable_group(cluster, f"s{number % 2}", f"i{partition}")


def act_in_transaction(cluster: Cluster, name: str, partition: int, number: int) -> None:
    transactions = cluster.transactions
    producer = transactions.initialise(name, 60_000).producer
    transactions.add(name, producer, [("T", partition)])
    if number > 2:
        transactions.end(name, producer, commit=number > 4, bump=True)


def test_a_journal_that_is_cut_anywhere_is_begun_with(tmp_path: Path) -> None:
    lasting = Lasting(tmp_path)
    lasting.cluster.create_topic("T", partitions=2)
    for deed in (3, 4, 7, 8, 11):
        act(lasting.cluster, deed, 0, 1)
    lasting.close()
    whole = (tmp_path / "journal").read_bytes()
    for size_bytes in range(len(whole)):
        (tmp_path / "journal").write_bytes(whole[:size_bytes])
        again = Lasting(tmp_path, settings=SMALL_SEGMENTS)
        state_of(again.cluster)
        again.close()


def test_a_compacted_log_is_found_again(lasting: Lasting) -> None:
    lasting.cluster.create_topic("T", config={"cleanup.policy": "compact"})
    for number in range(20):
        write(lasting.cluster, "T", key=b"%d" % (number % 3), count=1 + number % 2)
    log = lasting.cluster.topics.require("T", 0)
    batches = sum(len(segment.batches) for segment in log.segments)
    compact(log, log.segments[-1].base_offset, lasting.cluster.now_ms())
    assert batches > sum(len(segment.batches) for segment in log.segments)
    before = state_of(lasting.cluster)["logs"]
    assert before == state_of(lasting.open())["logs"]
