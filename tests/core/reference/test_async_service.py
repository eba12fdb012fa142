"""What the reference says of the asynchronous service itself, in virtual time."""

import asyncio
from typing import Any

import pytest

from data_analysis import AsyncDataAnalysisService, KafkaConnectionError
from data_analysis import config as default_config
from tests.core.reference.statements import states
from tests.core.world import CALENDAR, DATA, OUTPUT, World, in_world, small_config

CHAPTER = "AsyncDataAnalysisService 类"


@states(
    "支持多场站并发、窗口补全/插值、依赖聚合、自动上传Kafka",
    "async_stations.StationTasks",
    "async_service.AsyncDataAnalysisService",
)
def test_stations_are_worked_on_side_by_side_and_their_results_are_uploaded() -> None:
    async def story(world: World) -> None:
        running: set[str] = set()
        together: list[set[str]] = []

        async def callback(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            running.add(station_id)
            await asyncio.sleep(1)
            together.append(set(running))
            return {}

        for station in "ABC":
            await world.send(station, 1.0)
        service = world.service()
        await service.start(callback)
        await world.until(lambda: service.engine.counters.results_uploaded == 3)
        await service.stop()
        assert {"A", "B", "C"} == together[0]
        assert {0: (0, 3)} == await world.broker.log_ranges(OUTPUT)

    in_world(story)


@states(
    "`topics` (list, optional): 需要消费的topic列表，默认为配置文件中所有topic",
    "async_service.AsyncDataAnalysisService.topics",
    "settings.Settings.consumed",
)
def test_all_topics_are_consumed_unless_some_are_named() -> None:
    async def story(world: World) -> None:
        assert [DATA, CALENDAR] == world.service().topics
        await world.send_raw(CALENDAR, b'{"calendar": [{"date": "2026-01-01"}]}')
        await world.send("A", 1.0)
        service = world.service(topics=[DATA])
        assert [DATA] == service.topics
        await service.start(world.callback)
        await world.until(lambda: service.engine.counters.records_finished == 1)
        await asyncio.sleep(10)
        assert 1 == service.engine.counters.records_finished
        await service.stop()

    in_world(story)


@states(
    "`kafka_config` (dict, optional): Kafka连接配置，默认为config.KAFKA_CONFIG",
    "async_service.AsyncDataAnalysisService",
)
def test_kafka_settings_are_those_of_the_configuration_unless_given() -> None:
    kafka = {"bootstrap_servers": ["elsewhere:9092"], "group_id": "configured"}
    service = AsyncDataAnalysisService(config=small_config(KAFKA_CONFIG=kafka))
    assert "configured" == service.consumer.options.group_id
    given = {"bootstrap_servers": ["elsewhere:9092"], "group_id": "given"}
    service = AsyncDataAnalysisService(kafka_config=given, config=small_config(KAFKA_CONFIG=kafka))
    assert "given" == service.consumer.options.group_id
    default = AsyncDataAnalysisService()
    expected = default_config.KAFKA_CONFIG["consumer"]["group_id"]
    assert expected == default.consumer.options.group_id


@pytest.mark.parametrize("kind", ["sync", "async"])
@states(
    "`result_handler`: 结果处理回调函数 `async (station_id, result) -> None`，"
    "在结果上传Kafka后调用；可以是同步或异步函数",
    "async_stations.StationTasks",
    "engine.Engine.acknowledged",
)
def test_the_result_handler_is_called_after_the_upload(kind: str) -> None:
    async def story(world: World) -> None:
        handed: list[Any] = []

        def handler(station_id: str, result: Any) -> None:
            handed.append((station_id, result, service.engine.counters.results_uploaded))

        async def later(station_id: str, result: Any) -> None:
            await asyncio.sleep(0)
            handler(station_id, result)

        await world.send("A", 1.0)
        service = world.service(result_handler=later if kind == "async" else handler)
        await service.start(world.callback)
        await world.until(lambda: len(handed) == 1)
        await service.stop()
        assert [("A", {"power": 1.0}, 1)] == handed

    in_world(story)


@states("`KafkaConnectionError`: 当Kafka连接失败时抛出", "kafka.errors.mapped")
def test_a_kafka_that_cannot_be_reached_is_a_connection_error() -> None:
    async def story(world: World) -> None:
        service = world.service()
        await world.broker.stop()
        with pytest.raises(KafkaConnectionError):
            await service.start(world.callback)

    in_world(story)


@states(
    "start：`callback` 回调函数(station_id, module_input)，每个场站数据更新时调用；默认为None",
    "async_service.AsyncDataAnalysisService.start",
)
def test_the_callback_is_called_at_every_update_of_a_station() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        await world.send("B", 3.0)
        service = world.service()
        assert None is await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 3)
        await service.stop()
        assert [("A", 1.0), ("A", 2.0)] == [call for call in world.calls if call[0] == "A"]
        assert [("B", 3.0)] == [call for call in world.calls if call[0] == "B"]

    in_world(story)


