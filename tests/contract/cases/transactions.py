"""Transactional producers and their coordinator: epochs, fences, time-outs, ends."""

from kafka.protocol.producer import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
    TxnOffsetCommitRequest,
)

from tests.contract.asking import fetch
from tests.contract.batches import values
from tests.contract.bench import Bench
from tests.contract.cases.group_protocol import find_coordinator
from tests.contract.cases.restarts import restart
from tests.contract.registry import case
from tests.contract.transactional import (
    CONCURRENT_TRANSACTIONS,
    READ_COMMITTED,
    find_transaction_coordinator,
    settled_code,
    transactional,
)
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
INVALID_REQUEST = 42
OUT_OF_ORDER_SEQUENCE = 45
INVALID_PRODUCER_EPOCH = 47
INVALID_TXN_STATE = 48
INVALID_PRODUCER_ID_MAPPING = 49
INVALID_TRANSACTION_TIMEOUT = 50
TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
OPERATION_NOT_ATTEMPTED = 55
PRODUCER_FENCED = 90
TRANSACTION_ABORTABLE = 120
SINCE_SEVERAL = 4  # AddPartitionsToTxn: of brokers among themselves
SINCE_BUMP = 5  # EndTxn


@case("InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn")
async def case_transaction_every_version(kafka: Bench) -> None:
    """All requests of a transaction answer at every version they advertise; each start raises the
    epoch.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    producer = await transactional(kafka)
    for expected, version in enumerate(await kafka.versions(InitProducerIdRequest), start=1):
        answer = await producer.init(version=version)
        assert (answer.error_code, answer.producer_epoch) == (0, expected)
    for version in await kafka.versions(AddPartitionsToTxnRequest):
        if version < SINCE_SEVERAL:
            assert await producer.add(topic, version=version) == 0
    for version in await kafka.versions(AddOffsetsToTxnRequest):
        assert await producer.add_offsets(group, version=version) == 0
    for version in await kafka.versions(TxnOffsetCommitRequest):
        assert await producer.commit_offset(group, topic, version, version=version) == 0
    for version in await kafka.versions(EndTxnRequest):
        assert await producer.add(topic) == 0
        answer = await producer.end_once(commit=True, version=version)
        bumped = version >= SINCE_BUMP
        expected_producer = (producer.producer_id, producer.epoch + 1) if bumped else (-1, -1)
        assert (0, *expected_producer) == (
            answer.error_code,
            answer.producer_id,
            answer.producer_epoch,
        )


@case("AddPartitionsToTxn")
async def case_several_transactions_at_once(kafka: Bench) -> None:
    """AddPartitionsToTxn from version 4 on adds for several producers, or only tells whether
    partitions take part; one that is not there refuses either.
    """
    topic = await kafka.topic(partitions=2)
    producers = [await transactional(kafka, label) for label in "ab"]

    async def ask(partitions: list[int], *, verify_only: bool) -> list[list[int]]:
        several = AddPartitionsToTxnRequest.AddPartitionsToTxnTransaction
        request = AddPartitionsToTxnRequest(
            transactions=[
                several(
                    transactional_id=producer.transactional_id,
                    producer_id=producer.producer_id,
                    producer_epoch=producer.epoch,
                    verify_only=verify_only,
                    topics=[several.AddPartitionsToTxnTopic(name=topic, partitions=partitions)],
                )
                for producer in producers
            ]
        )
        answer = await kafka.wire.ask(request, SINCE_SEVERAL)
        assert answer.error_code == 0
        results = {
            result.transactional_id: [
                part.partition_error_code
                for part in sorted(
                    result.topic_results[0].results_by_partition,
                    key=lambda part: part.partition_index,
                )
            ]
            for result in answer.results_by_transaction
        }
        return [results[producer.transactional_id] for producer in producers]

    assert await ask([0], verify_only=False) == [[0], [0]]
    abortable = [0, TRANSACTION_ABORTABLE]
    assert await ask([0, 1], verify_only=True) == [abortable, abortable]
    missing = [OPERATION_NOT_ATTEMPTED, UNKNOWN_TOPIC_OR_PARTITION]
    assert await ask([0, 2], verify_only=True) == [missing, missing]


@case("InitProducerId", "AddPartitionsToTxn", "Produce", "EndTxn")
async def case_new_producer_fences_the_old(kafka: Bench) -> None:
    """A producer that starts under the same id has the next epoch; the one before is told so in
    every answer, by its version as error 47 or 90.
    """
    topic = await kafka.topic()
    old = await transactional(kafka)
    await old.begin(topic, b"a")
    assert await old.end(commit=True) == 0
    new = await transactional(kafka)
    assert (new.producer_id, new.epoch) == (old.producer_id, old.epoch + 1)
    assert await old.add_once(topic, version=1) == INVALID_PRODUCER_EPOCH
    assert await old.add_once(topic, version=2) == PRODUCER_FENCED
    assert await old.add_offsets("g", version=1) == INVALID_PRODUCER_EPOCH
    assert await old.add_offsets("g", version=2) == PRODUCER_FENCED
    ended = [await old.end_once(commit=True, version=version) for version in (1, 2, SINCE_BUMP)]
    assert [answer.error_code for answer in ended] == [
        INVALID_PRODUCER_EPOCH,
        PRODUCER_FENCED,
        PRODUCER_FENCED,
    ]
    await new.begin(topic, b"b")
    assert (await old.write(topic, b"c")).error_code == INVALID_PRODUCER_EPOCH
    at = (old.producer_id, old.epoch)
    fenced = [await old.init(expected=at, version=version) for version in (3, 4)]
    assert [answer.error_code for answer in fenced] == [INVALID_PRODUCER_EPOCH, PRODUCER_FENCED]


@case("InitProducerId", "Fetch")
async def case_start_aborts_what_is_open(kafka: Bench) -> None:
    """A producer that starts finds what its predecessor left open aborted; it has to ask twice, and
    is two epochs ahead.
    """
    topic = await kafka.topic()
    old = await transactional(kafka)
    await old.begin(topic, b"a")
    new = await transactional(kafka, start=False)
    assert (await new.init_once()).error_code == CONCURRENT_TRANSACTIONS
    await new.init()
    assert (new.producer_id, new.epoch) == (old.producer_id, old.epoch + 2)
    found = await fetch(kafka.wire, topic, 0, isolation_level=READ_COMMITTED)
    assert (found.last_stable_offset, found.high_watermark) == (2, 2)
    assert [aborted.first_offset for aborted in found.aborted_transactions] == [0]


@case("InitProducerId")
async def case_producer_goes_on_after_an_error(kafka: Bench) -> None:
    """A producer that names itself goes on at the next epoch, is given the same again if it asks
    again, and is fenced once another has started.
    """
    producer = await transactional(kafka)
    before = (producer.producer_id, producer.epoch)
    for _ in range(2):
        answer = await producer.init(expected=before)
        assert (answer.error_code, answer.producer_id) == (0, before[0])
        assert answer.producer_epoch == before[1] + 1
    await producer.init()
    answer = await producer.init_once(expected=before)
    assert (answer.error_code, answer.producer_id) == (PRODUCER_FENCED, -1)
    other = await producer.init_once(expected=(before[0] + 1_000_000, 0))
    assert other.error_code == PRODUCER_FENCED


@case("InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn")
async def case_unknown_transactional_ids(kafka: Bench) -> None:
    """An empty id, half a producer, a producer that is not the id's, and an id that is not known
    are refused.
    """
    topic = await kafka.topic()
    nobody = await transactional(kafka, "nobody", start=False)
    nobody.producer_id, nobody.epoch = 7, 0
    assert await nobody.add(topic) == INVALID_PRODUCER_ID_MAPPING
    assert await nobody.add_offsets("g") == INVALID_PRODUCER_ID_MAPPING
    assert (await nobody.end_once(commit=True)).error_code == INVALID_PRODUCER_ID_MAPPING
    known = await transactional(kafka)
    known.producer_id += 1_000_000
    assert await known.add(topic) == INVALID_PRODUCER_ID_MAPPING
    assert (await known.end_once(commit=True)).error_code == INVALID_PRODUCER_ID_MAPPING
    assert (await known.init_once(expected=(known.producer_id, -1))).error_code == INVALID_REQUEST
    known.transactional_id = ""
    assert (await known.init_once()).error_code == INVALID_REQUEST
    assert await known.add(topic) == INVALID_REQUEST
    assert (await known.end_once(commit=True)).error_code == INVALID_REQUEST


@case("InitProducerId")
async def case_transaction_timeout_bounds(kafka: Bench) -> None:
    """A time-out of nothing, or of more than a broker allows, is error 50."""
    producer = await transactional(kafka, start=False)
    for timeout_ms, expected in ((0, 50), (-1, 50), (900_001, 50), (900_000, 0), (1, 0)):
        answer = await producer.init(timeout_ms=timeout_ms)
        assert answer.error_code == expected, timeout_ms


@case("AddPartitionsToTxn", "EndTxn")
async def case_transaction_times_out(kafka: Bench) -> None:
    """A transaction open for too long is aborted and its producer fenced; it may go on as who it
    was.
    """
    topic = await kafka.topic()
    producer = await transactional(kafka, timeout_ms=500)
    await producer.begin(topic, b"a")

    async def aborted() -> bool:
        found = await fetch(kafka.wire, topic, 0, isolation_level=READ_COMMITTED)
        return bool(found.aborted_transactions)

    await eventually(aborted, deadline_s=60.0)
    assert (await producer.end_once(commit=True)).error_code == PRODUCER_FENCED
    before = (producer.producer_id, producer.epoch)
    answer = await producer.init(expected=before)
    assert (answer.error_code, answer.producer_epoch) == (0, before[1] + 1)


@case("AddPartitionsToTxn")
async def case_unknown_partition_refuses_all(kafka: Bench) -> None:
    """One partition that does not exist keeps all others out of the transaction."""
    topic, nowhere = await kafka.topic(), kafka.name("nowhere")
    producer = await transactional(kafka)
    assert await producer.add(topic, nowhere) == UNKNOWN_TOPIC_OR_PARTITION
    assert await producer.add(nowhere, topic) == OPERATION_NOT_ATTEMPTED
    assert (await producer.write(topic, b"a")).error_code == INVALID_TXN_STATE


@case("EndTxn")
async def case_ends_of_the_first_kind(kafka: Bench) -> None:
    """With EndTxn up to version 4 nothing can be ended that was not begun; the same end may be
    asked for again, the other one not.
    """
    topic = await kafka.topic()
    producer = await transactional(kafka)
    for commit in (True, False):
        assert (await producer.end_once(commit=commit)).error_code == INVALID_TXN_STATE
    for commit in (True, False):
        assert await producer.add(topic) == 0
        assert await producer.end(commit=commit) == 0
        assert await producer.end(commit=commit) == 0
        assert (await producer.end_once(commit=not commit)).error_code == INVALID_TXN_STATE


@case("EndTxn")
async def case_ends_of_the_second_kind(kafka: Bench) -> None:
    """From EndTxn version 5 on each end raises the epoch, one that comes twice is known by its
    epoch, and what was never begun may be aborted.
    """
    topic = await kafka.topic()
    producer = await transactional(kafka)

    async def end(epoch: int, *, commit: bool) -> tuple[int, int]:
        producer.epoch = epoch
        answers = []

        async def ask() -> int:
            answers.append(await producer.end_once(commit=commit, version=SINCE_BUMP))
            return int(answers[-1].error_code)

        return await settled_code(ask), answers[-1].producer_epoch

    assert await end(0, commit=True) == (INVALID_TXN_STATE, -1)
    assert await end(0, commit=False) == (0, 1)
    assert await end(0, commit=False) == (0, 1)
    assert await end(0, commit=True) == (INVALID_TXN_STATE, -1)
    producer.epoch = 1
    assert await producer.add(topic) == 0
    assert await end(1, commit=True) == (0, 2)
    assert await end(1, commit=True) == (0, 2)
    assert await end(1, commit=False) == (INVALID_TXN_STATE, -1)
    assert await end(2, commit=True) == (INVALID_TXN_STATE, -1)
    assert await end(0, commit=True) == (PRODUCER_FENCED, -1)
    assert await end(2, commit=False) == (0, 3)


@case("Produce")
async def case_writes_outside_a_transaction(kafka: Bench) -> None:
    """A transactional batch for a partition that takes no part is error 48, from version 11 on
    120; without a transactional id it is error 53.
    """
    topic = await kafka.topic()
    producer = await transactional(kafka)
    for version, expected in ((9, INVALID_TXN_STATE), (11, TRANSACTION_ABORTABLE)):
        made = await producer.write(topic, b"a", version=version)
        assert (made.error_code, made.base_offset) == (expected, -1)
    await producer.begin(topic, b"b")
    assert await producer.end(commit=True) == 0
    assert (await producer.write(topic, b"c")).error_code == INVALID_TXN_STATE
    producer.transactional_id = None  # type: ignore[assignment]  # what no client would send
    made = await producer.write(topic, b"a")
    assert made.error_code == TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    assert values((await fetch(kafka.wire, topic, 0)).records)[0] == b"b"


@case("Produce", "EndTxn")
async def case_writes_add_their_partition(kafka: Bench) -> None:
    """From Produce version 12 on a batch makes its partition take part; the first of a producer
    begins at sequence 0.
    """
    topic = await kafka.topic()
    producer = await transactional(kafka)
    producer.sequences[topic, 0] = 3
    assert (await producer.write(topic, b"x", version=12)).error_code == OUT_OF_ORDER_SEQUENCE
    producer.sequences.clear()
    assert (await producer.write(topic, b"a", version=12)).error_code == 0
    assert (await producer.write(topic, b"b", version=12)).error_code == 0
    assert await producer.end(commit=True, version=SINCE_BUMP) == 0

    async def committed() -> bool:
        found = await fetch(kafka.wire, topic, 0, isolation_level=READ_COMMITTED)
        return values(found.records)[:2] == [b"a", b"b"]

    await eventually(committed)
    assert (await producer.write(topic, b"c", version=12)).error_code == INVALID_PRODUCER_EPOCH


@case("Produce", "EndTxn")
async def case_sequences_over_transactions(kafka: Bench) -> None:
    """Sequences go on over transactions at the same epoch; while one is open its producer writes
    nothing outside it.
    """
    topic = await kafka.topic()
    producer = await transactional(kafka)
    await producer.begin(topic, b"a", b"b")
    outside = await producer.write(topic, b"x", transactional=False)
    assert outside.error_code == INVALID_TXN_STATE
    assert await producer.end(commit=True) == 0
    await producer.begin(topic, b"c")
    producer.sequences[topic, 0] = 0
    assert (await producer.write(topic, b"d")).error_code == OUT_OF_ORDER_SEQUENCE


@case("InitProducerId", "AddPartitionsToTxn", "Produce", "EndTxn", "Fetch")
async def case_restart_amid_a_transaction(kafka: Bench) -> None:
    """A transaction that is open over a restart is committed afterwards."""
    topic = await kafka.topic()
    producer = await transactional(kafka)
    await producer.begin(topic, b"a")
    await restart(kafka)
    producer.wire = await kafka.connect()
    await find_transaction_coordinator(producer)
    assert await producer.add(topic) == 0

    async def written() -> bool:
        return bool((await producer.write(topic, b"b")).error_code == 0)

    await eventually(written)
    assert await producer.end(commit=True) == 0
    found = await fetch(kafka.wire, topic, 0, isolation_level=READ_COMMITTED)
    assert values(found.records)[:2] == [b"a", b"b"]
    assert found.last_stable_offset == found.high_watermark == 3
