"""The blocking service's lag, reasons for empty polls and metrics, with real numbers."""

import inspect
import json
import logging
import threading
import time
from typing import Any

import pytest

from data_analysis import ConfigurationError, DataAnalysisService, KafkaConsumerClient
from data_analysis.kafka.sync_lag import LagWatch
from data_analysis.lag import NOT_REFRESHED
from data_analysis.metrics import ServiceMetrics
from station_sim.kafka.error_codes import ErrorCode
from tests.core.blocking_world import BlockingWorld, in_blocking_world
from tests.core.world import CALENDAR, DATA


def _data(service: DataAnalysisService) -> dict[str, int | None]:
    return service.consumer.get_lag_info()[DATA].get(0, {})


def _cause(service: DataAnalysisService, topic: str = DATA) -> str | None:
    return service.explain_empty_polls().get(topic, {}).get("cause")


def test_lag_is_what_is_there_and_not_committed() -> None:
    def story(world: BlockingWorld) -> None:
        gate = threading.Event()

        def third_waits(station_id: str, given: dict[str, Any]) -> None:
            if given["totalPower"] == 3.0:
                gate.wait()

        service = world.service(max_pending_records=2)
        assert not inspect.iscoroutinefunction(service.consumer.get_lag_info)
        assert {DATA: {}, CALENDAR: {}} == service.consumer.get_lag_info()
        world.send("A", *(float(number) for number in range(1, 11)))
        service.start(third_waits)
        time.sleep(20)
        shown = _data(service)
        assert 2 <= (shown.pop("current_offset") or 0) <= 10
        assert {"committed_offset": 2, "end_offset": 10, "lag": 8} == shown
        assert 0 == service.consumer.get_lag_info()[CALENDAR][0]["lag"]
        world.ask(world.broker.cut_head(DATA, 0, before_offset=6))
        world.send("A", 11.0)
        time.sleep(6)
        assert (11, 5) == (_data(service)["end_offset"], _data(service)["lag"])
        gate.set()
        world.until(lambda: _data(service)["lag"] == 0)
        assert json.loads(json.dumps(service.consumer.get_lag_info()))[DATA]["0"]["lag"] == 0
        service.stop()

    in_blocking_world(story)


def test_the_refresh_follows_its_option_and_gets_over_an_outage() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(lag_refresh_seconds=60, upload_results=False)
        service.start(world.callback)
        time.sleep(1)
        world.send("A", 1.0)
        time.sleep(50)
        assert 0 == _data(service)["end_offset"]
        time.sleep(15)
        assert 1 == _data(service)["end_offset"]
        world.ask(world.broker.stop())
        time.sleep(90)
        assert 1 == _data(service)["end_offset"]
        assert any("Kafka does not answer" in line for line in service.health()["trouble"])
        world.ask(world.broker.start())
        world.send("A", 2.0)
        world.until(lambda: _data(service)["end_offset"] == 2, within_s=150)
        service.stop()

    in_blocking_world(story)


def test_a_topic_that_is_not_answered_for_keeps_its_numbers_and_the_others_go_on() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        service.start(world.callback)
        world.until(lambda: bool(_data(service)))
        with world.simulated.faults.inject(
            "ListOffsets", topic=CALENDAR, answer=ErrorCode.UNKNOWN_SERVER_ERROR
        ):
            world.send("A", 1.0)
            world.until(lambda: _data(service)["end_offset"] == 1)
            assert 0 == service.consumer.get_lag_info()[CALENDAR][0]["end_offset"]
        service.stop()

    in_blocking_world(story)


def test_the_client_alone_tells_of_its_lag() -> None:
    def story(world: BlockingWorld) -> None:
        client = KafkaConsumerClient([DATA], world.kafka_config(), lag_refresh_seconds=1)
        world.send("A", 1.0, 2.0, 3.0)
        while not client.poll():
            pass
        client.commit({(DATA, 0): (1, "")})
        wanted = {"current_offset": 3, "committed_offset": 1, "end_offset": 3, "lag": 2}
        world.until(lambda: client.get_lag_info() == {DATA: {0: wanted}})
        client.close()

    in_blocking_world(story)


def test_an_error_that_nobody_has_foreseen_is_said_and_the_refresh_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refresh, fails = LagWatch.refresh, [True]

    def refresh_or_not(self: LagWatch) -> None:
        if fails:
            raise ValueError("unforeseen")
        refresh(self)

    monkeypatch.setattr(LagWatch, "refresh", refresh_or_not)

    def story(world: BlockingWorld) -> None:
        service = world.service(lag_refresh_seconds=60, upload_results=False)
        service.start(world.callback)
        time.sleep(30)
        fails.clear()
        world.send("A", 1.0)
        world.until(lambda: _data(service).get("end_offset") == 1, within_s=90)
        service.stop()

    in_blocking_world(story)
    (record,) = [each for each in caplog.records if each.getMessage() == NOT_REFRESHED]
    assert isinstance(record.exc_info[1], ValueError)  # type: ignore[index]


def test_a_refresh_that_is_no_time_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="lag_refresh_seconds must be a number > 0"):
        DataAnalysisService(lag_refresh_seconds=0)


# Empty polls: each cause in a running service.


