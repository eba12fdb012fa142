"""What random programs found (`tests/contract/machine`): orders of checks, corners of answers."""

import time

from kafka.protocol.consumer import SyncGroupRequest
from kafka.record.memory_records import MemoryRecordsBuilder

from tests.contract.asking import create_topic, fetch, list_offset, produce, produce_request
from tests.contract.batches import batch, values, with_wrong_checksum
from tests.contract.bench import Bench
from tests.contract.beside import in_same_part
from tests.contract.cases.administration import delete_group, describe, in_state, listed
from tests.contract.cases.group_protocol import find_coordinator, member
from tests.contract.cases.offset_deletion import delete_offset
from tests.contract.configuring import TOPIC, replace_all
from tests.contract.member import MEMBER_ID_REQUIRED, commit
from tests.contract.registry import case
from tests.contract.transactional import transactional

OFFSET_METADATA_TOO_LARGE = 12
UNKNOWN_MEMBER_ID = 25
GROUP_ID_NOT_FOUND = 69
LONG = "x" * 5_000
ZSTD = 4
A_WEEK_AND_MORE_MS = 700_000_000


@case("CreateTopics")
async def case_create_checks_name_settings_counts(kafka: Bench) -> None:
    """Of several faults of a topic to be made the name is told first, then the settings, then the
    counts.
    """
    wrong = {"max.message.bytes": "-5"}
    made = await create_topic(kafka.wire, "a b", replication=0, config=wrong)
    assert made.error_code == 17
    made = await create_topic(kafka.wire, kafka.name(), replication=0, config=wrong)
    assert made.error_code == 40


@case("CreateTopics", "AlterConfigs")
async def case_unknown_settings_are_told_first(kafka: Bench) -> None:
    """Of several wrong settings the unknown one is told, then the one that Kafka defines first."""
    wrong = {"cleanup.policy": "burn", "max.message.bytes": "many", "no.such.setting": "1"}
    made = await create_topic(kafka.wire, kafka.name(), config=wrong, version=4)
    assert made.error_message == "Unknown topic config name: no.such.setting"
    topic = await kafka.topic("there")
    code, text = await replace_all(kafka.wire, TOPIC, topic, *wrong.items())
    assert (code, text) == (40, "Unknown topic config name: no.such.setting")
    del wrong["no.such.setting"]
    made = await create_topic(kafka.wire, kafka.name(), config=wrong, version=4)
    assert "max.message.bytes" in made.error_message


@case("CreateTopics")
async def case_topic_only_tried_has_an_id(kafka: Bench) -> None:
    """A topic that is only tried is answered with an id, which nothing gets."""
    made = await create_topic(kafka.wire, kafka.name(), validate_only=True, version=7)
    assert made.error_code == 0
    assert made.topic_id is not None


@case("ListOffsets")
async def case_special_times_by_version(kafka: Bench) -> None:
    """Newest record, local start and tiered end can be asked for from versions 7, 8 and 9 on;
    before it is error 35, even of a topic that is not there.
    """
    topic = await kafka.topic()
    for special, since in ((-3, 7), (-4, 8), (-5, 9)):
        for version in range(4, 10):
            found = await list_offset(kafka.wire, topic, special, version=version)
            assert (found.error_code == 35) == (version < since), (special, version)
    found = await list_offset(kafka.wire, kafka.name("nowhere"), -3, version=6)
    assert found.error_code == 35


@case("Produce")
async def case_produce_checks_form_acks_checksum(kafka: Bench) -> None:
    """Two batches are refused before unknown acks are, a wrong checksum after; a batch that is too
    large is that first.
    """
    topic = await kafka.topic(config={"max.message.bytes": "200"})
    good = batch(b"a")
    assert (await produce(kafka.wire, topic, good + good, acks=2)).error_code == 87
    wrong = with_wrong_checksum(good)
    assert (await produce(kafka.wire, topic, wrong, acks=2)).error_code == 21
    refused = await produce(kafka.wire, topic, wrong)
    assert (refused.error_code, refused.log_start_offset) == (2, -1)
    large = with_wrong_checksum(batch(b"x" * 300))
    assert (await produce(kafka.wire, topic, large)).error_code == 10


@case("Produce")
async def case_keys_are_missed_by_name(kafka: Bench) -> None:
    """A compacted topic names itself where it refuses records without keys."""
    topic = await kafka.topic(config={"cleanup.policy": "compact"})
    refused = await produce(kafka.wire, topic, batch(b"a", b"b"))
    text = f"Compacted topic cannot accept message without key in topic partition {topic}-0"
    assert refused.error_code == 87
    assert [error.batch_index_error_message for error in refused.record_errors] == [text] * 2
    assert f"[RecordError(batchIndex=0, message='{text}'), " in refused.error_message


@case("Produce")
async def case_a_wrong_time_outweighs_missing_keys(kafka: Bench) -> None:
    """A batch with a record without a key and another whose time is refused is refused for its
    times, and tells of both.
    """
    late = {"message.timestamp.after.max.ms": "3600000"}
    topic = await kafka.topic(config={"cleanup.policy": "compact", **late})
    soon_ms = int(time.time() * 1000)
    builder = MemoryRecordsBuilder(2, 0, 16_384)
    builder.append(soon_ms, None, b"a")
    builder.append(soon_ms + A_WEEK_AND_MORE_MS, b"k", b"b")
    builder.close()
    refused = await produce(kafka.wire, topic, builder.buffer())
    assert refused.error_code == 32
    assert [error.batch_index for error in refused.record_errors] == [0, 1]


