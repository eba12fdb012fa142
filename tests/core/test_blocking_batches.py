"""Batches of the blocking service: the same engine as in `test_async_batches.py`, with threads."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from data_analysis import ConfigurationError, DataAnalysisService
from station_sim.brokers import TopicSpec
from tests.core.batch_world import HOURLY, SIX, SIX_ID, Results, batch_config
from tests.core.blocking_world import FOREVER, BlockingWorld, in_blocking_world


class BatchWorld:
    """A world with the hourly topic, and a batch handler that notes what it gets."""

    def __init__(self, world: BlockingWorld) -> None:
        self.world = world
        self.uploads: list[tuple[int, str, Results]] = []
        self.delays: dict[str, float] = {}
        self.began = 0.0
        world.ask(world.broker.make_topics(TopicSpec(HOURLY, 1, config=FOREVER)))

    def service(self, **options: Any) -> DataAnalysisService:
        """A service that has started."""
        handler = options.pop("batch_upload_handler", self.upload)
        service = self.world.service(config=batch_config(), **options)
        service.start(self.callback, batch_upload_handler=handler)
        self.began = time.monotonic()
        return service

    def callback(self, station_id: str, module_input: dict[str, Any]) -> Any:
        """Answer after the station's delay; C has no result, X fails."""
        time.sleep(self.delays.get(station_id, 0.0))
        if station_id == "X":
            raise ValueError("no model")
        return None if station_id == "C" else {"of": station_id}

    def upload(self, batch_id: str, results: Results) -> None:
        """Note when, what."""
        self.uploads.append((round(time.monotonic() - self.began), batch_id, results))

    def push(self, stations: str) -> None:
        """Send one record for these stations, one letter each."""
        items = [{"stationId": each, "sendTime": SIX} for each in stations]
        self.world.send_raw(HOURLY, json.dumps({"realTimeData": items}).encode())

    def finished(self, service: DataAnalysisService, records: int) -> None:
        """Wait until so many records are done."""
        self.world.until(lambda: service.engine.counters.records_finished == records)

    def stations(self) -> list[list[str]]:
        """Who is in each batch."""
        return [[each["station_id"] for each in results] for _, _, results in self.uploads]


def in_batch_world(story: Callable[[BatchWorld], None]) -> None:
    """Run a story in virtual time."""
    in_blocking_world(lambda world: story(BatchWorld(world)))


def test_the_handler_gets_the_results_of_a_record_when_all_have_answered() -> None:
    def story(batches: BatchWorld) -> None:
        service = batches.service()
        batches.push("ABCX")
        batches.finished(service, 1)
        service.stop()
        ((_, batch_id, results),) = batches.uploads
        assert SIX_ID == batch_id
        expected = [{"of": each, "station_id": each} for each in "AB"]
        assert expected == sorted(results, key=lambda each: each["station_id"])
        assert 1 == batches.world.committed(HOURLY)
        assert 0 == service.engine.counters.results_uploaded

    in_batch_world(story)


def test_a_batch_times_out_and_a_late_result_is_dropped() -> None:
    def story(batches: BatchWorld) -> None:
        batches.delays["B"] = 20.0
        service = batches.service()
        batches.push("AB")
        batches.finished(service, 1)
        assert [(5, ["A"])] == [
            (at, [each["station_id"] for each in results]) for at, _, results in batches.uploads
        ]
        time.sleep(30)
        service.stop()
        counters = service.engine.counters
        assert (1, 1) == (counters.batches_timed_out, counters.batch_results_late)
        assert 1 == len(batches.uploads)
        assert 1 == batches.world.committed(HOURLY)

    in_batch_world(story)


def test_the_timeout_may_be_changed_while_a_batch_waits() -> None:
    def story(batches: BatchWorld) -> None:
        batches.delays["B"] = 60.0
        service = batches.service()
        service.batch_aggregator.batch_timeout = 40.0
        batches.push("AB")
        time.sleep(8)
        service.batch_aggregator.batch_timeout = 10.0
        batches.finished(service, 1)
        assert [10] == [at for at, _, _ in batches.uploads]
        service.stop()

    in_batch_world(story)


def test_a_cleanup_from_another_thread_ends_what_is_old() -> None:
    def story(batches: BatchWorld) -> None:
        batches.delays["B"] = 60.0
        service = batches.service()
        service.batch_aggregator.batch_timeout = 40.0
        batches.push("AB")
        time.sleep(8)
        assert 0 == service.batch_aggregator.cleanup_expired(9)
        assert 1 == service.batch_aggregator.cleanup_expired(2)
        batches.finished(service, 1)
        assert [["A"]] == batches.stations()
        service.stop()

    in_batch_world(story)


