"""What the asynchronous service does between records and callbacks, uploads and commits."""

import asyncio
import json
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import DefaultPartitioner

from data_analysis import ConfigurationError, DataAnalysisError, KafkaConnectionError
from data_analysis.handover import CALLS_AT_ONCE
from station_sim.brokers import TopicSpec
from tests.core.world import CALENDAR, DATA, DEAD, OUTPUT, World, in_world, small_config


def test_every_record_calls_back_in_order_and_its_result_is_uploaded() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0, 3.0)
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: service.engine.counters.results_uploaded == 3)
        await service.stop()
        assert [("A", 1.0), ("A", 2.0), ("A", 3.0)] == world.calls
        values = [json.loads(record.value) for record in await world.sent(OUTPUT)]
        assert [{"power": 1.0}, {"power": 2.0}, {"power": 3.0}] == [v["output"] for v in values]
        assert ["station_id", "module", "output", "timestamp"] == list(values[0])
        assert 3 == await world.committed()

    in_world(story)


def test_a_callback_sees_the_windows_as_of_its_record() -> None:
    async def story(world: World) -> None:
        seen: list[list[Any]] = []

        async def slow(station_id: str, module_input: dict[str, Any]) -> None:
            await asyncio.sleep(1)
            seen.append(module_input["totalPower_window"])

        await world.send("A", 1.0, 2.0, 3.0, 4.0, 5.0)
        service = world.service()
        await service.start(slow)
        await world.until(lambda: len(seen) == 5)
        await service.stop()
        assert [None, None, None, 1.0] == seen[0]
        assert [None, None, 1.0, 2.0] == seen[1]
        assert [2.0, 3.0, 4.0, 5.0] == seen[4]

    in_world(story)


def test_nothing_is_committed_before_its_callback_has_returned() -> None:
    async def story(world: World) -> None:
        gate = asyncio.Event()

        async def second_waits(station_id: str, module_input: dict[str, Any]) -> None:
            if module_input["totalPower"] == 2.0:
                await gate.wait()

        await world.send("A", 1.0, 2.0)
        await world.send("B", 3.0)
        service = world.service()
        await service.start(second_waits)
        await world.until(lambda: service.engine.counters.callbacks_run == 2)
        await asyncio.sleep(30)
        assert 1 == await world.committed()
        gate.set()
        await world.until(lambda: service.engine.counters.records_finished == 3)
        await asyncio.sleep(10)
        assert 3 == await world.committed()
        await service.stop()

    in_world(story)


def test_a_callback_that_returns_none_uploads_its_input() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service(window_form="array")
        await service.start(lambda station_id, module_input: None)
        await world.until(lambda: service.engine.counters.results_uploaded == 1)
        await service.stop()
        output = json.loads((await world.sent(OUTPUT))[0].value)["output"]
        assert ("A", 1.0, [1.0]) == (
            output["stationId"],
            output["totalPower"],
            output["totalPower_window"],
        )

    in_world(story)


def test_a_callback_that_raises_uploads_nothing_and_its_offset_moves_on() -> None:
    async def story(world: World) -> None:
        tries: list[float] = []

        def fails(station_id: str, module_input: dict[str, Any]) -> None:
            tries.append(module_input["totalPower"])
            raise ValueError("no model")

        await world.send("A", 1.0, 2.0)
        service = world.service(on_callback_error="retry", callback_retries=1)
        await service.start(fails)
        await world.until(lambda: service.engine.counters.records_finished == 2)
        await service.stop()
        assert [1.0, 1.0, 2.0, 2.0] == tries
        assert 4 == service.engine.counters.callback_errors
        assert {0: (0, 0)} == await world.broker.log_ranges(OUTPUT)
        assert 2 == await world.committed()

    in_world(story)


def test_both_result_handlers_run_after_the_upload() -> None:
    async def story(world: World) -> None:
        handed: list[Any] = []

        async def full(station_id: str, module_input: dict[str, Any], result: Any) -> None:
            uploaded = (await world.broker.log_ranges(OUTPUT))[0][1]
            handed.append((station_id, module_input["totalPower"], result, uploaded))

        await world.send("A", 1.0)
        service = world.service(result_handler=lambda *given: handed.append(given))
        await service.start(world.callback, result_handler=full)
        await world.until(lambda: len(handed) == 2)
        await service.stop()
        assert [("A", {"power": 1.0}), ("A", 1.0, {"power": 1.0}, 1)] == handed

    in_world(story)


