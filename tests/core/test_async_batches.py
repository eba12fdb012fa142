"""Batches in the asynchronous service: one handler call for all stations of a record."""

import asyncio
import json
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from data_analysis import ConfigurationError
from station_sim.brokers import TopicSpec, open_broker
from tests.core.batch_world import (
    HOURLY,
    SEVEN_ID,
    SIX,
    SIX_ID,
    BatchWorld,
    Results,
    in_batch_world,
)
from tests.core.world import CALENDAR, DATA, OUTPUT, World
from tests.kafka_at_hand import require_kafka


def test_all_results_of_a_record_come_at_once_and_are_uploaded_nowhere_else() -> None:
    async def story(batches: BatchWorld) -> None:
        handed: list[Any] = []
        batches.delays = {"A": 2.0, "B": 1.0}
        service = await batches.service(result_handler=lambda *given: handed.append(given))
        await batches.push("AB")
        await batches.finished(service, 1)
        expected = [{"hour": SIX, "station_id": "B"}, {"hour": SIX, "station_id": "A"}]
        assert [(2, SIX_ID, expected)] == batches.uploads
        counters = service.engine.counters
        assert (1, 1, 0) == (
            counters.batches_opened,
            counters.batches_completed,
            counters.batches_timed_out,
        )
        await service.stop()
        assert [] == handed
        assert {0: (0, 0)} == await batches.world.broker.log_ranges(OUTPUT)
        assert 1 == await batches.committed()

    in_batch_world(story)


def test_stations_without_a_result_are_left_out_and_count_as_answers() -> None:
    async def story(batches: BatchWorld) -> None:
        service = await batches.service()
        await batches.push("ACX")
        await batches.push("CX")
        await batches.finished(service, 2)
        assert [(SIX_ID, ["A"]), (SIX_ID, [])] == batches.stations()
        assert [0, 0] == [at for at, _, _ in batches.uploads]
        assert 2 == service.engine.counters.batches_completed
        await service.stop()

    in_batch_world(story)


def test_a_batch_times_out_with_what_is_there_and_its_late_results_are_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 8.0}
        service = await batches.service()
        await batches.push("AB")
        await batches.finished(service, 1)
        assert [(5, SIX_ID, [{"hour": SIX, "station_id": "B"}])] == batches.uploads
        assert 1 == service.engine.in_flight
        counters = service.engine.counters
        await batches.world.until(lambda: counters.callbacks_run == 2)
        assert (1, 1, 0) == (
            counters.batches_timed_out,
            counters.batch_results_late,
            service.engine.in_flight,
        )
        await service.stop()
        assert 1 == len(batches.uploads)
        assert 1 == await batches.committed()

    in_batch_world(story)
    assert "timed out: 1 of 2 stations have answered; missing: A" in caplog.text
    assert f"result of station A is too late for batch {SIX_ID} and dropped" in caplog.text


def test_offsets_wait_for_the_handler_and_not_for_late_callbacks() -> None:
    async def story(batches: BatchWorld) -> None:
        gate = asyncio.Event()
        called: list[str] = []

        async def upload(batch_id: str, results: Results) -> None:
            called.append(batch_id)
            await gate.wait()

        batches.delays = {"A": 1000.0}
        service = await batches.service(batch_upload_handler=upload)
        await batches.push("AB")
        await asyncio.sleep(60)
        assert [SIX_ID] == called
        assert 0 == await batches.committed()
        gate.set()
        await asyncio.sleep(10)
        assert 1 == await batches.committed()
        assert [SIX_ID] == called
        await service.stop()

    in_batch_world(story)


def test_a_slow_handler_holds_up_no_other_batch() -> None:
    async def story(batches: BatchWorld) -> None:
        async def upload(batch_id: str, results: Results) -> None:
            await asyncio.sleep(20 if batch_id == SIX_ID else 0)
            batches.upload(batch_id, results)

        service = await batches.service(batch_upload_handler=upload)
        await batches.push("AB")
        await batches.push("AB", "2023-11-15 07:00:00")
        await batches.finished(service, 2)
        assert [(0, SEVEN_ID), (20, SIX_ID)] == [(at, which) for at, which, _ in batches.uploads]
        await service.stop()

    in_batch_world(story)


