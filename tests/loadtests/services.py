"""Services and models for load runs, as `station-lab load --service --callback` takes them.

`PlainService` uses aiokafka alone, so that these runs measure the load command and not the library.
"""

import asyncio
import json
import os
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from station_load.service import Callback

LOSSY_EVERY = 10


class PlainService:
    """Reads the input topic, calls back for each record, uploads what came back."""

    def __init__(
        self, *, module_name: str, kafka_config: dict[str, Any], config: Any, **_: Any
    ) -> None:
        bootstrap = kafka_config["bootstrap_servers"]
        self._output_topic = f"MODULE-OUTPUT-{module_name.upper()}"
        self._consumer: Any = AIOKafkaConsumer(
            *config.TOPIC_DETAIL,
            bootstrap_servers=bootstrap,
            group_id=kafka_config["consumer"]["group_id"],
            auto_offset_reset=kafka_config["consumer"]["auto_offset_reset"],
        )
        self._producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap)
        self._task: asyncio.Task[None] | None = None

    async def start(self, callback: Callback) -> None:
        """Join the group and begin."""
        await self._producer.start()
        await self._consumer.start()
        self._task = asyncio.create_task(self._work(callback))

    async def stop(self) -> None:
        """End, with everything closed."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._consumer.stop()
        await self._producer.stop()

    async def _work(self, callback: Callback) -> None:
        async for record in self._consumer:
            await self._handle(json.loads(record.value), callback)

    async def _handle(self, reading: dict[str, Any], callback: Callback) -> None:
        station = reading["stationId"]
        result = {"station_id": station, "output": callback(station, reading)}
        value = json.dumps(result).encode()
        await self._producer.send(self._output_topic, value, key=station.encode())


class LossyService(PlainService):
    """Swallows one record in ten."""

    async def _handle(self, reading: dict[str, Any], callback: Callback) -> None:
        if reading["loadSeq"] % LOSSY_EVERY != 0:
            await super()._handle(reading, callback)


class DoublingService(PlainService):
    """Uploads every result twice."""

    async def _handle(self, reading: dict[str, Any], callback: Callback) -> None:
        await super()._handle(reading, callback)
        await super()._handle(reading, callback)


class DyingService(PlainService):
    """Ends its process at the third record of a station."""

    async def _handle(self, reading: dict[str, Any], callback: Callback) -> None:
        if reading["loadSeq"] == 2:
            print("the model is out of memory", flush=True)
            os._exit(7)
        await super()._handle(reading, callback)


def failing(**options: Any) -> PlainService:
    """A factory that cannot make its service."""
    raise RuntimeError("the model file\nis missing")


def power(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
    """A model that needs no windows."""
    return {"stationId": station_id, "totalPower": module_input["totalPower"]}


async def power_later(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
    """The same, as a coroutine."""
    return power(station_id, module_input)


NO_FUNCTION = 7