def test_data_for_everyone_reaches_known_and_new_stations() -> None:
    async def story(world: World) -> None:
        days: list[Any] = []

        def note(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            days.append((station_id, module_input["date"]))
            return {}

        await world.send("A", 1.0)
        service = world.service()
        await service.start(note)
        await world.until(lambda: len(days) == 1)
        calendar = {"calendar": [{"date": "2026-03-01", "isHoliday": 0}]}
        await world.send_raw(CALENDAR, json.dumps(calendar).encode())
        await world.until(lambda: len(days) == 2)
        assert {CALENDAR: calendar} == service._global_data_cache
        await world.send("B", 1.0)
        await world.until(lambda: len(days) == 3)
        await service.stop()
        assert [("A", None), ("A", ["2026-03-01"]), ("B", ["2026-03-01"])] == days

    in_world(story)


def test_coalesce_calls_once_per_poll_and_station_and_finishes_every_record() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0, 3.0)
        service = world.service(coalesce=True)
        await service.start(world.callback)
        await world.until(lambda: service.engine.counters.records_finished == 3)
        await service.stop()
        assert [("A", 3.0)] == world.calls
        assert 3 == await world.committed()

    in_world(story)


def test_results_that_come_together_and_fill_many_batches_all_arrive_once_and_in_order() -> None:
    async def story(world: World) -> None:
        for number in range(60):
            await world.send("AB"[number % 2], float(number))
        service = world.service(max_pending_records=60)

        def long(station_id: str, given: dict[str, Any]) -> dict[str, Any]:
            return {"power": given["totalPower"], "text": "x" * 3_000}

        await service.start(long)
        await world.until(lambda: service.engine.counters.results_uploaded == 60)
        await service.stop()
        sent = [json.loads(record.value) for record in await world.sent(OUTPUT)]
        for station in "AB":
            powers = [each["output"]["power"] for each in sent if each["station_id"] == station]
            assert [*map(float, range("AB".index(station), 60, 2))] == powers
        assert 60 == await world.committed()

    in_world(story)


