"""What the reference says of callbacks, shown with the asynchronous service in virtual time."""

import asyncio
import json
from typing import Any

import pytest

from tests.core.reference.statements import states
from tests.core.world import OUTPUT, World, in_world, small_config

CHAPTER = "回调函数规范"


@states(
    "同步回调函数 `def my_callback(station_id, module_input)`：返回值会自动上传到Kafka",
    "async_stations.StationTasks",
    "engine.Engine.finished",
)
def test_what_a_function_returns_is_uploaded() -> None:
    async def story(world: World) -> None:
        def my_callback(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            return {"twice": 2 * module_input["totalPower"]}

        await world.send("A", 21.0)
        service = world.service()
        await service.start(my_callback)
        await world.until(lambda: service.engine.counters.results_uploaded == 1)
        await service.stop()
        (record,) = await world.sent(OUTPUT)
        assert ("A", {"twice": 42.0}) == _uploaded(record)

    in_world(story)


@states(
    "异步回调函数 `async def my_callback(station_id, module_input)`：返回值会自动上传到Kafka",
    "async_stations.StationTasks",
    "engine.Engine.finished",
)
def test_what_a_coroutine_function_returns_is_uploaded() -> None:
    async def story(world: World) -> None:
        async def my_callback(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(1)
            return {"twice": 2 * module_input["totalPower"]}

        await world.send("A", 21.0)
        service = world.service()
        await service.start(my_callback)
        await world.until(lambda: service.engine.counters.results_uploaded == 1)
        await service.stop()
        (record,) = await world.sent(OUTPUT)
        assert ("A", {"twice": 42.0}) == _uploaded(record)

    in_world(story)


@states("`station_id` (str): 场站ID", "messages.read_message")
def test_the_station_id_is_a_string_although_the_wire_has_a_number() -> None:
    async def story(world: World) -> None:
        called: list[Any] = []
        for station in (1881540927845654529, "CN00000001"):
            value = {"stationId": station, "totalPower": 1.0}
            await world.send_raw("REAL-STATION-DATA", json.dumps(value).encode())
        service = world.service()
        await service.start(lambda station_id, module_input: called.append(station_id))
        await world.until(lambda: len(called) == 2)
        await service.stop()
        assert ["1881540927845654529", "CN00000001"] == called

    in_world(story)


@states(
    "`module_input` (dict): 该场站当前模块所需输入数据，包含所有依赖数据"
    "（含窗口补全/插值、依赖聚合）",
    "inputs.ModulePlan.assemble",
)
def test_the_input_has_the_station_s_windows_and_those_of_its_dependencies() -> None:
    async def story(world: World) -> None:
        seen: list[dict[str, Any]] = []
        config = small_config(MODULE_DEPENDENCIES={"load_prediction": ["pv_prediction"]})
        await world.send("A", 1.0, 2.0)
        service = world.service(config=config)
        await service.start(lambda station_id, module_input: seen.append(module_input))
        await world.until(lambda: len(seen) == 2)
        await service.stop()
        newest = seen[-1]
        assert dict is type(newest)
        assert ("A", 2.0) == (newest["stationId"], newest["totalPower"])
        assert [None, None, 1.0, 2.0] == newest["totalPower_window"]
        assert {"date", "isHoliday", "pv_prediction_output_window"} <= set(newest)

    in_world(story)


@pytest.mark.parametrize("kind", ["sync", "async"])
@states("如果返回None，则使用module_input作为上传内容", "engine.Engine.finished")
def test_where_none_is_returned_the_input_is_uploaded(kind: str) -> None:
    async def story(world: World) -> None:
        async def nothing(station_id: str, module_input: dict[str, Any]) -> None:
            return None

        await world.send("A", 7.0)
        service = world.service()
        await service.start(nothing if kind == "async" else lambda station_id, given: None)
        await world.until(lambda: service.engine.counters.results_uploaded == 1)
        await service.stop()
        (record,) = await world.sent(OUTPUT)
        station, output = _uploaded(record)
        assert ("A", 7.0, [None, None, None, 7.0]) == (
            station,
            output["totalPower"],
            output["totalPower_window"],
        )

    in_world(story)


@states("如需耗时操作，建议使用异步回调", "async_stations.StationTasks.run")
def test_a_coroutine_that_takes_long_holds_up_no_other_station() -> None:
    async def story(world: World) -> None:
        answered: list[str] = []

        async def slow_for_a(station_id: str, module_input: dict[str, Any]) -> None:
            await asyncio.sleep(60 if station_id == "A" else 0)
            answered.append(station_id)

        await world.send("A", 1.0)
        await world.send("B", 1.0, 2.0)
        service = world.service()
        await service.start(slow_for_a)
        await world.until(lambda: len(answered) == 3, within_s=100.0)
        await service.stop()
        assert ["B", "B", "A"] == answered

    in_world(story)


@states(
    "回调函数应尽量保持轻量，避免耗时操作",
    "async_stations.StationTasks",
)
def test_a_function_that_holds_the_loop_is_named_in_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Watch:
        """A clock whose intervals are set by hand: computing takes no virtual time."""

        now = 0.0

        def time(self) -> float:
            return 0.0

        def monotonic(self) -> float:
            return self.now

    async def story(world: World) -> None:
        watch = Watch()

        def heavy(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            watch.now += 3.5
            return {}

        await world.send("A", 1.0)
        service = world.service(clock=watch)
        await service.start(heavy)
        await world.until(lambda: service.engine.counters.callbacks_run == 1)
        await service.stop()

    in_world(story)
    assert "the callback of station A held the event loop for 3.5 s" in caplog.text


@pytest.mark.parametrize("kind", ["sync", "async"])
@states(
    "回调函数中的错误会被系统捕获并记录，不会影响整体服务运行",
    "engine.Engine.failed",
    "reports.note_failed",
)
def test_errors_are_caught_and_logged_and_the_service_goes_on(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
        if module_input["totalPower"] == 1.0:
            raise ZeroDivisionError("no guns")
        return {"power": module_input["totalPower"]}

    async def fails_later(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(1)
        return fails(station_id, module_input)

    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        await world.send("B", 3.0)
        service = world.service()
        await service.start(fails if kind == "sync" else fails_later)
        await world.until(lambda: service.engine.counters.records_finished == 3)
        assert 1 == service.engine.counters.callback_errors
        assert service.get_service_status()["main_thread_alive"]
        await service.stop()
        outputs = sorted(
            json.loads(each.value)["output"]["power"] for each in await world.sent(OUTPUT)
        )
        assert [2.0, 3.0] == outputs
        assert 3 == await world.committed()

    in_world(story)
    assert "callback failed for station A" in caplog.text
    assert "ZeroDivisionError: no guns" in caplog.text


def _uploaded(record: Any) -> tuple[str, Any]:
    value = json.loads(record.value)
    return value["station_id"], value["output"]
