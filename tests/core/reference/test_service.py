"""What the reference says of the blocking service, on virtual threads."""

import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest

from data_analysis import DataAnalysisService, KafkaConnectionError
from data_analysis import config as default_config
from tests.core.blocking_world import BlockingWorld, in_blocking_world
from tests.core.reference.statements import states
from tests.core.world import CALENDAR, DATA, OUTPUT, small_config

CHAPTER = "DataAnalysisService 类"


@states("同步数据解析服务，适合传统多线程/阻塞模型", "service.DataAnalysisService")
def test_callbacks_that_block_run_side_by_side_for_different_stations() -> None:
    def story(world: BlockingWorld) -> None:
        running: set[str] = set()
        together: list[int] = []

        def blocks(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            running.add(station_id)
            time.sleep(1)
            together.append(len(running))
            return {}

        for station in "ABC":
            world.send(station, 1.0)
        service = world.service()
        service.start(blocks)
        world.until(lambda: service.engine.counters.results_uploaded == 3)
        service.stop()
        assert 3 == together[0]
        assert {0: (0, 3)} == world.ask(world.broker.log_ranges(OUTPUT))

    in_blocking_world(story)


@states(
    "`topics`: 默认为配置文件中所有topic；`kafka_config`: 默认为config.KAFKA_CONFIG",
    "service.DataAnalysisService.topics",
)
def test_topics_and_kafka_are_those_of_the_configuration_unless_given() -> None:
    kafka = {"bootstrap_servers": ["elsewhere:9092"], "group_id": "configured"}
    config = small_config(KAFKA_CONFIG=kafka)
    assert [DATA, CALENDAR] == DataAnalysisService(config=config).topics
    assert [DATA] == DataAnalysisService(config=config, topics=[DATA]).topics
    assert "configured" == DataAnalysisService(config=config).consumer.options.group_id
    given = DataAnalysisService(config=config, kafka_config={**kafka, "group_id": "given"})
    assert "given" == given.consumer.options.group_id
    expected = default_config.KAFKA_CONFIG["consumer"]["group_id"]
    assert expected == DataAnalysisService().consumer.options.group_id


@states(
    "`result_handler`: 结果处理回调函数 `(station_id, result) -> None`，在结果上传Kafka后调用",
    "sync_stations.StationThreads",
)
def test_the_result_handler_is_called_after_the_upload() -> None:
    def story(world: BlockingWorld) -> None:
        handed: list[Any] = []

        def handler(station_id: str, result: Any) -> None:
            handed.append((station_id, result, service.engine.counters.results_uploaded))

        world.send("A", 1.0)
        service = world.service(result_handler=handler)
        service.start(world.callback)
        world.until(lambda: len(handed) == 1)
        service.stop()
        assert [("A", {"power": 1.0}, 1)] == handed

    in_blocking_world(story)


@states("`KafkaConnectionError`: 当Kafka连接失败时抛出", "service.DataAnalysisService.start")
def test_a_kafka_that_cannot_be_reached_is_a_connection_error() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        world.ask(world.broker.stop())
        with pytest.raises(KafkaConnectionError):
            service.start(world.callback)

    in_blocking_world(story)


@states(
    "start：`callback` 回调函数(station_id, module_input)，每个场站数据更新时调用",
    "service.DataAnalysisService.start",
)
def test_the_callback_is_called_at_every_update_of_a_station() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0, 2.0)
        world.send("B", 3.0)
        service = world.service()
        assert None is service.start(world.callback)
        world.until(lambda: len(world.calls) == 3)
        service.stop()
        assert [("A", 1.0), ("A", 2.0)] == [call for call in world.calls if call[0] == "A"]

    in_blocking_world(story)


@pytest.mark.parametrize("background", [True, False])
@states("start：`background` 是否后台线程运行，默认为True", "service.DataAnalysisService.start")
def test_start_returns_at_once_or_when_the_service_has_stopped(background: bool) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        returned = threading.Event()

        def start() -> None:
            service.start(world.callback, background=background)
            returned.set()

        starting = threading.Thread(target=start)
        starting.start()
        world.send("A", 1.0)
        world.until(lambda: len(world.calls) == 1)
        time.sleep(5)
        assert background is returned.is_set()
        service.stop()
        starting.join()
        assert returned.is_set()

    in_blocking_world(story)


