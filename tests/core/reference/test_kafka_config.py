"""What the reference says of KAFKA_CONFIG, in both forms."""

import asyncio
import json
from typing import Any

import pytest

from data_analysis import ConfigurationError
from data_analysis import config as default_config
from data_analysis.kafka.options import read_kafka_options
from station_sim.kafka.error_codes import ErrorCode
from tests.core.reference.statements import states
from tests.core.world import GROUP, World, in_world

CHAPTER = "Kafka配置 (KAFKA_CONFIG)"

TOP = {"bootstrap_servers": ["localhost:9092"], "group_id": "data_analysis_group"}


@states(
    "嵌套格式（推荐）……优先使用嵌套格式，可以为消费者和生产者分别配置参数",
    "kafka.options.read_kafka_options",
)
def test_consumer_and_producer_have_settings_of_their_own() -> None:
    options = read_kafka_options(
        {
            "bootstrap_servers": ["top:9092"],
            "group_id": "top",
            "consumer": {"bootstrap_servers": ["a:9092"], "group_id": "g"},
            "producer": {"bootstrap_servers": ["b:9092"], "compression_type": "lz4"},
        }
    )
    assert (["a:9092"], ["b:9092"], "g", "lz4") == (
        options.consumer["bootstrap_servers"],
        options.producer["bootstrap_servers"],
        options.group_id,
        options.producer["compression_type"],
    )


@states(
    "扁平格式主要用于向后兼容，系统会自动适配",
    "kafka.options.read_kafka_options",
)
def test_the_flat_form_means_the_same() -> None:
    consumer = {**TOP, "auto_offset_reset": "latest", "enable_auto_commit": True}
    nested = {"consumer": consumer, "producer": {"bootstrap_servers": TOP["bootstrap_servers"]}}
    assert read_kafka_options(nested) == read_kafka_options(consumer)


@states(
    "嵌套格式下，consumer和producer配置互不影响",
    "kafka.options.read_kafka_options",
)
def test_one_section_does_not_change_the_other() -> None:
    bare = read_kafka_options({"consumer": TOP, "producer": {}})
    consumer = {**TOP, "request_timeout_ms": 50000, "security_protocol": "PLAINTEXT"}
    assert bare.producer == read_kafka_options({"consumer": consumer, "producer": {}}).producer
    producer = {"acks": "1", "batch_size": 100}
    assert bare.consumer == read_kafka_options({"consumer": TOP, "producer": producer}).consumer


@states(
    "`KAFKA_CONFIG` 的示例：消费者 `latest`、`enable_auto_commit`、500、30000；"
    "生产者 `all`、3、5、`gzip`",
    "config.KAFKA_CONFIG",
)
def test_the_default_configuration_is_the_reference_s() -> None:
    assert {
        "consumer": {
            "bootstrap_servers": ["localhost:9092"],
            "group_id": "data_analysis_group",
            "auto_offset_reset": "latest",
            "enable_auto_commit": True,
            "max_poll_records": 500,
            "session_timeout_ms": 30000,
        },
        "producer": {
            "bootstrap_servers": ["localhost:9092"],
            "acks": "all",
            "retries": 3,
            "max_in_flight_requests_per_connection": 5,
            "compression_type": "gzip",
        },
    } == default_config.KAFKA_CONFIG


@states(
    "`bootstrap_servers`: Kafka集群地址列表，格式为['host1:port1', 'host2:port2']",
    "kafka.options.read_kafka_options",
)
def test_servers_are_a_list() -> None:
    servers = ["host1:9092", "host2:9093"]
    assert (
        servers == read_kafka_options({"bootstrap_servers": servers}).consumer["bootstrap_servers"]
    )
    for bad in ([], 9092, [9092], None):
        with pytest.raises(ConfigurationError, match="bootstrap_servers"):
            read_kafka_options({"bootstrap_servers": bad})


@states("`group_id`: 消费者组ID，用于标识消费者组", "kafka.options.KafkaOptions")
def test_the_group_is_where_offsets_are_committed() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service(kafka={"group_id": "other-group"})
        await service.start(world.callback)
        await world.until(lambda: service.engine.counters.records_finished == 1)
        await service.stop()
        committed = await world.broker.committed("other-group")
        assert [1] == [each.offset for each in committed.values() if each.offset > 0]
        assert {} == await world.broker.committed(GROUP)

    in_world(story)