@states(
    "start：`callback` ……默认为None",
    "engine.Engine.call",
)
def test_without_a_callback_windows_are_kept() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service()
        await service.start()
        await world.until(lambda: service.engine.counters.records_finished == 1)
        given = await service.get_all_inputs("A")
        assert 1.0 == given["load_prediction"]["totalPower"]
        await service.stop()
        assert {0: (0, 0)} == await world.broker.log_ranges(OUTPUT)

    in_world(story)


@states(
    "start：`result_handler` 单场站结果处理函数，签名 `(station_id, module_input, result)`",
    "async_service.AsyncDataAnalysisService.start",
)
def test_the_handler_of_start_gets_the_input_too() -> None:
    async def story(world: World) -> None:
        handed: list[Any] = []
        await world.send("A", 5.0)
        service = world.service()
        await service.start(
            world.callback,
            result_handler=lambda station_id, given, result: handed.append(
                (station_id, given["totalPower"], result)
            ),
        )
        await world.until(lambda: len(handed) == 1)
        await service.stop()
        assert [("A", 5.0, {"power": 5.0})] == handed

    in_world(story)


@states("stop：停止异步数据解析服务", "async_run.AsyncRun.stop")
def test_a_stopped_service_calls_no_more() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 1)
        assert None is await service.stop()
        await world.send("A", 2.0, first_s=15)
        await asyncio.sleep(10)
        assert [("A", 1.0)] == world.calls
        status = service.get_service_status()
        assert [False, False, False] == [
            status[key] for key in ("main_thread_alive", "consumer_alive", "producer_alive")
        ]

    in_world(story)


@states(
    "get_all_inputs：返回值 dict，格式为 `{module_name: module_input}`",
    "async_service.AsyncDataAnalysisService.get_all_inputs",
)
def test_all_inputs_are_one_for_each_module() -> None:
    async def story(world: World) -> None:
        config = small_config(MODULE_DEPENDENCIES={"electricity_price": ["load_prediction"]})
        await world.send("A", 5.0)
        service = world.service(config=config)
        await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 1)
        inputs = await service.get_all_inputs("A")
        assert inputs == await service.get_outputs("A")
        await service.stop()
        assert {"load_prediction", "electricity_price"} == set(inputs)
        assert ("A", 5.0) == (
            inputs["load_prediction"]["stationId"],
            inputs["load_prediction"]["totalPower"],
        )

    in_world(story)


@states(
    "add_station：动态添加场站异步任务",
    "async_service.AsyncDataAnalysisService.add_station",
)
def test_an_added_station_has_a_callback_of_its_own() -> None:
    async def story(world: World) -> None:
        own: list[Any] = []
        service = world.service()
        await service.start(world.callback)
        await service.add_station("B", lambda station_id, given: own.append(station_id))
        assert ["B"] == list(service.get_station_status())
        await world.send("A", 1.0)
        await world.send("B", 2.0)
        await world.until(lambda: service.engine.counters.records_finished == 2)
        await service.stop()
        assert (["B"], [("A", 1.0)]) == (own, world.calls)

    in_world(story)


@states(
    "remove_station：动态移除场站异步任务",
    "async_service.AsyncDataAnalysisService.remove_station",
)
def test_a_removed_station_is_forgotten_and_not_called() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 1)
        await service.remove_station("A")
        assert {} == service.get_station_status()
        await world.send("A", 2.0, first_s=15)
        await world.until(lambda: service.engine.counters.records_finished == 2)
        await service.stop()
        assert [("A", 1.0)] == world.calls

    in_world(story)


@states(
    "get_station_status：返回值 dict {station_id: {'running': bool, 'task': asyncio.Task}}",
    "async_service.AsyncDataAnalysisService.get_station_status",
)
def test_the_status_of_each_station_has_its_task() -> None:
    async def story(world: World) -> None:
        ends = asyncio.Event()

        async def waits(station_id: str, module_input: dict[str, Any]) -> None:
            await ends.wait()

        await world.send("A", 1.0)
        service = world.service()
        await service.start(waits)
        await world.until(lambda: bool(service.get_station_status()))
        await world.until(lambda: service.get_station_status()["A"]["task"] is not None)
        status = service.get_station_status()
        assert {"A": {"running": True, "task": status["A"]["task"]}} == status
        assert isinstance(status["A"]["task"], asyncio.Task)
        ends.set()
        await service.stop()
        assert [False] == [each["running"] for each in service.get_station_status().values()]

    in_world(story)