def test_no_new_messages_is_said_at_debug_after_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        assert {} == service.explain_empty_polls()
        service.start(world.callback)
        world.send("A", 1.0)
        time.sleep(55)
        assert "no records of" not in caplog.text
        time.sleep(120)
        assert "no_new_messages" == _cause(service)
        service.stop()

    with caplog.at_level(logging.DEBUG, "data_analysis"):
        in_blocking_world(story)
    lines = [each for each in caplog.records if "no records of" in each.getMessage()]
    assert {DATA, CALENDAR} == {each.getMessage().split(":")[0].split()[-1] for each in lines}
    assert 2 == len(lines), "each cause is said once"
    assert {logging.DEBUG} == {each.levelno for each in lines}


def test_records_further_apart_than_the_wait_of_a_fetch() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        service.start(world.callback)
        for number in range(3):
            world.send("A", float(number))
            time.sleep(7)
        found = service.explain_empty_polls()[DATA]
        assert "fetch_max_wait_ms" == found["cause"]
        assert "fetch_max_wait_ms=500" in found["text"]
        service.stop()

    in_blocking_world(story)


def test_records_that_wait_for_fetch_min_bytes() -> None:
    def story(world: BlockingWorld) -> None:
        waits = {"fetch_min_bytes": 100_000, "fetch_max_wait_ms": 30_000}
        service = world.service(kafka=waits, lag_refresh_seconds=1)
        service.start(world.callback)
        time.sleep(1)
        world.send("A", 1.0)
        time.sleep(5)
        found = service.explain_empty_polls()[DATA]
        assert "fetch_min_bytes" == found["cause"]
        assert "1 unread records wait until there are fetch_min_bytes=100000" in found["text"]
        world.until(lambda: len(world.calls) == 1)
        service.stop()

    in_blocking_world(story)


def test_a_backlog_of_which_nothing_comes_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        service.start(world.callback)
        with world.simulated.faults.inject("Fetch", topic=DATA, delay_s=500):
            world.send("A", 1.0)
            time.sleep(100)
            assert "backlog" == _cause(service)
            assert 1 == _data(service)["lag"]
        service.stop()

    in_blocking_world(story)
    lines = [each for each in caplog.records if "no records of" in each.getMessage()]
    (line,) = [each for each in lines if DATA in each.getMessage()]
    assert logging.WARNING == line.levelno
    assert "1 records are unread and none comes" in line.getMessage()


def test_paused_partitions() -> None:
    def story(world: BlockingWorld) -> None:
        gate = threading.Event()
        world.send("A", 1.0, 2.0, 3.0)
        service = world.service(max_pending_records=1, stop_timeout_seconds=0)
        service.start(lambda station_id, given: gate.wait())
        time.sleep(10)
        assert "paused" == _cause(service)
        gate.set()
        service.stop()

    in_blocking_world(story)


def test_a_position_that_is_not_known_and_one_that_is_out_of_range() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0, 2.0)
        service = world.service()
        service.start(world.callback)
        world.until(lambda: len(world.calls) == 2)
        faults = world.simulated.faults
        with (
            faults.inject("ListOffsets", topic=DATA, answer=ErrorCode.UNKNOWN_SERVER_ERROR),
            faults.inject("Fetch", topic=DATA, answer=ErrorCode.OFFSET_OUT_OF_RANGE),
        ):
            world.until(lambda: _cause(service) == "out_of_range")
            assert "partition 0" in service.explain_empty_polls()[DATA]["text"]
            service.stop()
        again = world.service()
        with faults.inject("OffsetFetch", delay_s=4):
            starting = threading.Thread(target=again.start, args=(world.callback,))
            starting.start()
            world.until(lambda: _cause(again) == "position_unknown")
            starting.join()
        again.stop()

    in_blocking_world(story)


def test_partitions_that_others_read_and_polls_that_fail() -> None:
    def story(world: BlockingWorld) -> None:
        services = [world.service(instance_id=name) for name in ("one", "two")]
        for service in services:
            service.start(world.callback)
        time.sleep(10)
        causes = [_cause(service) for service in services]
        assert 1 == causes.count("not_assigned")
        reader = services[causes.index("no_new_messages")]
        with world.simulated.faults.inject(
            "Fetch", topic=DATA, answer=ErrorCode.TOPIC_AUTHORIZATION_FAILED
        ):
            world.until(lambda: _cause(reader) == "poll_error")
        for service in services:
            service.stop()

    in_blocking_world(story)


# Metrics.


def test_metrics_have_counters_lag_and_ages() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        found = ServiceMetrics(service, time.time)
        assert 0.0 == _values(found)["data_analysis_up", ()]
        service.start(world.callback)
        world.send("A", 1.0, 2.0)
        world.until(lambda: service.engine.counters.results_uploaded == 2)
        world.until(lambda: _data(service).get("committed_offset") == 2)
        values = _values(found)
        assert 1.0 == values["data_analysis_up", ()]
        assert 1.0 == values["data_analysis_stations", ()]
        assert 2.0 == values["data_analysis_records_received_total", ()]
        assert 2.0 == values["data_analysis_callback_seconds_count", ()]
        assert 2.0 == values["data_analysis_uploads_total", ("results_uploaded",)]
        assert 0.0 == values["data_analysis_consumer_lag_records", ("0", DATA)]
        assert ("data_analysis_newest_point_age_seconds", (DATA,)) in values
        service.stop()
        assert 0.0 == _values(found)["data_analysis_up", ()]

    in_blocking_world(story)


def _values(metrics: ServiceMetrics) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in metrics.collect()
        for sample in family.samples
        if "le" not in sample.labels
    }
