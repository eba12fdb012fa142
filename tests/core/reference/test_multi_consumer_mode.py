"""What the reference says of multi_consumer_mode and of polls that bring nothing."""

import asyncio
import logging
import threading
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from kafka import KafkaConsumer

from data_analysis import (
    AsyncDataAnalysisService,
    AsyncKafkaConsumerClient,
    DataAnalysisService,
)
from data_analysis.empty_polls import EmptyPollCause, TopicFacts, explain_empty_poll
from data_analysis.kafka.options import read_kafka_options
from tests.core.blocking_world import BlockingWorld, in_blocking_world
from tests.core.reference.statements import states
from tests.core.world import CALENDAR, DATA, World, in_world, small_config

CHAPTER = "多消费者模式 (multi_consumer_mode)"

MULTI = {"multi_consumer_mode": True}


def lag_of(service: AsyncDataAnalysisService | DataAnalysisService, topic: str) -> int | None:
    """The lag of a topic's one partition, None while it is not known."""
    found = service.consumer.get_lag_info()[topic].get(0)
    return None if found is None else found["lag"]


@states(
    "为每个 topic 创建独立 `AIOKafkaConsumer`",
    "kafka.async_consumers.AsyncKafkaConsumerClient",
    "kafka.consumer.KafkaConsumerClient",
)
def test_every_topic_has_a_consumer() -> None:
    async def story(world: World) -> None:
        service = world.service(kafka=MULTI)
        await service.start(world.callback)
        consumers = service.consumer.get_consumer()
        assert [DATA, CALENDAR] == list(consumers)
        assert all(isinstance(each, AIOKafkaConsumer) for each in consumers.values())
        assert [{DATA}, {CALENDAR}] == [each.subscription() for each in consumers.values()]
        await service.stop()

    def blocking(world: BlockingWorld) -> None:
        service = world.service(kafka=MULTI)
        service.start(world.callback)
        consumers = service.consumer.get_consumer()
        assert [DATA, CALENDAR] == list(consumers)
        assert all(isinstance(each, KafkaConsumer) for each in consumers.values())
        assert [{DATA}, {CALENDAR}] == [each.subscription() for each in consumers.values()]
        service.stop()

    in_world(story)
    in_blocking_world(blocking)


@states(
    "每个消费者拥有独立的 `max_poll_records` 配额，避免高频 topic 吞噬全部拉取额度",
    "kafka.async_consumers.AsyncKafkaConsumerClient.getmany",
)
def test_a_busy_topic_takes_nothing_of_a_quiet_one_s_quota() -> None:
    async def story(world: World) -> None:
        await world.send("A", *map(float, range(100)))
        for _ in range(2):
            await world.send_raw(CALENDAR, b'{"calendar": []}')
        config = {
            "bootstrap_servers": [world.broker.bootstrap],
            "group_id": "quotas",
            "auto_offset_reset": "earliest",
        }
        found: dict[bool, dict[str, int]] = {}
        for mode in (True, False):
            client = AsyncKafkaConsumerClient(
                [DATA, CALENDAR], {**config, "multi_consumer_mode": mode}
            )
            await client.start()
            await asyncio.sleep(1)
            polled = await client.getmany(timeout_ms=1000, max_records=2)
            found[mode] = {tp.topic: len(records) for tp, records in polled.items()}
            await client.stop()
        assert {DATA: 2, CALENDAR: 2} == found[True]
        assert 2 == sum(found[False].values()), "one quota for all"

    in_world(story)


@states(
    "只有一个 topic 时自动降级成单消费者模式",
    "kafka.options.KafkaOptions.one_per_topic",
)
def test_one_topic_has_the_one_consumer() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service(kafka=MULTI, topics=[DATA])
        await service.start(world.callback)
        assert isinstance(service.consumer.get_consumer(), AIOKafkaConsumer)
        await world.until(lambda: world.calls == [("A", 1.0)])
        await service.stop()
        assert 1 == await world.committed()

    in_world(story)