def test_a_handler_that_raises_is_counted_and_shown_and_the_offset_moves_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(batches: BatchWorld) -> None:
        fails = True

        async def upload(batch_id: str, results: Results) -> None:
            batches.upload(batch_id, results)
            if fails:
                raise OSError("the database is away")

        service = await batches.service(batch_upload_handler=upload)
        await batches.push("AB")
        await batches.finished(service, 1)
        health = service.health()
        assert "degraded" == health["status"]
        assert [f"batch handler: {SIX_ID}: OSError: the database is away"] == health["trouble"]
        assert 1 == health["counters"]["batch_handler_errors"]
        await asyncio.sleep(10)
        assert 1 == await batches.committed()
        fails = False
        await batches.push("AB")
        await batches.finished(service, 2)
        assert "ok" == service.health()["status"]
        assert 2 == len(batches.uploads)
        await service.stop()

    in_batch_world(story)
    assert f"batch handler failed for {SIX_ID}" in caplog.text


def test_a_handler_is_called_again_as_often_as_asked() -> None:
    async def story(batches: BatchWorld) -> None:
        def upload(batch_id: str, results: Results) -> None:
            batches.upload(batch_id, results)
            results.clear()
            if len(batches.uploads) < 4:
                raise OSError("not yet")

        service = await batches.service(batch_upload_handler=upload, batch_handler_retries=2)
        for number in (1, 2):
            await batches.push("AB")
            await batches.finished(service, number)
        assert 3 == service.engine.counters.batch_handler_errors
        assert 4 == len(batches.uploads)
        await service.stop()
        with pytest.raises(ConfigurationError, match="batch_handler_retries must be an integer"):
            batches.world.service(batch_handler_retries=-1)

    in_batch_world(story)


@pytest.mark.parametrize(
    "value",
    [
        {"realTimeData": [{"stationId": "A", "sendTime": SIX}]},
        {"realTimeData": [{"stationId": "A", "sendTime": SIX}] * 2},
        {"realTimeData": [{"stationId": station} for station in "AB"]},
        [{"stationId": station, "sendTime": "2023-02-30 06:00:00"} for station in "AB"],
        [{"stationId": station, "sendTime": "yesterday"} for station in "AB"],
        [{"stationId": station, "sendTime": [1699999200]} for station in "AB"],
    ],
    ids=["one station", "one station twice", "no time", "no such day", "no date", "a list"],
)
def test_without_several_stations_and_a_time_each_result_goes_its_own_way(value: Any) -> None:
    async def story(batches: BatchWorld) -> None:
        handed: list[str] = []
        service = await batches.service(result_handler=lambda *given: handed.append(given[0]))
        await batches.push_raw(value)
        await batches.finished(service, 1)
        assert [] == batches.uploads
        assert handed
        assert len(handed) == service.engine.counters.results_uploaded
        assert 0 == service.engine.counters.batches_opened
        await service.stop()

    in_batch_world(story)


def test_records_of_other_topics_and_services_without_a_handler_open_no_batch() -> None:
    async def story(batches: BatchWorld) -> None:
        items = [{"stationId": station, "sendTime": SIX} for station in "AB"]
        service = await batches.service()
        await batches.world.send_raw(DATA, json.dumps({"realTimeData": items}).encode())
        await batches.finished(service, 1)
        assert 2 == service.engine.counters.results_uploaded
        await service.stop()
        service = await batches.service(batch_upload_handler=None)
        await batches.push("AB")
        await batches.finished(service, 1)
        assert 2 == service.engine.counters.results_uploaded
        assert [] == batches.uploads
        await service.stop()

    in_batch_world(story)


def test_the_id_is_the_newest_time_of_all_items_in_the_stations_zone() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.config.STATION_TIMEZONE = "UTC"
        service = await batches.service()
        times = ("2023-11-14 21:00:00", "2023-11-14 22:00:00", "2023-99-01 00:00:00")
        await batches.push_raw(
            [{"stationId": "AB"[at % 2], "sendTime": time} for at, time in enumerate(times)]
        )
        await batches.finished(service, 1)
        assert [SIX_ID] == [batch_id for _, batch_id, _ in batches.uploads]
        batches.config.STATION_TIMEZONE = "Asia/Nowhere"
        with pytest.raises(ConfigurationError, match="STATION_TIMEZONE must be a zone"):
            service.reload_config()
        await service.stop()

    in_batch_world(story)


def test_two_batches_at_once_keep_their_results_apart() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 2.0, "B": 1.0}
        await batches.push("AB")
        await batches.push("AB", "2023-11-15 07:00:00")
        service = await batches.service()
        await batches.finished(service, 2)
        assert [(SIX_ID, ["B", "A"]), (SEVEN_ID, ["B", "A"])] == batches.stations()
        hours = [[each["hour"] for each in results] for _, _, results in batches.uploads]
        assert [[SIX] * 2, ["2023-11-15 07:00:00"] * 2] == hours
        await service.stop()

    in_batch_world(story)