@pytest.mark.parametrize(("retries", "calls"), [(0, 1), (2, 3)])
def test_a_handler_that_raises_is_called_again_as_often_as_asked(retries: int, calls: int) -> None:
    def story(batches: BatchWorld) -> None:
        met: list[str] = []

        def fails(batch_id: str, results: Results) -> None:
            met.append(batch_id)
            raise ValueError("no store")

        service = batches.service(batch_upload_handler=fails, batch_handler_retries=retries)
        batches.push("AB")
        batches.finished(service, 1)
        assert [SIX_ID] * calls == met
        assert f"batch handler: {SIX_ID}: ValueError: no store" in service.health()["trouble"]
        service.stop()
        assert 1 == batches.world.committed(HOURLY)

    in_batch_world(story)


@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError()], ids=["exit", "cancel"])
def test_what_a_handler_raises_is_an_error_whatever_it_is(error: BaseException) -> None:
    def story(batches: BatchWorld) -> None:
        tries: list[str] = []

        def fails(batch_id: str, results: Results) -> None:
            tries.append(batch_id)
            raise error

        service = batches.service(batch_upload_handler=fails, batch_handler_retries=1)
        batches.push("AB")
        batches.finished(service, 1)
        assert type(error).__name__ in service.health()["reason"]
        service.stop()
        assert [SIX_ID, SIX_ID] == tries
        assert 2 == service.engine.counters.batch_handler_errors
        assert 1 == batches.world.committed(HOURLY)

    in_batch_world(story)


def test_stop_waits_for_a_handler_and_what_it_finishes_is_committed() -> None:
    def story(batches: BatchWorld) -> None:
        runs = threading.Event()

        def slow(batch_id: str, results: Results) -> None:
            runs.set()
            time.sleep(10)
            batches.upload(batch_id, results)

        service = batches.service(batch_upload_handler=slow)
        batches.push("AB")
        runs.wait()
        service.stop()
        assert 1 == len(batches.uploads)
        assert 1 == batches.world.committed(HOURLY)

    in_batch_world(story)


def test_a_batch_that_a_stop_interrupts_comes_again() -> None:
    def story(batches: BatchWorld) -> None:
        batches.delays["B"] = 3600.0
        service = batches.service(stop_timeout_seconds=1)
        service.batch_aggregator.batch_timeout = 600.0
        batches.push("AB")
        time.sleep(2)
        service.stop()
        assert [] == batches.uploads
        batches.delays.clear()
        again = batches.service()
        batches.finished(again, 1)
        again.stop()
        assert [["A", "B"]] == [sorted(each) for each in batches.stations()]
        assert 1 == batches.world.committed(HOURLY)

    in_batch_world(story)


def test_a_handler_may_stop_its_service() -> None:
    def story(batches: BatchWorld) -> None:
        stopped = threading.Event()

        def stops(batch_id: str, results: Results) -> None:
            service.stop()
            stopped.set()

        service = batches.service(batch_upload_handler=stops)
        began = time.monotonic()
        batches.push("AB")
        stopped.wait()
        assert 30 > time.monotonic() - began
        assert "stopped" == service.health()["status"]

    in_batch_world(story)


def test_a_station_that_is_removed_is_waited_for_only_while_its_callback_runs() -> None:
    def story(batches: BatchWorld) -> None:
        batches.delays["B"] = 20.0
        service = batches.service()
        service.batch_aggregator.batch_timeout = 600.0
        batches.push("AB")
        batches.push("AB")
        time.sleep(2)
        service.remove_station("B")
        batches.finished(service, 2)
        assert [["A"], ["A", "B"]] == sorted(sorted(each) for each in batches.stations())
        service.stop()

    in_batch_world(story)


@pytest.mark.parametrize("handler", ["no function", 7])
def test_a_handler_that_cannot_be_called_is_refused(handler: Any) -> None:
    def story(batches: BatchWorld) -> None:
        with pytest.raises(ConfigurationError, match="batch_upload_handler must be callable"):
            batches.service(batch_upload_handler=handler)

    in_batch_world(story)


def test_a_coroutine_function_is_refused() -> None:
    async def handler(batch_id: str, results: Results) -> None:
        """Never called."""

    def story(batches: BatchWorld) -> None:
        with pytest.raises(ConfigurationError, match="plain function in the blocking service"):
            batches.service(batch_upload_handler=handler)

    in_batch_world(story)
