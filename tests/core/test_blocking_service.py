"""What the blocking service does between records and callbacks, uploads and commits."""

import asyncio
import json
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from data_analysis import ConfigurationError, DataAnalysisError, KafkaConnectionError
from tests.core.blocking_world import BlockingWorld, in_blocking_world
from tests.core.world import CALENDAR, DATA, DEAD, OUTPUT, small_config


def test_every_record_calls_back_in_order_and_its_result_is_uploaded() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0, 2.0, 3.0)
        service = world.service()
        service.start(world.callback)
        world.until(lambda: service.engine.counters.results_uploaded == 3)
        service.stop()
        assert [("A", 1.0), ("A", 2.0), ("A", 3.0)] == world.calls
        values = [json.loads(record.value) for record in world.sent(OUTPUT)]
        assert [{"power": 1.0}, {"power": 2.0}, {"power": 3.0}] == [v["output"] for v in values]
        assert ["station_id", "module", "output", "timestamp"] == list(values[0])
        assert 3 == world.committed()

    in_blocking_world(story)


def test_a_callback_sees_the_windows_as_of_its_record() -> None:
    def story(world: BlockingWorld) -> None:
        seen: list[list[Any]] = []

        def slow(station_id: str, module_input: dict[str, Any]) -> None:
            time.sleep(1)
            seen.append(module_input["totalPower_window"])

        world.send("A", 1.0, 2.0, 3.0, 4.0, 5.0)
        service = world.service()
        service.start(slow)
        world.until(lambda: len(seen) == 5)
        service.stop()
        assert [None, None, None, 1.0] == seen[0]
        assert [2.0, 3.0, 4.0, 5.0] == seen[4]

    in_blocking_world(story)


def test_stations_run_side_by_side_and_none_on_two_threads() -> None:
    def story(world: BlockingWorld) -> None:
        running: dict[str, int] = {}
        most: list[int] = []
        order: dict[str, list[float]] = {}

        def slow(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            running[station_id] = running.get(station_id, 0) + 1
            assert 1 == running[station_id]
            most.append(sum(running.values()))
            time.sleep(10)
            running[station_id] -= 1
            order.setdefault(station_id, []).append(module_input["totalPower"])
            return {}

        for station in range(8):
            world.send(f"S{station}", 1.0, 2.0, 3.0)
        service = world.service(max_workers=5)
        service.start(slow)
        began = time.monotonic()
        world.until(lambda: service.engine.counters.records_finished == 24, within_s=200)
        assert 50 <= time.monotonic() - began < 60, "24 callbacks of 10 s by 5 workers"
        service.stop()
        assert 5 == max(most)
        assert [[1.0, 2.0, 3.0]] * 8 == list(order.values())
        assert 24 == world.committed()

    in_blocking_world(story)


def test_nothing_is_committed_before_its_callback_has_returned() -> None:
    def story(world: BlockingWorld) -> None:
        gate = threading.Event()

        def second_waits(station_id: str, module_input: dict[str, Any]) -> None:
            if module_input["totalPower"] == 2.0:
                gate.wait()

        world.send("A", 1.0, 2.0)
        world.send("B", 3.0)
        service = world.service()
        service.start(second_waits)
        world.until(lambda: service.engine.counters.callbacks_run == 2)
        time.sleep(30)
        assert 1 == world.committed()
        gate.set()
        world.until(lambda: service.engine.counters.records_finished == 3)
        time.sleep(10)
        assert 3 == world.committed()
        service.stop()

    in_blocking_world(story)


def test_a_callback_that_returns_none_uploads_its_input() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0)
        service = world.service(window_form="array")
        service.start(lambda station_id, module_input: None)
        world.until(lambda: service.engine.counters.results_uploaded == 1)
        service.stop()
        output = json.loads(world.sent(OUTPUT)[0].value)["output"]
        assert ("A", [1.0]) == (output["stationId"], output["totalPower_window"])

    in_blocking_world(story)


def test_a_callback_that_raises_uploads_nothing_and_its_offset_moves_on() -> None:
    def story(world: BlockingWorld) -> None:
        tries: list[float] = []

        def fails(station_id: str, module_input: dict[str, Any]) -> None:
            tries.append(module_input["totalPower"])
            raise ValueError("no model")

        world.send("A", 1.0, 2.0)
        service = world.service(on_callback_error="retry", callback_retries=1)
        service.start(fails)
        world.until(lambda: service.engine.counters.records_finished == 2)
        service.stop()
        assert [1.0, 1.0, 2.0, 2.0] == tries
        assert [] == world.sent(OUTPUT)
        assert 2 == world.committed()

    in_blocking_world(story)


class _OwnBaseError(BaseException):
    """Derives from no `Exception`, like what frameworks cancel with."""