@states(
    "开启 `DEBUG` 日志可看到 `多消费者拉取统计 [topic:count,...]`",
    "poll_counts.PollCounts",
)
def test_counts_are_in_the_debug_log(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        service = world.service(kafka=MULTI)
        await service.start(world.callback)
        await asyncio.sleep(7)
        await service.stop()

    with caplog.at_level(logging.DEBUG, "data_analysis"):
        in_world(story)
    assert f"多消费者拉取统计 [{DATA}:2,{CALENDAR}:0]" in caplog.messages


@states(
    "运行时可调用 `service.consumer.get_lag_info()` 查看每个 topic 的滞后情况",
    "kafka.async_consumers.AsyncKafkaConsumerClient.get_lag_info",
    "kafka.consumer.KafkaConsumerClient.get_lag_info",
)
def test_lag_is_shown_by_topic() -> None:
    async def story(world: World) -> None:
        ends = asyncio.Event()

        async def waits(station_id: str, module_input: dict[str, Any]) -> None:
            await ends.wait()

        await world.send("A", 1.0, 2.0, 3.0)
        service = world.service(kafka=MULTI)
        await service.start(waits)
        await world.until(lambda: lag_of(service, DATA) == 3)
        await world.until(lambda: lag_of(service, CALENDAR) == 0)
        ends.set()
        await world.until(lambda: lag_of(service, DATA) == 0)
        await service.stop()

    def blocking(world: BlockingWorld) -> None:
        ends = threading.Event()
        world.send("A", 1.0, 2.0, 3.0)
        service = world.service(kafka=MULTI)
        service.start(lambda station_id, module_input: ends.wait())
        world.until(lambda: lag_of(service, DATA) == 3)
        world.until(lambda: lag_of(service, CALENDAR) == 0)
        ends.set()
        world.until(lambda: lag_of(service, DATA) == 0)
        service.stop()

    in_world(story)
    in_blocking_world(blocking)


def facts(**known: Any) -> TopicFacts:
    given: dict[str, Any] = {
        "topic": DATA,
        "assigned": [0],
        "searching": [],
        "refused": [],
        "paused": [],
        "poll_error": None,
        "unread": 0,
        "unread_seconds": 0.0,
        "since_record_seconds": None,
        "fetch_max_wait_ms": 500,
        "fetch_min_bytes": 1,
    }
    return TopicFacts(**{**given, **known})


@states(
    "若某 topic 长期显示 0 条，优先确认是否确有新消息",
    "empty_polls.explain_empty_poll",
)
def test_that_there_are_no_new_messages_is_said() -> None:
    found = explain_empty_poll(facts(since_record_seconds=1000.0))
    assert EmptyPollCause.NO_NEW_MESSAGES is found.cause
    assert found.harmless


@states(
    "调整 `timeout_ms`（例如 3000-5000ms）与 `fetch_max_wait_ms`"
    "（若配置成 500ms 会导致 broker 过快返回空批次）",
    "empty_polls.explain_empty_poll",
)
def test_a_short_wait_of_fetches_is_named_with_what_to_set() -> None:
    found = explain_empty_poll(facts(since_record_seconds=15.0))
    assert EmptyPollCause.FETCH_MAX_WAIT_MS is found.cause
    assert "fetch_max_wait_ms=500" in found.text
    assert "3000 to 5000" in found.text
    patient = facts(since_record_seconds=3.0, fetch_max_wait_ms=5000)
    assert EmptyPollCause.FETCH_MAX_WAIT_MS is not explain_empty_poll(patient).cause


@states(
    "检查 `fetch_min_bytes`，对低频 topic 可提升到 1024 以减少空返回",
    "kafka.options.CONSUMER_KEYS",
    "empty_polls.explain_empty_poll",
)
def test_fetch_min_bytes_reaches_the_client_and_is_named_where_records_wait_for_it() -> None:
    options = read_kafka_options({"bootstrap_servers": ["kafka:9092"], "fetch_min_bytes": 1024})
    assert 1024 == options.consumer["fetch_min_bytes"]
    waits = facts(unread=2, unread_seconds=0.1, fetch_min_bytes=1024)
    assert EmptyPollCause.FETCH_MIN_BYTES is explain_empty_poll(waits).cause


@states(
    "通过 `kafka-consumer-groups.sh --describe` ……对比 LAG，确认是否真的积压",
    "empty_polls.explain_empty_poll",
)
def test_a_backlog_is_named_with_what_to_compare() -> None:
    found = explain_empty_poll(facts(unread=500, unread_seconds=30.0))
    assert (EmptyPollCause.BACKLOG, False) == (found.cause, found.harmless)
    assert "kafka-consumer-groups.sh --describe" in found.text


@states(
    "topic 数量 = 消费者数量；如资源紧张，"
    "可将 `multi_consumer_mode` 置 `False` 暂时回退单消费者模式",
    "kafka.options.KafkaOptions",
)
def test_the_mode_decides_how_many_consumers_there_are() -> None:
    async def story(world: World) -> None:
        many = world.service(kafka=MULTI, config=small_config())
        one = world.service(kafka={"multi_consumer_mode": False}, config=small_config())
        assert (2, 1) == (len(many.consumer.members), len(one.consumer.members))

    in_world(story)
