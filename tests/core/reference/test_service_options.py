"""What the reference says of service parameters and of performance."""

import asyncio
import json
import threading
import time
from inspect import signature
from typing import Any

import pytest

from data_analysis import AsyncDataAnalysisService, DataDispatcher
from data_analysis.kafka.options import read_kafka_options
from station_sim.brokers import TopicSpec
from tests.core.reference.statements import states
from tests.core.reference.test_dispatcher import SetClock
from tests.core.world import DATA, World, in_world, small_config

CHAPTER = "服务配置参数、性能相关配置"


@states(
    "`data_expire_seconds`：默认值 600 (10分钟)；数据在内存中保存的时间，超时后自动清理",
    "dispatcher.DataDispatcher.expire",
    "engine.Engine.ticked",
)
def test_a_service_cleans_up_by_itself() -> None:
    assert 600 == signature(AsyncDataAnalysisService).parameters["data_expire_seconds"].default

    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service(data_expire_seconds=100)
        await service.start(world.callback)
        await world.until(lambda: service.dispatcher.station_ids() == ["A"])
        await asyncio.sleep(90)
        assert ["A"] == service.dispatcher.station_ids()
        await world.until(lambda: service.dispatcher.station_ids() == [], within_s=120.0)
        await service.stop()

    in_world(story)


@states(
    '`output_topic_prefix`：默认值 "MODULE-OUTPUT-"；完整topic为"前缀+模块名大写"',
    "options.ServiceOptions.output_topic",
)
def test_results_go_to_the_prefix_and_the_module_in_upper_case() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec("OURS-LOAD_PREDICTION", partitions=1))
        await world.send("A", 1.0)
        for number, options in enumerate(({}, {"output_topic_prefix": "OURS-"})):
            service = world.service(kafka={"group_id": f"g{number}"}, **options)
            await service.start(world.callback)
            await world.until(lambda service=service: service.engine.counters.results_uploaded == 1)
            await service.stop()
        for topic in ("MODULE-OUTPUT-LOAD_PREDICTION", "OURS-LOAD_PREDICTION"):
            (record,) = await world.sent(topic)
            assert ("A", {"power": 1.0}) == (
                json.loads(record.value)["station_id"],
                json.loads(record.value)["output"],
            )

    in_world(story)


@states("窗口不足时自动填充 None", "padding.pad")
def test_short_windows_are_filled_with_none() -> None:
    held = DataDispatcher(config=small_config(), clock=SetClock())
    held.update_topic_data("A", DATA, {"totalPower": 1.0})
    shown = held.get_module_input("A", "load_prediction")
    assert [None, None, None, 1.0] == shown["totalPower_window"]


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("zero", [0, 0, 1.0, 3.0]),
        ("forward", [1.0, 1.0, 1.0, 3.0]),
        ("linear", [1.0, pytest.approx(5 / 3), pytest.approx(7 / 3), 3.0]),
    ],
)
@states(
    "未来版本可能支持：'zero'（补零）、'linear'（线性插值）、'forward'（前向填充）等策略",
    "padding.pad",
)
def test_other_paddings_can_be_asked_for(padding: str, expected: list[Any]) -> None:
    held = DataDispatcher(config=small_config(), clock=SetClock(), padding=padding)
    for power in (1.0, 3.0):
        held.update_topic_data("A", DATA, {"totalPower": power})
    assert expected == held.get_module_input("A", "load_prediction")["totalPower_window"]


@states("`max_workers`：默认值 32", "async_service.AsyncDataAnalysisService")
def test_there_are_32_workers_unless_others_are_asked_for() -> None:
    assert 32 == AsyncDataAnalysisService().options.max_workers
    assert 5 == AsyncDataAnalysisService(max_workers=5).options.max_workers


@states(
    "线程池的最大线程数，应根据实际场站规模调整",
    "async_threads.CallbackThreads",
)
def test_no_more_callbacks_block_at_a_time_than_there_are_workers() -> None:
    most = 0
    running = 0
    lock = threading.Lock()

    def blocks(station_id: str, module_input: dict[str, Any]) -> None:
        nonlocal most, running
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(1)
        with lock:
            running -= 1

    async def story(world: World) -> None:
        for station in "ABCDEFG":
            await world.send(station, 1.0)
        service = world.service(run_callbacks_in="threads", max_workers=3)
        await service.start(blocks)
        await world.until(lambda: service.engine.counters.callbacks_run == 7)
        await service.stop()

    in_world(story)
    assert 3 == most


@states(
    "Kafka批处理大小：配置在Kafka客户端中，根据数据量调整",
    "kafka.options.read_kafka_options",
)
def test_batch_sizes_are_those_of_the_clients() -> None:
    options = read_kafka_options(
        {"bootstrap_servers": ["kafka:9092"], "batch_size": 200_000, "max_poll_records": 50}
    )
    assert (200_000, 50) == (options.producer["max_batch_size"], options.max_poll_records)
