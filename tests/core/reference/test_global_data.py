"""What the reference says of data for all stations and of how stations begin."""

import json
from typing import Any

from tests.core.reference.statements import states
from tests.core.world import CALENDAR, World, in_world

CHAPTER = "全局数据缓存与站点初始化顺序"


async def holiday(world: World, date: str) -> None:
    value = {"calendar": [{"date": date, "isHoliday": 1}]}
    await world.send_raw(CALENDAR, json.dumps(value).encode())


@states(
    "所有 `stationId` 为空、判定为全局的数据会被写入 `_global_data_cache`，"
    "无论此时是否已有场站注册；缓存只保留最新一份",
    "async_service.AsyncDataAnalysisService._global_data_cache",
    "dispatcher.DataDispatcher.keep_for_everyone",
)
def test_data_for_everyone_is_cached_although_there_is_no_station() -> None:
    async def story(world: World) -> None:
        service = world.service()
        await service.start(world.callback)
        assert {} == service._global_data_cache
        for count, date in enumerate(("2026-01-01", "2026-01-02"), 1):
            await holiday(world, date)
            await world.until(lambda count=count: service.engine.counters.records_finished == count)
        assert [] == service.dispatcher.station_ids()
        assert [CALENDAR] == list(service._global_data_cache)
        assert "2026-01-02" in str(service._global_data_cache)
        assert "2026-01-01" not in str(service._global_data_cache)
        await service.stop()

    in_world(story)


@states(
    "若已有场站，收到全局数据后立即为所有活跃场站调用 `dispatcher.update_topic_data` "
    "并触发各自的数据事件",
    "engine.Engine.received",
)
def test_known_stations_get_it_at_once_and_are_called() -> None:
    async def story(world: World) -> None:
        seen: list[tuple[str, Any]] = []
        await world.send("A", 1.0)
        await world.send("B", 1.0)
        service = world.service()
        await service.start(lambda station_id, given: seen.append((station_id, given["date"])))
        await world.until(lambda: len(seen) == 2)
        await holiday(world, "2026-01-01")
        await world.until(lambda: len(seen) == 4)
        await service.stop()
        dates = dict(seen[2:])
        assert {"A", "B"} == set(dates)
        assert all("2026-01-01" in str(date) for date in dates.values())

    in_world(story)


@states(
    "新场站注册时，会在创建 worker 之前应用缓存中的所有全局数据，"
    "避免 worker 在首轮运行时读到不完整输入",
    "dispatcher.DataDispatcher.ensure_station",
)
def test_a_new_station_has_it_in_its_first_input() -> None:
    async def story(world: World) -> None:
        first: dict[str, Any] = {}
        await holiday(world, "2026-01-01")
        service = world.service()
        await service.start(lambda station_id, given: first.setdefault(station_id, given))
        await world.until(lambda: service.engine.counters.records_finished == 1)
        await world.send("A", 1.0)
        await world.until(lambda: "A" in first)
        await service.stop()
        assert "2026-01-01" in str(first["A"]["date"])
        assert [] == first["A"]["_data_quality"]["missing_topics"]

    in_world(story)