NO_EXCEPTIONS = [
    SystemExit(3),
    GeneratorExit(),
    asyncio.CancelledError(),
    KeyboardInterrupt(),
    pytest.fail.Exception("no model"),
    _OwnBaseError(),
]


@pytest.mark.parametrize("error", NO_EXCEPTIONS, ids=lambda error: type(error).__name__)
def test_what_a_callback_or_handler_raises_is_an_error_whatever_it_is(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def story(world: BlockingWorld) -> None:
        answers: list[float] = []

        def fails_twice(station_id: str, module_input: dict[str, Any]) -> dict[str, float]:
            answers.append(module_input["totalPower"])
            if len(answers) <= 2:
                raise error
            return {"power": answers[-1]}

        def handler(station_id: str, result: Any) -> None:
            raise error

        service = world.service(
            result_handler=handler, on_callback_error="retry", callback_retries=1
        )
        service.start(fails_twice)
        world.send("A", 1.0, 2.0)
        world.until(lambda: service.engine.counters.records_finished == 2)
        assert "ok" == service.health()["status"]
        service.stop()
        assert [1.0, 1.0, 2.0] == answers
        counters = service.engine.counters
        assert (2, 1) == (counters.callback_errors, counters.handler_errors)
        assert 2 == world.committed()

    in_blocking_world(story)
    place = "for station A, topic REAL-STATION-DATA partition 0 offset"
    assert 2 == caplog.text.count(f"callback failed {place} 0")
    assert 1 == caplog.text.count(f"result handler failed {place} 1")


def test_the_result_handler_runs_after_the_upload_and_its_errors_are_counted() -> None:
    def story(world: BlockingWorld) -> None:
        handed: list[Any] = []

        def handler(station_id: str, result: Any) -> None:
            handed.append((station_id, result, len(world.sent(OUTPUT))))
            raise ValueError("no dashboard")

        world.send("A", 1.0)
        service = world.service(result_handler=handler)
        service.start(world.callback)
        world.until(lambda: service.engine.counters.records_finished == 1)
        service.stop()
        assert [("A", {"power": 1.0}, 1)] == handed
        assert 1 == service.engine.counters.handler_errors
        assert 1 == world.committed()

    in_blocking_world(story)


def test_data_for_everyone_reaches_known_and_new_stations() -> None:
    def story(world: BlockingWorld) -> None:
        days: list[Any] = []

        def note(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            days.append((station_id, module_input["date"]))
            return {}

        world.send("A", 1.0)
        service = world.service()
        service.start(note)
        world.until(lambda: len(days) == 1)
        calendar = {"calendar": [{"date": "2026-03-01", "isHoliday": 0}]}
        world.send_raw(CALENDAR, json.dumps(calendar).encode())
        world.until(lambda: len(days) == 2)
        world.send("B", 1.0)
        world.until(lambda: len(days) == 3)
        service.stop()
        assert [("A", None), ("A", ["2026-03-01"]), ("B", ["2026-03-01"])] == days
        assert [CALENDAR] == list(service._global_data_cache)

    in_blocking_world(story)


def test_coalesce_calls_once_per_poll_and_station_and_finishes_every_record() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0, 2.0, 3.0)
        service = world.service(coalesce=True)
        service.start(world.callback)
        world.until(lambda: service.engine.counters.records_finished == 3)
        service.stop()
        assert [("A", 3.0)] == world.calls
        assert 3 == world.committed()

    in_blocking_world(story)


def test_bad_records_go_to_the_dead_letter_topic_and_the_offset_moves_on() -> None:
    def story(world: BlockingWorld) -> None:
        world.send_raw(DATA, b"{not json")
        world.send("A", 1.0)
        service = world.service(dead_letter_topic=DEAD)
        service.start(world.callback)
        world.until(lambda: service.engine.counters.records_finished == 2)
        service.stop()
        (letter,) = world.sent(DEAD)
        assert b"{not json" == letter.value
        assert b"not_json" == dict(letter.headers)["reason"]
        assert [("A", 1.0)] == world.calls
        assert 2 == world.committed()

    in_blocking_world(story)


def test_work_in_flight_is_bounded_while_polling_goes_on() -> None:
    def story(world: BlockingWorld) -> None:
        most: list[int] = []
        gate = threading.Event()

        def waits(station_id: str, module_input: dict[str, Any]) -> None:
            most.append(service.engine.in_flight)
            gate.wait()

        for station in range(30):
            world.send(f"S{station}", 1.0)
        service = world.service(max_pending_records=10, kafka={"max_poll_interval_ms": 20_000})
        service.start(waits)
        time.sleep(100)
        assert 10 == service.engine.in_flight
        assert "degraded" == service.health()["status"]
        assert [(DATA, 0)] == [tp for tp in service.consumer.assignment() if tp[0] == DATA]
        gate.set()
        world.until(lambda: service.engine.counters.records_finished == 30)
        service.stop()
        assert 10 == max(most)
        assert 30 == world.committed()

    in_blocking_world(story)


def test_stop_lets_running_callbacks_finish_and_a_second_stop_is_harmless() -> None:
    def story(world: BlockingWorld) -> None:
        def slow(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            time.sleep(5)
            return world.callback(station_id, module_input)

        world.send("A", 1.0)
        service = world.service()
        service.start(slow)
        world.until(lambda: not service.engine.idle)
        service.stop()
        service.stop()
        assert [("A", 1.0)] == world.calls
        assert 1 == len(world.sent(OUTPUT))
        assert 1 == world.committed()
        assert "stopped" == service.health()["status"]
        with pytest.raises(DataAnalysisError, match="starts once"):
            service.start(slow)

    in_blocking_world(story)


def test_a_callback_that_takes_longer_than_stop_waits_counts_no_more() -> None:
    def story(world: BlockingWorld) -> None:
        def slow(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            time.sleep(100)
            return world.callback(station_id, module_input)

        world.send("A", 1.0)
        service = world.service(stop_timeout_seconds=3)
        service.start(slow)
        world.until(lambda: not service.engine.idle)
        began = time.monotonic()
        service.stop()
        assert 10 > time.monotonic() - began
        time.sleep(200)
        assert [("A", 1.0)] == world.calls
        assert [] == world.sent(OUTPUT)
        again = world.service()
        again.start(world.callback)
        world.until(lambda: len(world.calls) == 2)
        again.stop()

    in_blocking_world(story)


def test_a_callback_may_stop_the_service() -> None:
    def story(world: BlockingWorld) -> None:
        def stops(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            service.stop()
            return world.callback(station_id, module_input)

        world.send("A", 1.0, 2.0)
        service = world.service()
        service.start(stops, background=False)
        assert "stopped" == service.health()["status"]
        world.until(lambda: bool(world.calls))
        assert [("A", 1.0)] == world.calls

    in_blocking_world(story)


def test_in_the_foreground_start_returns_when_somebody_stops_the_service() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        threading.Timer(100, service.stop).start()
        began = time.monotonic()
        service.start(world.callback, background=False)
        assert 100 <= time.monotonic() - began < 110
        assert "stopped" == service.health()["status"]

    in_blocking_world(story)


def test_stations_are_added_and_removed_from_any_thread() -> None:
    def story(world: BlockingWorld) -> None:
        own: list[str] = []

        def mine(station_id: str, module_input: dict[str, Any]) -> None:
            own.append(station_id)
            if module_input["totalPower"] == 9.0:
                service.remove_station("A")

        service = world.service()
        service.start()
        adding = [
            threading.Thread(target=service.add_station, args=(station_id, mine))
            for station_id in ("A", "C")
        ]
        for thread in adding:
            thread.start()
        for thread in adding:
            thread.join()
        assert {"running": True, "future": None} == service.get_station_status()["A"]
        world.send("A", 1.0)
        world.send("B", 1.0)
        world.until(lambda: service.engine.counters.records_finished == 2)
        assert ["A"] == own
        assert isinstance(service.get_station_status()["A"]["future"], Future)
        world.send("A", 9.0, 10.0, first_s=15)
        world.until(lambda: service.engine.counters.records_finished == 4)
        assert ["A", "A"] == own
        assert {"B", "C"} == set(service.get_station_status())
        assert service.get_outputs("B") == service.get_all_inputs("B")
        assert 1.0 == service.get_outputs("B")["load_prediction"]["totalPower"]
        service.stop()

    in_blocking_world(story)


def test_status_tells_of_threads_and_clients() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        dead = {
            "main_thread_alive": False,
            "consumer_alive": False,
            "producer_alive": False,
            "station_count": 0,
        }
        assert dead == service.get_service_status()
        service.start(world.callback)
        world.send("A", 1.0)
        world.until(lambda: len(world.calls) == 1)
        alive = {name: True for name in dead if name != "station_count"}
        assert {**alive, "station_count": 1} == service.get_service_status()
        assert ("ok", []) == (service.health()["status"], service.health()["trouble"])
        service.stop()
        assert {**dead, "station_count": 1} == service.get_service_status()

    in_blocking_world(story)


def test_a_reload_is_applied_as_a_whole_or_not_at_all() -> None:
    def story(world: BlockingWorld) -> None:
        config = small_config()
        service = world.service(config=config)
        service.start(world.callback)
        world.send("A", 1.0, 2.0, 3.0)
        world.until(lambda: len(world.calls) == 3)
        config.TOPIC_DETAIL[DATA]["window_size"] = 2
        service.reload_config()
        shown = service.get_all_inputs("A")["load_prediction"]
        assert [2.0, 3.0] == shown["totalPower_window"]
        config.TOPIC_DETAIL[DATA]["window_size"] = 0
        with pytest.raises(ConfigurationError, match="window_size"):
            service.reload_config()
        assert 2 == service.dispatcher.settings.topics[DATA].window_size
        service.stop()

    in_blocking_world(story)


def test_a_reload_may_add_a_topic() -> None:
    def story(world: BlockingWorld) -> None:
        config = small_config()
        calendar = config.TOPIC_DETAIL.pop(CALENDAR)
        service = world.service(config=config)
        service.start(world.callback)
        world.send("A", 1.0)
        world.until(lambda: len(world.calls) == 1)
        config.TOPIC_DETAIL[CALENDAR] = calendar
        service.reload_config()
        day = {"calendar": [{"date": "2026-03-01", "isHoliday": 0}]}
        world.send_raw(CALENDAR, json.dumps(day).encode())
        world.until(lambda: len(world.calls) == 2)
        service.stop()
        assert 1 == world.committed()
        assert [] == world.gaps

    in_blocking_world(story)


def test_a_broker_that_does_not_answer_is_one_clear_error_and_a_start_may_be_tried_again() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        world.ask(world.broker.stop())
        with pytest.raises(KafkaConnectionError, match="connecting a producer to kafka:9092"):
            service.start(world.callback)
        world.ask(world.broker.start())
        service.start(world.callback)
        assert service.get_service_status()["consumer_alive"]
        service.stop()

    in_blocking_world(story)


def test_coroutine_functions_are_refused() -> None:
    async def callback(station_id: str, module_input: dict[str, Any]) -> None: ...

    class Model:
        async def __call__(self, station_id: str, module_input: dict[str, Any]) -> None: ...

    def story(world: BlockingWorld) -> None:
        for one in (callback, partial(callback), Model()):
            with pytest.raises(ConfigurationError, match="plain function"):
                world.service().start(one)
        with pytest.raises(ConfigurationError, match="callback must be callable, got 5"):
            world.service().start(5)  # type: ignore[arg-type]  # refused
        with pytest.raises(ConfigurationError, match="result_handler must be a plain function"):
            world.service(result_handler=callback)
        with pytest.raises(ConfigurationError, match="max_workers must be an integer >= 1"):
            world.service(max_workers=0)

    in_blocking_world(story)


def test_while_a_round_of_records_waits_it_polls_once_a_second_and_no_more() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", *(float(n) for n in range(2_500)))
        service = world.service(max_pending_records=500, kafka={"max_poll_records": 2_500})
        service.start(lambda station_id, module_input: time.sleep(0.01))
        member = service.consumer.members[0]
        fetch, polled_at = member.fetch, [time.monotonic()]

        def noted(timeout_ms: int, max_records: int | None = None) -> Any:
            polled_at.append(time.monotonic())
            return fetch(timeout_ms, max_records)

        world.until(lambda: service.engine.counters.records_received >= 500)
        member.fetch = noted  # type: ignore[method-assign]  # to see when
        world.until(lambda: service.engine.counters.records_received >= 1_300)
        gaps = [after - before for before, after in pairwise(polled_at[1:])]
        assert 5 <= len(gaps)
        assert 1.0 <= min(gaps), "more would only be kept"
        assert 1.5 >= max(gaps), "a rebalance is not to wait for long"
        service.stop()

    in_blocking_world(story)


def test_a_stop_ends_a_start_that_is_under_way() -> None:
    def story(world: BlockingWorld) -> None:
        world.ask(world.broker.stop())
        service = world.service()
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(service.start, world.callback)
            time.sleep(1)
            service.stop()
            world.ask(world.broker.start())
            with pytest.raises(DataAnalysisError, match="was stopped while it started"):
                starting.result()
        world.send("A", 1.0)
        time.sleep(10)
        assert [] == world.calls
        assert not service.get_service_status()["consumer_alive"]

    in_blocking_world(story)


@pytest.mark.parametrize("after_s", [0.0, 1.0, 12.0, 21.0])
@pytest.mark.parametrize("uploads", [True, False], ids=["producer", "consumer"])
@pytest.mark.parametrize("comes_back", [True, False], ids=["back", "away"])
def test_a_start_that_is_stopped_ends_with_the_try_that_is_under_way(
    after_s: float, uploads: bool, comes_back: bool
) -> None:
    def story(world: BlockingWorld) -> None:
        world.ask(world.broker.stop())
        service = world.service(upload_results=uploads)
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(service.start, world.callback)
            time.sleep(after_s)
            service.stop()
            began = time.monotonic()
            if comes_back:
                world.ask(world.broker.start())
            with pytest.raises(DataAnalysisError, match="was stopped while it started"):
                starting.result()
            assert 12 >= time.monotonic() - began
        left = [each.name for each in threading.enumerate() if "data-analysis" in each.name]
        assert [] == left

    in_blocking_world(story)
