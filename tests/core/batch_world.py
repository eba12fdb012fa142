"""A world for tests of batches: the hourly topic, a callback, a handler that notes what it gets."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from data_analysis import AsyncDataAnalysisService
from station_sim.brokers import TopicSpec
from tests.core.world import GROUP, World, in_world, small_config

HOURLY = "SCHEDULE-STATION-REALTIME-DATA"
SIX = "2023-11-15 06:00:00"
SIX_ID = f"{HOURLY}_1699999200"
SEVEN_ID = f"{HOURLY}_1700002800"

Results = list[dict[str, Any]]


def batch_config() -> Any:
    """The small configuration with the hourly topic."""
    config = small_config()
    config.TOPIC_DETAIL[HOURLY] = {
        "fields": ["stationId", "sendTime", "hostCode"],
        "modules": ["load_prediction"],
        "window_size": 3,
    }
    return config


class BatchWorld:
    """A world with the hourly topic, and a batch handler that notes what it gets."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.uploads: list[tuple[float, str, Results]] = []
        self.began = 0.0
        self.delays: dict[str, float] = {}
        self.config = batch_config()

    async def service(self, **options: Any) -> AsyncDataAnalysisService:
        """A service that has started; options of `start` are among them."""
        started = {"callback": self.callback, "batch_upload_handler": self.upload}
        for name in ("callback", "batch_upload_handler", "result_handler"):
            if name in options:
                started[name] = options.pop(name)
        service = self.world.service(config=self.config, **options)
        await service.start(**started)
        self.began = asyncio.get_running_loop().time()
        return service

    async def callback(self, station_id: str, module_input: dict[str, Any]) -> Any:
        """Answer after the station's delay; C has no result, X fails."""
        await asyncio.sleep(self.delays.get(station_id, 0.0))
        if station_id == "C":
            return None
        if station_id == "X":
            raise ValueError("no model")
        hours = module_input["sendTime"]
        return {"hour": hours[-1] if isinstance(hours, list) else hours}

    def upload(self, batch_id: str, results: Results) -> None:
        """Note when, what."""
        passed = asyncio.get_running_loop().time() - self.began
        self.uploads.append((round(passed), batch_id, results))

    async def push(self, stations: str, send_time: str | None = SIX, **more: str) -> None:
        """Send one record for these stations, one letter each."""
        items = [{"stationId": station, "sendTime": send_time, **more} for station in stations]
        await self.push_raw({"realTimeData": items})

    async def push_raw(self, value: Any) -> None:
        """Send one record."""
        await self.world.send_raw(HOURLY, json.dumps(value).encode())

    async def committed(self) -> int:
        """The committed offset of the hourly topic."""
        return int((await self.world.broker.committed(GROUP))[(HOURLY, 0)].offset)

    async def finished(self, service: AsyncDataAnalysisService, records: int) -> None:
        """Wait until so many records are done."""
        counters = service.engine.counters
        await self.world.until(lambda: counters.records_finished == records)

    def stations(self) -> list[tuple[str, list[str]]]:
        """Who is in each batch."""
        return [
            (batch_id, [each["station_id"] for each in results])
            for _, batch_id, results in self.uploads
        ]


def in_batch_world(story: Callable[[BatchWorld], Awaitable[None]]) -> None:
    """Run a story in virtual time."""

    async def main(world: World) -> None:
        keep = {"retention.ms": "-1"}
        await world.broker.make_topics(TopicSpec(HOURLY, partitions=1, config=keep))
        await story(BatchWorld(world))

    in_world(main)