def test_a_push_that_is_repeated_is_a_batch_of_its_own() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 1.0}
        for host in "12":
            await batches.push("AB", hostCode=host)
        service = await batches.service()
        await batches.finished(service, 2)
        assert [(SIX_ID, ["B", "A"])] * 2 == batches.stations()
        await service.stop()

    in_batch_world(story)


def test_a_backlog_times_nothing_out() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 2.0, "B": 2.0}
        for _ in range(20):
            await batches.push("AB")
        service = await batches.service()
        await batches.finished(service, 20)
        assert [(SIX_ID, ["A", "B"])] * 20 == batches.stations()
        await service.stop()

    in_batch_world(story)


def test_batches_behind_callbacks_that_hang_time_out_one_after_another() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 1000.0, "B": 1000.0}
        for _ in range(3):
            await batches.push("AB")
        service = await batches.service(stop_timeout_seconds=1.0)
        await batches.finished(service, 3)
        assert [(5, []), (10, []), (15, [])] == [(at, got) for at, _, got in batches.uploads]
        assert 6 == service.engine.in_flight
        await service.stop()
        assert 3 == await batches.committed()

    in_batch_world(story)


def test_late_callbacks_are_bounded_as_records_in_work_are() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 1000.0}
        for _ in range(20):
            await batches.push("AB")
        service = await batches.service(max_pending_records=5, stop_timeout_seconds=1.0)
        await asyncio.sleep(100)
        assert 5 == service.engine.in_flight
        assert 5 == len(batches.uploads)
        await service.stop()

    in_batch_world(story)


def test_the_timeout_can_be_adjusted_while_the_service_runs() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 100.0}
        service = await batches.service(stop_timeout_seconds=1.0)
        service.batch_aggregator.batch_timeout = 9.0
        await batches.push("AB")
        await batches.finished(service, 1)
        await batches.push("CB")
        await asyncio.sleep(1)
        await batches.push("AB")
        await asyncio.sleep(1)
        service.batch_aggregator.batch_timeout = 2.0
        await batches.finished(service, 3)
        assert [9, 9, 12] == [at for at, _, _ in batches.uploads]
        await service.stop()

    in_batch_world(story)


def test_the_timeout_can_be_adjusted_from_a_thread() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 100.0}
        service = await batches.service(stop_timeout_seconds=1.0)
        await batches.push("AB")
        await batches.world.until(lambda: service.engine.counters.callbacks_run == 1)
        aggregator = service.batch_aggregator
        await asyncio.to_thread(setattr, aggregator, "batch_timeout", 2.0)
        await batches.finished(service, 1)
        assert [2] == [at for at, _, _ in batches.uploads]
        await service.stop()

    in_batch_world(story)


def test_a_cleanup_hands_over_what_there_is_and_old_batches_are_forgotten() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 5000.0}
        service = await batches.service(stop_timeout_seconds=1.0)
        aggregator = service.batch_aggregator
        aggregator.batch_timeout = 1000.0
        await batches.push("AB")
        await asyncio.sleep(299)
        assert 0 == aggregator.cleanup_expired()
        await asyncio.sleep(2)
        assert 1 == aggregator.cleanup_expired()
        await batches.finished(service, 1)
        assert [(SIX_ID, ["B"])] == batches.stations()
        aggregator.batch_timeout, aggregator.cleanup_interval = 1.0, 10.0
        await batches.push("AB")
        await batches.finished(service, 2)
        assert None is not aggregator.next_due()
        await asyncio.sleep(320)
        assert None is aggregator.next_due()
        await service.stop()

    in_batch_world(story)


def test_a_station_that_is_removed_is_waited_for_only_while_its_callback_runs() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 3.0, "B": 1.0}
        service = await batches.service()
        for _ in range(2):
            await batches.push("AB")
        await asyncio.sleep(0.5)
        await service.remove_station("A")
        await batches.finished(service, 2)
        assert [(SIX_ID, ["B"]), (SIX_ID, ["B", "A"])] == batches.stations()
        await batches.push("AB")
        await batches.finished(service, 3)
        assert (SIX_ID, ["B"]) == batches.stations()[-1]
        await service.stop()

    in_batch_world(story)