@case("Produce")
async def case_zstd_since_version_7(kafka: Bench) -> None:
    """Batches compressed with zstd are error 76 in versions before 7, even if there are two."""
    topic = await kafka.topic()
    builder = MemoryRecordsBuilder(magic=2, compression_type=ZSTD, batch_size=1 << 16)
    builder.append(1_700_000_000_000, None, b"x" * 300)
    builder.close()
    made = bytes(builder.buffer())
    for version, expected in ((6, 76), (7, 0)):
        answer = await kafka.wire.ask(produce_request(topic, made), version)
        assert answer.responses[0].partition_responses[0].error_code == expected, version
    assert (await produce(kafka.wire, topic, made + made, version=6)).error_code == 76


@case("Fetch")
async def case_fetch_reads_one_segment(kafka: Bench) -> None:
    """A fetch is given records of one segment; times more than a week apart begin another."""
    topic = await kafka.topic()
    first_ms = 1_700_000_000_000
    await produce(kafka.wire, topic, batch(b"a", at_ms=first_ms))
    await produce(kafka.wire, topic, batch(b"b", at_ms=first_ms + A_WEEK_AND_MORE_MS))
    assert values((await fetch(kafka.wire, topic, 0)).records) == [b"a"]
    assert values((await fetch(kafka.wire, topic, 1)).records) == [b"b"]


@case("Fetch")
async def case_fetch_errors_name_no_transactions(kafka: Bench) -> None:
    """Without a topic the aborted transactions are an empty list, out of range they are null."""
    topic = await kafka.topic()
    found = await fetch(kafka.wire, kafka.name("nowhere"), 0)
    assert (found.error_code, found.aborted_transactions) == (3, [])
    found = await fetch(kafka.wire, topic, 100)
    assert (found.error_code, found.aborted_transactions) == (1, None)


@case("SyncGroup")
async def case_sync_names_its_protocol(kafka: Bench) -> None:
    """From version 5 on a sync without type or name of the protocol is error 23, whoever sends
    it.
    """
    group = kafka.name("g")
    await find_coordinator(kafka, group)
    for protocol_type, name in ((None, "range"), ("consumer", None)):
        request = SyncGroupRequest(
            group_id=group,
            generation_id=1,
            member_id="nobody",
            group_instance_id=None,
            protocol_type=protocol_type,
            protocol_name=name,
            assignments=[],
        )
        assert (await kafka.wire.ask(request, 5)).error_code == 23
        assert (await kafka.wire.ask(request, 4)).error_code == 25


@case("OffsetDelete", "DescribeGroups")
async def case_group_outlives_its_last_offset(kafka: Bench) -> None:
    """A group whose last offset is deleted is still there, empty."""
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    assert await commit(kafka.wire, group, topic, 3) == 0
    assert await delete_offset(kafka.wire, group, topic) == (0, [0])
    assert (await describe(kafka, group, 5)).group_state == "Empty"


@case("JoinGroup")
async def case_static_member_has_no_pending_id(kafka: Bench) -> None:
    """A member that was told to come again with an id, and comes with an instance id too, is error
    -1; without one it gets in afterwards.
    """
    joining = await member(kafka, kafka.name("g"))
    told = await joining.join_once()
    assert told.error_code == MEMBER_ID_REQUIRED
    joining.member_id, joining.instance_id = told.member_id, "one"
    refused = await joining.join_once()
    assert (refused.error_code, refused.member_id) == (-1, "")
    joining.instance_id = None
    assert (await joining.join_once()).error_code == 0


@case("OffsetCommit", "TxnOffsetCommit", "EndTxn", "DescribeGroups", "ListGroups")
async def case_commit_of_nothing_makes_a_group(kafka: Bench) -> None:
    """A commit that is refused, its metadata being too long, makes a group, which is shown when
    something else was written to its partition of the offsets topic.
    """
    topic, group, other = await kafka.topic(), kafka.name("g"), kafka.name("h")
    await find_coordinator(kafka, group)
    assert await commit(kafka.wire, group, topic, 3, metadata=LONG) == OFFSET_METADATA_TOO_LARGE
    assert (await describe(kafka, group)).group_state == "Dead"
    assert group not in await listed(kafka, 4)
    assert await commit(kafka.wire, in_same_part(group), topic, 1) == 0
    assert (await describe(kafka, group)).group_state == "Empty"
    assert group in await listed(kafka, 4)
    producer = await transactional(kafka)
    assert await producer.add_offsets(other) == 0
    refused = await producer.commit_offset(other, topic, 3, metadata=LONG)
    assert refused == OFFSET_METADATA_TOO_LARGE
    assert (await describe(kafka, other)).group_state == "Dead"
    assert await producer.end(commit=False) == 0
    await in_state(kafka, other, "Empty")


@case("OffsetCommit", "OffsetDelete", "DeleteGroups", "DescribeGroups")
async def case_group_without_records_is_there(kafka: Bench) -> None:
    """A group that a refused commit made can be changed before it is shown."""
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    stranger = {"generation": 1, "member_id": "nobody", "version": 9}
    assert await commit(kafka.wire, group, topic, 3, **stranger) == GROUP_ID_NOT_FOUND
    assert await commit(kafka.wire, group, topic, 3, metadata=LONG) == OFFSET_METADATA_TOO_LARGE
    assert await commit(kafka.wire, group, topic, 3, **stranger) == UNKNOWN_MEMBER_ID
    assert await delete_offset(kafka.wire, group, topic) == (0, [0])
    assert (await describe(kafka, group)).group_state == "Dead"
    assert await delete_group(kafka, group, version=2) == 0
    assert await delete_group(kafka, group, version=2) == GROUP_ID_NOT_FOUND
