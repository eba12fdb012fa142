"""Looking at transactions and producers from outside."""

import time
from typing import Any

from kafka.protocol.admin import (
    DescribeProducersRequest,
    DescribeTransactionsRequest,
    ListTransactionsRequest,
)

from tests.contract.bench import Bench
from tests.contract.registry import case
from tests.contract.transactional import transactional
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
INVALID_TOPIC = 17
INVALID_REQUEST = 42
TRANSACTIONAL_ID_NOT_FOUND = 105
INVALID_REGULAR_EXPRESSION = 128


async def described(kafka: Bench, *transactional_ids: str) -> list[Any]:
    """What DescribeTransactions says of ids."""
    request = DescribeTransactionsRequest(transactional_ids=list(transactional_ids))
    return list((await kafka.wire.ask(request, 0)).transaction_states)


async def listed(kafka: Bench, version: int = 2, **filters: object) -> Any:
    """The answer of ListTransactions, and the ids of this case in it."""
    wanted = {"state_filters": [], "producer_id_filters": [], **filters}
    answer = await kafka.wire.ask(ListTransactionsRequest(**wanted), version)
    ours = [
        (state.transactional_id.rpartition("-")[2], state.transaction_state)
        for state in answer.transaction_states
        if state.transactional_id in (kafka.name("a"), kafka.name("b"))
    ]
    return answer, sorted(ours)


async def producers_of(kafka: Bench, topic: str, partition: int = 0) -> Any:
    """What DescribeProducers says of one partition."""
    wanted = DescribeProducersRequest.TopicRequest(name=topic, partition_indexes=[partition])
    answer = await kafka.wire.ask(DescribeProducersRequest(topics=[wanted]), 0)
    return answer.topics[0].partitions[0]


@case("DescribeTransactions")
async def case_transactions_are_described(kafka: Bench) -> None:
    """DescribeTransactions tells producer, state, time-out, start and partitions of an id."""
    topic = await kafka.topic(partitions=2)
    producer = await transactional(kafka, timeout_ms=55_000)
    (found,) = await described(kafka, producer.transactional_id)
    assert (found.error_code, found.transaction_state) == (0, "Empty")
    assert (found.transaction_start_time_ms, list(found.topics)) == (-1, [])
    before_ms = int(time.time() * 1000)
    for partition in (1, 0):
        assert await producer.add(topic, partition=partition) == 0
    (found,) = await described(kafka, producer.transactional_id)
    assert (found.transaction_state, found.transaction_timeout_ms) == ("Ongoing", 55_000)
    assert (found.producer_id, found.producer_epoch) == (producer.producer_id, 0)
    assert before_ms - 1_000 <= found.transaction_start_time_ms <= time.time() * 1000 + 1_000
    taking_part = {part.topic: sorted(part.partitions) for part in found.topics}
    assert taking_part == {topic: [0, 1]}
    for commit, expected in ((True, "CompleteCommit"), (False, "CompleteAbort")):
        assert await producer.add(topic) == 0
        assert await producer.end(commit=commit) == 0
        (found,) = await described(kafka, producer.transactional_id)
        assert (found.transaction_state, list(found.topics)) == (expected, [])


@case("DescribeTransactions")
async def case_unknown_transactions_are_described(kafka: Bench) -> None:
    """An id that is not known is error 105, an empty one 42."""
    await transactional(kafka)
    found = await described(kafka, kafka.name("nobody"), "")
    codes = {state.transactional_id: state.error_code for state in found}
    assert codes == {kafka.name("nobody"): TRANSACTIONAL_ID_NOT_FOUND, "": INVALID_REQUEST}


@case("ListTransactions")
async def case_transactions_are_listed(kafka: Bench) -> None:
    """ListTransactions filters by state, producer, duration and a pattern; names of states that it
    does not know are told.
    """
    topic = await kafka.topic()
    one, _ = [await transactional(kafka, label) for label in "ab"]
    assert await one.add(topic) == 0
    for version in await kafka.versions(ListTransactionsRequest):
        _, ours = await listed(kafka, version)
        assert ours == [("a", "Ongoing"), ("b", "Empty")]
    answer, ours = await listed(kafka, state_filters=["Ongoing", "Nonsense"])
    assert (ours, list(answer.unknown_state_filters)) == ([("a", "Ongoing")], ["Nonsense"])
    _, ours = await listed(kafka, state_filters=["Dead"])
    assert ours == []
    _, ours = await listed(kafka, producer_id_filters=[one.producer_id])
    assert ours == [("a", "Ongoing")]
    _, ours = await listed(kafka, duration_filter=3_600_000, state_filters=["Ongoing"])
    assert ours == []
    _, ours = await listed(kafka, transactional_id_pattern=".*-b")
    assert ours == [("b", "Empty")]
    for refused in ("(", ".*a++", r"(.)\1.*", "(?=.).*", "(?>a)", ".{1001}"):
        answer, _ = await listed(kafka, transactional_id_pattern=refused)
        assert answer.error_code == INVALID_REGULAR_EXPRESSION, refused
    for pattern in (".*(.*a+)+z", "(.|..)+z", "(.*-){1,20}z"):
        answer, ours = await listed(kafka, transactional_id_pattern=pattern)
        assert (answer.error_code, ours) == (0, []), pattern
    _, ours = await listed(kafka, transactional_id_pattern="(?i).*-(A|(?:c+)+)$")
    assert ours == [("a", "Ongoing")]


@case("DescribeProducers")
async def case_producers_are_described(kafka: Bench) -> None:
    """DescribeProducers tells epoch, last sequence and start of the open transaction of each
    producer of a partition.
    """
    topic = await kafka.topic()
    assert list((await producers_of(kafka, topic)).active_producers) == []
    producer = await transactional(kafka)
    await producer.begin(topic, b"a", b"b")
    (found,) = (await producers_of(kafka, topic)).active_producers
    assert (found.producer_id, found.producer_epoch) == (producer.producer_id, 0)
    assert (found.last_sequence, found.current_txn_start_offset) == (1, 0)
    assert found.coordinator_epoch == -1
    assert found.last_timestamp > 0
    assert await producer.end(commit=True) == 0

    async def ended() -> Any:
        (known,) = (await producers_of(kafka, topic)).active_producers
        return known if known.current_txn_start_offset == -1 else None

    found = await eventually(ended)
    assert (found.last_sequence, found.producer_epoch) == (1, 0)
    assert found.coordinator_epoch >= 0


@case("DescribeProducers")
async def case_producers_of_unknown_partitions(kafka: Bench) -> None:
    """Topics and partitions that do not exist, and names that cannot, are refused."""
    topic = await kafka.topic()
    for name, partition, expected in (
        (kafka.name("nowhere"), 0, UNKNOWN_TOPIC_OR_PARTITION),
        (topic, 7, UNKNOWN_TOPIC_OR_PARTITION),
        ("a/b", 0, INVALID_TOPIC),
    ):
        found = await producers_of(kafka, name, partition)
        assert found.error_code == expected