@states("stop：停止数据解析服务", "service.DataAnalysisService.stop")
def test_a_stopped_service_calls_no_more() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0)
        service = world.service()
        service.start(world.callback)
        world.until(lambda: len(world.calls) == 1)
        assert None is service.stop()
        world.send("A", 2.0, first_s=15)
        time.sleep(10)
        assert [("A", 1.0)] == world.calls

    in_blocking_world(story)


@states(
    "get_outputs：获取指定场站所有模块的输入结构；返回值 dict，包含所有模块的输入数据",
    "service.DataAnalysisService.get_outputs",
)
def test_outputs_are_the_inputs_of_every_module() -> None:
    def story(world: BlockingWorld) -> None:
        config = small_config(MODULE_DEPENDENCIES={"electricity_price": ["load_prediction"]})
        world.send("A", 5.0)
        service = world.service(config=config)
        service.start(world.callback)
        world.until(lambda: len(world.calls) == 1)
        outputs = service.get_outputs("A")
        assert service.get_all_inputs("A") == outputs
        service.stop()
        assert {"load_prediction", "electricity_price"} == set(outputs)
        assert 5.0 == outputs["load_prediction"]["totalPower"]

    in_blocking_world(story)


@states(
    "reload_config：动态热加载config.py配置（topic、窗口、依赖等），并同步dispatcher",
    "service.DataAnalysisService.reload_config",
)
def test_a_reload_changes_the_dispatcher_of_a_running_service() -> None:
    def story(world: BlockingWorld) -> None:
        config = small_config()
        world.send("A", 1.0, 2.0, 3.0)
        service = world.service(config=config)
        service.start(world.callback)
        world.until(lambda: len(world.calls) == 3)
        config.TOPIC_DETAIL[DATA]["window_size"] = 2
        config.MODULE_DEPENDENCIES["electricity_price"] = ["load_prediction"]
        assert None is service.reload_config()
        outputs = service.get_outputs("A")
        assert [2.0, 3.0] == outputs["load_prediction"]["totalPower_window"]
        assert "electricity_price" in outputs
        points = service.dispatcher.get_topic_window("A", DATA)
        assert [2.0, 3.0] == [point["totalPower"] for point in points]
        service.stop()

    in_blocking_world(story)


@states(
    "get_station_status：返回值 dict {station_id: {'running': bool, 'future': Future}}",
    "service.DataAnalysisService.get_station_status",
)
def test_the_status_of_each_station_has_its_future() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0)
        service = world.service()
        service.start(world.callback)
        world.until(lambda: len(world.calls) == 1)
        status = service.get_station_status()
        assert {"A": {"running": True, "future": status["A"]["future"]}} == status
        assert isinstance(status["A"]["future"], Future)
        service.stop()
        assert [False] == [each["running"] for each in service.get_station_status().values()]

    in_blocking_world(story)


@states(
    "get_service_status：返回值 dict {main_thread_alive, consumer_alive, producer_alive, "
    "station_count}",
    "service.DataAnalysisService.get_service_status",
)
def test_the_status_of_the_service_says_what_is_alive() -> None:
    def story(world: BlockingWorld) -> None:
        alive = ("main_thread_alive", "consumer_alive", "producer_alive")
        world.send("A", 1.0)
        service = world.service()
        assert {**dict.fromkeys(alive, False), "station_count": 0} == service.get_service_status()
        service.start(world.callback)
        world.until(lambda: len(world.calls) == 1)
        assert {**dict.fromkeys(alive, True), "station_count": 1} == service.get_service_status()
        assert (True, True, None) == tuple(
            service.health()[key] for key in ("live", "ready", "reason")
        )
        service.stop()
        assert {**dict.fromkeys(alive, False), "station_count": 1} == service.get_service_status()

    in_blocking_world(story)


@states("`max_workers`：同步服务中线程池的最大线程数，默认值 32", "service.DataAnalysisService")
def test_no_more_callbacks_run_at_a_time_than_there_are_workers() -> None:
    def story(world: BlockingWorld) -> None:
        running: list[str] = []
        most: list[int] = []

        def blocks(station_id: str, module_input: dict[str, Any]) -> None:
            running.append(station_id)
            most.append(len(running))
            time.sleep(1)
            running.remove(station_id)

        for station in "ABCDEFG":
            world.send(station, 1.0)
        assert 32 == world.service().options.max_workers
        service = world.service(max_workers=3)
        service.start(blocks)
        world.until(lambda: service.engine.counters.callbacks_run == 7)
        service.stop()
        assert 3 == max(most)

    in_blocking_world(story)
