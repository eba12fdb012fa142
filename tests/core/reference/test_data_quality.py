"""What the reference says of `_data_quality`."""

import asyncio
from typing import Any

import pytest

from data_analysis import DataDispatcher
from tests.core.reference.statements import states
from tests.core.reference.test_dispatcher import SetClock
from tests.core.world import CALENDAR, DATA, World, in_world, small_config

CHAPTER = "数据可用性元信息"


def eight_topics() -> DataDispatcher:
    detail = {
        f"T{number}": {"fields": [f"f{number}"], "modules": ["m"], "window_size": 2}
        for number in range(8)
    }
    return DataDispatcher(60, config=small_config(TOPIC_DETAIL=detail), clock=SetClock())


@states(
    "`dispatcher.get_all_inputs()` 在每个模块输入中注入 `_data_quality` 字段："
    "`available_topics`、`missing_topics`、`total_topics`、`availability_ratio`",
    "inputs.ModulePlan.assemble",
)
def test_every_input_says_which_topics_are_there() -> None:
    held = eight_topics()
    for number in range(7):
        held.update_topic_data("A", f"T{number}", {f"f{number}": 1})
    assert {
        "m": {
            "available_topics": [f"T{number}" for number in range(7)],
            "missing_topics": ["T7"],
            "total_topics": 8,
            "availability_ratio": 0.875,
        }
    } == {module: given["_data_quality"] for module, given in held.get_all_inputs("A").items()}


@states(
    "只要窗口中存在数据即视为可用，不对“数据新鲜度”做额外约束",
    "inputs.ModulePlan.assemble",
)
def test_old_data_is_available_as_long_as_it_is_held() -> None:
    config = small_config()
    config.TOPIC_DETAIL[DATA]["expire_seconds"] = None
    clock = SetClock()
    held = DataDispatcher(config=config, clock=clock)
    held.update_topic_data("A", DATA, {"totalPower": 1.0}, timestamp=1.0)
    clock.now += 365 * 86400
    quality = held.get_module_input("A", "load_prediction")["_data_quality"]
    assert ([DATA], [CALENDAR], 0.5) == (
        quality["available_topics"],
        quality["missing_topics"],
        quality["availability_ratio"],
    )


@states(
    "在 `result_handler` 中上报监控指标，如 `missing_topics` 数量；"
    "关键 topic 缺失时直接跳过处理或使用降级算法",
    "async_service.AsyncDataAnalysisService.start",
)
def test_callbacks_and_result_handlers_see_the_quality() -> None:
    async def story(world: World) -> None:
        seen: list[Any] = []
        await world.send("A", 1.0)
        service = world.service()
        await service.start(
            lambda station_id, given: {"ratio": given["_data_quality"]["availability_ratio"]},
            result_handler=lambda station_id, given, result: seen.append(
                (given["_data_quality"]["missing_topics"], result)
            ),
        )
        await world.until(lambda: len(seen) == 1)
        await service.stop()
        assert [([CALENDAR], {"ratio": 0.5})] == seen

    in_world(story)


@pytest.mark.parametrize(("expire_seconds", "missing"), [(60.0, [DATA]), (35 * 86400.0, [])])
@states(
    "确保 `data_expire_seconds` 与慢速 topic 周期匹配，以免缓存过期导致误判为缺失",
    "dispatcher.DataDispatcher",
)
def test_what_has_expired_is_missing(expire_seconds: float, missing: list[str]) -> None:
    clock = SetClock()
    held = DataDispatcher(expire_seconds, config=small_config(), clock=clock)
    held.update_topic_data("A", DATA, {"totalPower": 1.0})
    held.update_topic_data("A", CALENDAR, {"calendar": [{"date": "2026-01-01"}]})
    clock.now += 30 * 86400
    quality = held.get_module_input("A", "load_prediction")["_data_quality"]
    assert missing == quality["missing_topics"]


@states("适用于事件驱动+缓存复用模式", "inputs.ModulePlan.assemble")
def test_data_that_came_once_is_available_at_every_later_event() -> None:
    async def story(world: World) -> None:
        missing: list[Any] = []
        await world.send_raw(CALENDAR, b'{"calendar": [{"date": "2026-01-01"}]}')
        service = world.service()
        await service.start(
            lambda station_id, given: missing.append(given["_data_quality"]["missing_topics"])
        )
        for power in (1.0, 2.0):
            await asyncio.sleep(100)
            await world.send("A", power, first_s=int(power) * 15)
        await world.until(lambda: len(missing) == 2)
        await service.stop()
        assert [[], []] == missing

    in_world(story)