@pytest.mark.parametrize(("reset", "seen"), [("latest", [2.0]), ("earliest", [1.0, 2.0])])
@states(
    "`auto_offset_reset`: 消费策略，'latest'从最新数据开始，'earliest'从最早数据开始",
    "kafka.async_positions",
)
def test_a_new_group_begins_at_the_newest_or_at_the_oldest(reset: str, seen: list[float]) -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service(auto_offset_reset=reset)
        await service.start(world.callback)
        await world.send("A", 2.0, first_s=15)
        await world.until(lambda: bool(world.calls) and world.calls[-1] == ("A", 2.0))
        await service.stop()
        assert seen == [power for _, power in world.calls]

    in_world(story)


@pytest.mark.parametrize("asked", [True, False])
@states(
    "`enable_auto_commit`: 是否自动提交消费offset",
    "kafka.async_commits.Commits",
)
def test_offsets_are_committed_by_themselves_but_never_before_the_work_is_done(asked: bool) -> None:
    async def story(world: World) -> None:
        ends = asyncio.Event()

        async def waits(station_id: str, module_input: dict[str, Any]) -> None:
            await ends.wait()

        await world.send("A", 1.0)
        service = world.service(kafka={"enable_auto_commit": asked})
        await service.start(waits)
        await asyncio.sleep(30)
        assert 0 == service.engine.offsets.committed(("REAL-STATION-DATA", 0))
        ends.set()
        await world.until(lambda: service.engine.counters.records_finished == 1)
        await asyncio.sleep(10)
        assert 1 == await world.committed()
        await service.stop()

    in_world(story)


@states(
    "`session_timeout_ms`: 会话超时时间，默认30000毫秒；`max_poll_records`……默认500",
    "config.KAFKA_CONFIG",
    "kafka.options.KafkaOptions",
)
def test_the_session_s_and_the_poll_s_defaults() -> None:
    options = read_kafka_options(default_config.KAFKA_CONFIG)
    assert (500, 30000) == (options.max_poll_records, options.consumer["session_timeout_ms"])
    assert 500 == read_kafka_options(TOP).max_poll_records


@pytest.mark.parametrize(
    ("acks", "expected"), [("all", "all"), ("1", 1), (1, 1), ("0", 0), (0, 0), (-1, "all")]
)
@states(
    "`acks`: 消息确认模式，'all'等待所有副本确认（最安全），'1'等待leader确认，'0'不等待确认",
    "kafka.options.ACKS",
)
def test_acks_are_words_or_numbers(acks: object, expected: object) -> None:
    assert expected == read_kafka_options({**TOP, "acks": acks}).producer["acks"]


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "none"])
@states(
    "`compression_type`: 消息压缩类型，可选'gzip'/'snappy'/'lz4'/'none'",
    "kafka.options.COMPRESSIONS",
)
def test_results_are_compressed_as_asked(compression: str) -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service(kafka={"compression_type": compression})
        await service.start(world.callback)
        await world.until(lambda: service.engine.counters.results_uploaded == 1)
        expected = None if compression == "none" else compression
        assert expected == service.producer.options.producer["compression_type"]
        await service.stop()
        (record,) = await world.sent("MODULE-OUTPUT-LOAD_PREDICTION")
        assert {"power": 1.0} == json.loads(record.value)["output"]

    in_world(story)


@states(
    "`retries`: 发送失败后的重试次数，默认3；`max_in_flight_requests_per_connection`……默认5",
    "kafka.options.UNUSED_PRODUCER_KEYS",
    "kafka.async_uploads",
)
def test_results_are_sent_again_for_longer_than_so_many_retries() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service(kafka={"retries": 3, "max_in_flight_requests_per_connection": 5})
        await service.start(world.callback)
        faults = world.broker.simulated.faults  # type: ignore[attr-defined]  # a virtual broker
        with faults.inject("Produce", answer=ErrorCode.NOT_LEADER_OR_FOLLOWER, count=8) as refused:
            await refused.hit()
            await world.until(lambda: service.engine.counters.results_uploaded == 1)
        await service.stop()
        assert 1 == len(await world.sent("MODULE-OUTPUT-LOAD_PREDICTION"))

    in_world(story)
