"""Services for load runs, made by factories as `station-lab load --service` takes them.

`PlainService` uses aiokafka alone, so that these runs measure the load command and not the library.
"""

import asyncio
import json
import os
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from station_load.service import Callback, ServiceSetup

LOSSY_EVERY = 10


class PlainService:
    """Reads the input topic, calls back for each record, uploads what came back."""

    def __init__(self, setup: ServiceSetup) -> None:
        self._setup = setup
        self._consumer: Any = AIOKafkaConsumer(
            setup.input_topic,
            bootstrap_servers=setup.bootstrap,
            group_id=setup.group_id,
            auto_offset_reset=setup.auto_offset_reset,
        )
        self._producer: Any = AIOKafkaProducer(bootstrap_servers=setup.bootstrap)
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
        topic = self._setup.output_topic_prefix + self._setup.module_name.upper()
        await self._producer.send(topic, json.dumps(result).encode(), key=station.encode())


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


def power(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
    """The callback of them all."""
    return {"stationId": station_id, "totalPower": module_input["totalPower"]}


def plain(setup: ServiceSetup) -> tuple[Any, Callback]:
    """A service that does its work."""
    return PlainService(setup), power


def lossy(setup: ServiceSetup) -> tuple[Any, Callback]:
    """A service that loses records."""
    return LossyService(setup), power


def doubling(setup: ServiceSetup) -> tuple[Any, Callback]:
    """A service that answers twice."""
    return DoublingService(setup), power


def dying(setup: ServiceSetup) -> tuple[Any, Callback]:
    """A service that does not live long."""
    return DyingService(setup), power


def failing(setup: ServiceSetup) -> tuple[Any, Callback]:
    """A factory that cannot make its service."""
    raise RuntimeError("the model file\nis missing")