def test_stop_waits_for_the_batches_whose_callbacks_end_in_time() -> None:
    async def story(batches: BatchWorld) -> None:
        async def upload(batch_id: str, results: Results) -> None:
            await asyncio.sleep(3)
            batches.upload(batch_id, results)

        batches.delays = {"A": 2.0}
        service = await batches.service(batch_upload_handler=upload)
        await batches.push("AB")
        await batches.world.until(lambda: service.engine.counters.batches_opened == 1)
        await service.stop()
        assert [(SIX_ID, ["B", "A"])] == batches.stations()
        assert 1 == await batches.committed()

    in_batch_world(story)


def test_a_batch_that_is_open_at_the_end_comes_again() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 4.0}
        service = await batches.service(stop_timeout_seconds=1.0)
        await batches.push("AB")
        await batches.world.until(lambda: service.engine.counters.callbacks_run == 1)
        await service.stop()
        await asyncio.sleep(60)
        assert [] == batches.uploads
        service = await batches.service()
        await batches.finished(service, 1)
        assert [(SIX_ID, ["B", "A"])] == batches.stations()
        await service.stop()
        assert 1 == await batches.committed()

    in_batch_world(story)


def test_a_handler_may_stop_its_service() -> None:
    async def story(batches: BatchWorld) -> None:
        async def upload(batch_id: str, results: Results) -> None:
            await service.stop()
            batches.upload(batch_id, results)

        service = await batches.service(batch_upload_handler=upload)
        await batches.push("AB")
        await batches.world.until(lambda: len(batches.uploads) == 1)
        assert 0 == await batches.committed()

    in_batch_world(story)


def test_a_batch_whose_partition_is_taken_away_is_the_next_owner_s() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 60.0}
        # Of several members the one whose name sorts first gets the partition.
        first = await batches.service(instance_id="z", stop_timeout_seconds=1.0)
        first.batch_aggregator.batch_timeout = 30.0
        await batches.push("AB")
        await batches.world.until(lambda: first.engine.counters.callbacks_run == 1)
        second = await batches.service(instance_id="a", stop_timeout_seconds=1.0)
        await asyncio.sleep(120)
        counters = first.engine.counters
        assert (1, 1, 0) == (
            counters.batches_opened,
            counters.batches_dropped,
            counters.batches_completed + counters.batches_timed_out,
        )
        assert [(SIX_ID, ["B"])] == batches.stations()
        assert 1 == second.engine.counters.batches_timed_out
        assert 1 == await batches.committed()
        await second.stop()
        await first.stop()

    in_batch_world(story)


def test_coalesced_work_answers_for_its_batches_and_uploads_for_other_records() -> None:
    async def story(batches: BatchWorld) -> None:
        await batches.push("AB")
        await batches.push("AC")
        await batches.world.send("D", 1.0)
        await batches.world.send("B", 2.0)
        service = await batches.service(coalesce=True)
        await batches.finished(service, 4)
        assert [["A"], ["A", "B"]] == sorted(sorted(each) for _, each in batches.stations())
        sent = [json.loads(each.value) for each in await batches.world.sent(OUTPUT)]
        assert {"B", "D"} == {each["station_id"] for each in sent}
        assert 4 == service.engine.counters.callbacks_run
        await service.stop()

    in_batch_world(story)


def test_a_handler_that_can_never_be_called_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def story(batches: BatchWorld) -> None:
        service = await batches.service(topics=[DATA])
        await service.stop()
        with pytest.raises(ConfigurationError, match="batch_upload_handler must be callable"):
            await batches.service(batch_upload_handler="upload")

    in_batch_world(story)
    assert f"batch_upload_handler is never called: {HOURLY} is not consumed" in caplog.text


@pytest.mark.parametrize("kind", ["embedded", pytest.param("jvm", marks=pytest.mark.kafka)])
def test_batches_end_and_are_committed_on_a_broker_in_real_time(kind: str) -> None:
    require_kafka(kind)

    async def story() -> None:
        async with open_broker(kind) as broker:
            topics = (HOURLY, DATA, CALENDAR, OUTPUT)
            await broker.make_topics(*(TopicSpec(topic, partitions=1) for topic in topics))
            async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
                batches = BatchWorld(World(broker, producer))
                batches.delays = {"D": 10.0}
                service = await batches.service(stop_timeout_seconds=0.5)
                service.batch_aggregator.batch_timeout = 1.0
                await batches.push("AB")
                await batches.push("BD")
                await batches.finished(service, 2)
                assert [["A", "B"], ["B"]] == [sorted(each) for _, each in batches.stations()]
                await service.stop()
                assert 2 == await batches.committed()

    asyncio.run(story())