def test_results_that_come_together_go_to_the_partitions_of_their_stations() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec("OUT-LOAD_PREDICTION", partitions=3))
        for number in range(60):
            await world.send(f"S{number % 7}", float(number))
        service = world.service(output_topic_prefix="OUT-")
        await service.start(world.callback)
        await world.until(lambda: service.engine.counters.results_uploaded == 60)
        await service.stop()
        consumer = AIOKafkaConsumer(
            "OUT-LOAD_PREDICTION",
            bootstrap_servers=world.broker.bootstrap,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        got: dict[tuple[bytes, int], list[float]] = {}
        for _ in range(60):
            record = await consumer.getone()
            power = json.loads(record.value)["output"]["power"]
            got.setdefault((record.key, record.partition), []).append(power)
        await consumer.stop()
        partition_for = DefaultPartitioner()
        assert {
            (key, partition_for(key, range(3), range(3))): [*map(float, range(station, 60, 7))]
            for station in range(7)
            for key in [b"S%d" % station]
        } == got

    in_world(story)


def test_what_a_poll_has_gathered_is_called_for_before_a_stop_is_over() -> None:
    async def story(world: World) -> None:
        stations = 3 * CALLS_AT_ONCE
        for number in range(stations):
            await world.send(f"S{number}", 1.0, 2.0)
        # All records are of one poll.
        service = world.service(coalesce=True, kafka={"max_poll_records": 2 * stations})
        stopping: list[asyncio.Task[None]] = []

        def stops(station_id: str, given: dict[str, Any]) -> Any:
            if not world.calls:
                stopping.append(asyncio.create_task(service.stop()))
            return world.callback(station_id, given)

        await service.start(stops)
        await world.until(lambda: bool(stopping))
        await stopping[0]
        assert [(f"S{number}", 2.0) for number in range(stations)] == world.calls
        assert 2 * stations == await world.committed()

    in_world(story)


def test_bad_records_go_to_the_dead_letter_topic_and_the_offset_moves_on() -> None:
    async def story(world: World) -> None:
        await world.send_raw(DATA, b"{not json")
        await world.send("A", 1.0)
        service = world.service(dead_letter_topic=DEAD)
        await service.start(world.callback)
        await world.until(lambda: service.engine.counters.records_finished == 2)
        await service.stop()
        (letter,) = await world.sent(DEAD)
        assert b"{not json" == letter.value
        assert {
            "reason": b"not_json",
            "topic": DATA.encode(),
            "partition": b"0",
            "offset": b"0",
        } == dict(letter.headers)
        assert [("A", 1.0)] == world.calls
        assert 2 == await world.committed()

    in_world(story)


def test_work_in_flight_is_bounded() -> None:
    async def story(world: World) -> None:
        most = 0
        gate = asyncio.Event()

        async def waits(station_id: str, module_input: dict[str, Any]) -> None:
            nonlocal most
            most = max(most, service.engine.in_flight)
            await gate.wait()

        for station in range(30):
            await world.send(f"S{station}", 1.0)
        service = world.service(max_pending_records=10)
        await service.start(waits)
        await asyncio.sleep(20)
        assert 10 == service.engine.in_flight
        assert "degraded" == service.health()["status"]
        gate.set()
        await world.until(lambda: service.engine.counters.records_finished == 30)
        await service.stop()
        assert 10 == most
        assert 30 == await world.committed()

    in_world(story)


def test_stop_lets_running_callbacks_finish_and_a_second_stop_is_harmless() -> None:
    async def story(world: World) -> None:
        async def slow(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(5)
            return world.callback(station_id, module_input)

        await world.send("A", 1.0)
        service = world.service()
        await service.start(slow)
        await world.until(lambda: not service.engine.idle)
        await service.stop()
        await service.stop()
        assert [("A", 1.0)] == world.calls
        assert 1 == len(await world.sent(OUTPUT))
        assert 1 == await world.committed()
        assert "stopped" == service.health()["status"]

    in_world(story)


def test_stations_can_be_added_with_a_callback_of_their_own_and_removed() -> None:
    async def story(world: World) -> None:
        own: list[str] = []
        service = world.service()
        await service.start()
        await service.add_station("A", lambda station_id, module_input: own.append(station_id))
        assert {"A": {"running": True, "task": None}} == service.get_station_status()
        await world.send("A", 1.0)
        await world.send("B", 1.0)
        await world.until(lambda: service.engine.counters.records_finished == 2)
        assert ["A"] == own
        await service.remove_station("A")
        await world.send("A", 2.0, first_s=15)
        await world.until(lambda: service.engine.counters.records_finished == 3)
        assert ["B"] == list(service.get_station_status())
        inputs = await service.get_all_inputs("B")
        assert 1.0 == inputs["load_prediction"]["totalPower"]
        await service.stop()

    in_world(story)


def test_a_reload_is_applied_as_a_whole_or_not_at_all() -> None:
    async def story(world: World) -> None:
        config = small_config()
        service = world.service(config=config)
        await service.start(world.callback)
        await world.send("A", 1.0, 2.0, 3.0)
        await world.until(lambda: len(world.calls) == 3)
        config.TOPIC_DETAIL[DATA]["window_size"] = 2
        service.reload_config()
        shown = (await service.get_all_inputs("A"))["load_prediction"]
        assert [2.0, 3.0] == shown["totalPower_window"]
        config.TOPIC_DETAIL[DATA]["window_size"] = 0
        with pytest.raises(ConfigurationError, match="window_size"):
            service.reload_config()
        assert 2 == service.dispatcher.settings.topics[DATA].window_size
        await service.stop()

    in_world(story)


def test_a_broker_that_does_not_answer_is_one_clear_error() -> None:
    async def story(world: World) -> None:
        service = world.service()
        await world.broker.stop()
        with pytest.raises(KafkaConnectionError, match="connecting a producer to kafka:9092"):
            await service.start(world.callback)
        await world.broker.start()
        await service.start(world.callback)
        assert service.get_service_status()["consumer_alive"]
        await service.stop()

    in_world(story)


def test_a_stop_ends_a_start_that_is_under_way() -> None:
    async def story(world: World) -> None:
        await world.broker.stop()
        service = world.service()
        starting = asyncio.create_task(service.start(world.callback))
        await asyncio.sleep(1)
        await service.stop()
        with pytest.raises(DataAnalysisError, match="was stopped while it started"):
            await starting
        await world.broker.start()
        await world.send("A", 1.0)
        await asyncio.sleep(10)
        assert [] == world.calls
        status = service.get_service_status()
        assert (False, False) == (status["consumer_alive"], status["producer_alive"])

    in_world(story)


def test_what_cannot_be_called_is_refused_at_the_start() -> None:
    async def story(world: World) -> None:
        for name in ("callback", "result_handler", "batch_upload_handler"):
            with pytest.raises(ConfigurationError, match=f"{name} must be callable, got 5"):
                await world.service().start(**{name: 5})

    in_world(story)
