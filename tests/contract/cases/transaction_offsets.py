"""Offsets committed in transactions: when they count, who may commit them."""

from tests.contract.bench import Bench
from tests.contract.cases.group_protocol import find_coordinator, member
from tests.contract.member import commit, committed
from tests.contract.registry import case
from tests.contract.transactional import Transactional, transactional
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
OFFSET_METADATA_TOO_LARGE = 12
ILLEGAL_GENERATION = 22
INVALID_GROUP_ID = 24
UNKNOWN_MEMBER_ID = 25
INVALID_TXN_STATE = 48
UNSTABLE_OFFSET_COMMIT = 88
TRANSACTION_ABORTABLE = 120
SINCE_STABLE = 7


async def taking_part(kafka: Bench, group: str, label: str = "p") -> Transactional:
    """A producer in whose transaction the offsets of a group take part."""
    await find_coordinator(kafka, group)
    producer = await transactional(kafka, label)
    assert await producer.add_offsets(group) == 0
    return producer


@case("TxnOffsetCommit", "AddOffsetsToTxn", "OffsetFetch", "EndTxn")
async def case_offsets_count_when_committed(kafka: Bench) -> None:
    """Offsets committed in a transaction count when it is committed, with their metadata, and are
    dropped when it is aborted.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    producer = await taking_part(kafka, group)
    for offset, commits, expected in (
        (5, True, (5, "m", 0)),
        (9, False, (5, "m", 0)),
        (3, True, (3, "m", 0)),
    ):
        assert await producer.add_offsets(group) == 0
        before = await committed(kafka.wire, group, topic)
        assert await producer.commit_offset(group, topic, offset, metadata="m") == 0
        assert await committed(kafka.wire, group, topic) == before
        assert await producer.end(commit=commits) == 0
        assert await committed(kafka.wire, group, topic) == expected


@case("OffsetFetch", "TxnOffsetCommit")
async def case_stable_offsets(kafka: Bench) -> None:
    """Who wants stable offsets is refused those of open transactions with error 88, and only
    those.
    """
    topic, group = await kafka.topic(partitions=2), kafka.name("g")
    producer = await taking_part(kafka, group)
    assert await commit(kafka.wire, group, topic, 1) == 0
    assert await producer.commit_offset(group, topic, 5) == 0
    for version in (7, 8, 9):
        for stable, expected in (
            (True, (-1, "", UNSTABLE_OFFSET_COMMIT)),
            (False, (1, "", 0)),
        ):
            found = await committed(kafka.wire, group, topic, stable=stable, version=version)
            assert found == expected
        other = await committed(kafka.wire, group, topic, partition=1, stable=True, version=version)
        assert other == (-1, "", 0)
    assert await producer.end(commit=True) == 0

    async def settled() -> bool:
        found = await committed(kafka.wire, group, topic, stable=True, version=SINCE_STABLE)
        return found == (5, "", 0)

    await eventually(settled)


@case("TxnOffsetCommit", "OffsetCommit", "OffsetFetch")
async def case_later_commit_counts_more(kafka: Bench) -> None:
    """Of commits in and outside transactions the one that came last counts, whenever the
    transaction ends.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    one = await taking_part(kafka, group, "a")
    other = await taking_part(kafka, group, "b")
    assert await one.commit_offset(group, topic, 1) == 0
    assert await commit(kafka.wire, group, topic, 2) == 0
    assert await other.commit_offset(group, topic, 3) == 0
    assert await one.end(commit=True) == 0
    assert await committed(kafka.wire, group, topic) == (2, "", 0)
    assert await one.add_offsets(group) == 0
    assert await one.commit_offset(group, topic, 4) == 0
    assert await one.end(commit=True) == 0
    assert await committed(kafka.wire, group, topic) == (4, "", 0)
    assert await other.end(commit=True) == 0
    assert await committed(kafka.wire, group, topic) == (4, "", 0)


@case("TxnOffsetCommit", "AddOffsetsToTxn")
async def case_offsets_outside_a_transaction(kafka: Bench) -> None:
    """Offsets of a group that takes no part are refused with error 48, from version 4 on 120;
    version 5 has the group take part by itself.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    producer = await transactional(kafka)
    for version, expected in ((3, INVALID_TXN_STATE), (4, TRANSACTION_ABORTABLE), (5, 0), (3, 0)):
        code = await producer.commit_offset(group, topic, 1, version=version)
        assert code == expected, version


@case("TxnOffsetCommit")
async def case_offsets_that_are_refused(kafka: Bench) -> None:
    """A partition that does not exist, metadata that are too long, and a group without name are
    refused.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    producer = await taking_part(kafka, group)
    nowhere = kafka.name("nowhere")
    assert await producer.commit_offset(group, nowhere, 1) == UNKNOWN_TOPIC_OR_PARTITION
    code = await producer.commit_offset(group, topic, 1, metadata="x" * 5000)
    assert code == OFFSET_METADATA_TOO_LARGE
    assert await producer.commit_offset("", topic, 1) == INVALID_GROUP_ID


@case("TxnOffsetCommit")
async def case_transactional_commit_is_fenced(kafka: Bench) -> None:
    """A member of another generation, and one that the group does not know, are refused; who names
    no member is not.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    inside = await member(kafka, group)
    await inside.enter()
    producer = await taking_part(kafka, group)
    right = {"member_id": inside.member_id, "generation": inside.generation}
    for named, expected in (
        (right, 0),
        ({**right, "generation": inside.generation + 1}, ILLEGAL_GENERATION),
        ({**right, "generation": -1}, ILLEGAL_GENERATION),
        ({**right, "member_id": "stranger"}, UNKNOWN_MEMBER_ID),
        ({}, 0),
    ):
        assert await producer.commit_offset(group, topic, 1, **named) == expected, named
    other = kafka.name("h")
    assert await producer.add_offsets(other) == 0
    code = await producer.commit_offset(other, topic, 1, **right)
    assert code == ILLEGAL_GENERATION
    assert await producer.commit_offset(other, topic, 1) == 0
