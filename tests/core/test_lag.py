"""`get_lag_info` and the reasons for empty polls, with real numbers and without being awaited."""

import asyncio
import inspect
import json
import logging
from typing import Any

import pytest

from data_analysis import AsyncDataAnalysisService, ConfigurationError
from data_analysis.kafka.async_lag import LagWatch
from data_analysis.lag import NOT_REFRESHED, PartitionLag, show_lags
from station_sim.brokers import TopicSpec, open_broker
from station_sim.kafka.error_codes import ErrorCode
from tests.core.world import CALENDAR, DATA, World, in_world, small_config


@pytest.mark.parametrize(
    ("committed", "start", "end", "lag"),
    [
        (5, 0, 9, 4),
        (5, 7, 9, 2),
        (None, 3, 9, 6),
        (9, None, 9, 0),
        (9, 0, 4, 0),
    ],
)
def test_lag_counts_from_the_commit_or_from_the_log_s_start(
    committed: int | None, start: int | None, end: int, lag: int
) -> None:
    assert lag == PartitionLag(None, committed, start, end).lag


def test_lags_are_shown_by_topic_and_partition() -> None:
    lags = {("B", 1): PartitionLag(3, 2, 0, 4), ("B", 0): PartitionLag(None, None, 1, 4)}
    shown = show_lags(lags, ["A", "B"])
    assert {} == shown["A"]
    assert [0, 1] == list(shown["B"])
    assert {"current_offset": 3, "committed_offset": 2, "end_offset": 4, "lag": 2} == shown["B"][1]


def _data(service: AsyncDataAnalysisService) -> dict[str, int | None]:
    return service.consumer.get_lag_info()[DATA].get(0, {})


def test_lag_is_what_is_there_and_not_committed() -> None:
    async def story(world: World) -> None:
        gate = asyncio.Event()

        async def third_waits(station_id: str, given: dict[str, Any]) -> None:
            if given["totalPower"] == 3.0:
                await gate.wait()

        service = world.service(max_pending_records=2)
        assert not inspect.iscoroutinefunction(service.consumer.get_lag_info)
        assert {DATA: {}, CALENDAR: {}} == service.consumer.get_lag_info()
        await world.send("A", *(float(number) for number in range(1, 11)))
        await service.start(third_waits)
        await asyncio.sleep(20)
        shown = _data(service)
        # No more is read than has room: where reading stands is between the two.
        assert 2 <= shown.pop("current_offset") <= 2 + 2 * 2
        assert {"committed_offset": 2, "end_offset": 10, "lag": 8} == shown
        assert 0 == service.consumer.get_lag_info()[CALENDAR][0]["lag"]
        await world.broker.cut_head(DATA, 0, before_offset=6)
        await world.send("A", 11.0)
        await asyncio.sleep(6)
        assert (11, 5) == (_data(service)["end_offset"], _data(service)["lag"])
        gate.set()
        await world.until(lambda: _data(service)["lag"] == 0)
        await service.stop()

    in_world(story)


def test_the_refresh_follows_its_option_and_gets_over_an_outage() -> None:
    async def story(world: World) -> None:
        service = world.service(lag_refresh_seconds=60, upload_results=False)
        await service.start(world.callback)
        await asyncio.sleep(1)
        await world.send("A", 1.0)
        await asyncio.sleep(50)
        assert 0 == _data(service)["end_offset"]
        await asyncio.sleep(15)
        assert 1 == _data(service)["end_offset"]
        await world.broker.stop()
        await asyncio.sleep(90)
        assert 1 == _data(service)["end_offset"]
        await world.broker.start()
        await world.send("A", 2.0)
        await world.until(lambda: _data(service)["end_offset"] == 2, within_s=150)
        await service.stop()

    in_world(story)


def test_an_error_that_nobody_has_foreseen_is_said_and_the_refresh_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refresh, fails = LagWatch.refresh, [True]

    async def refresh_or_not(self: LagWatch) -> None:
        if fails:
            raise ValueError("unforeseen")
        await refresh(self)

    monkeypatch.setattr(LagWatch, "refresh", refresh_or_not)

    async def story(world: World) -> None:
        service = world.service(lag_refresh_seconds=60, upload_results=False)
        await service.start(world.callback)
        await asyncio.sleep(30)
        fails.clear()
        await world.send("A", 1.0)
        await world.until(lambda: _data(service).get("end_offset") == 1, within_s=90)
        await service.stop()

    in_world(story)
    (record,) = [each for each in caplog.records if each.getMessage() == NOT_REFRESHED]
    assert isinstance(record.exc_info[1], ValueError)  # type: ignore[index]


def test_a_refresh_that_is_no_time_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="lag_refresh_seconds must be a number > 0"):
        AsyncDataAnalysisService(lag_refresh_seconds=0)


# Empty polls: each cause in a running service.


def _cause(service: AsyncDataAnalysisService, topic: str = DATA) -> str:
    return service.explain_empty_polls()[topic]["cause"]


def _faults(world: World) -> Any:
    return world.broker.simulated.faults  # type: ignore[attr-defined]  # a virtual broker


def test_no_new_messages_is_said_at_debug_after_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        service = world.service()
        assert {} == service.explain_empty_polls()
        await service.start(world.callback)
        await world.send("A", 1.0)
        await asyncio.sleep(55)
        assert "no records of" not in caplog.text
        await asyncio.sleep(120)
        assert "no_new_messages" == _cause(service)
        await service.stop()

    with caplog.at_level(logging.DEBUG, "data_analysis"):
        in_world(story)
    lines = [each for each in caplog.records if "no records of" in each.getMessage()]
    assert {DATA, CALENDAR} == {each.getMessage().split(":")[0].split()[-1] for each in lines}
    assert 2 == len(lines), "each cause is said once"
    assert {logging.DEBUG} == {each.levelno for each in lines}


def test_records_further_apart_than_the_wait_of_a_fetch() -> None:
    async def story(world: World) -> None:
        service = world.service()
        await service.start(world.callback)
        for number in range(3):
            await world.send("A", float(number))
            await asyncio.sleep(7)
        found = service.explain_empty_polls()[DATA]
        assert "fetch_max_wait_ms" == found["cause"]
        assert "fetch_max_wait_ms=500" in found["text"]
        await service.stop()

    in_world(story)


def test_records_that_wait_for_fetch_min_bytes() -> None:
    async def story(world: World) -> None:
        waits = {"fetch_min_bytes": 100_000, "fetch_max_wait_ms": 30_000}
        service = world.service(kafka=waits, lag_refresh_seconds=1)
        await service.start(world.callback)
        await asyncio.sleep(1)
        await world.send("A", 1.0)
        await asyncio.sleep(5)
        found = service.explain_empty_polls()[DATA]
        assert "fetch_min_bytes" == found["cause"]
        assert "1 unread records wait until there are fetch_min_bytes=100000" in found["text"]
        await world.until(lambda: len(world.calls) == 1)
        await service.stop()

    in_world(story)


def test_a_backlog_of_which_nothing_comes_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        service = world.service()
        await service.start(world.callback)
        with _faults(world).inject("Fetch", topic=DATA, delay_s=500):
            await world.send("A", 1.0)
            await asyncio.sleep(100)
            assert "backlog" == _cause(service)
            assert 1 == _data(service)["lag"]
        await service.stop()

    in_world(story)
    (line,) = [each for each in caplog.records if "no records of" in each.getMessage()]
    assert logging.WARNING == line.levelno
    assert "1 records are unread and none comes" in line.getMessage()


def test_paused_partitions() -> None:
    async def story(world: World) -> None:
        async def hangs(station_id: str, given: dict[str, Any]) -> None:
            await asyncio.sleep(600)

        await world.send("A", 1.0, 2.0, 3.0)
        service = world.service(max_pending_records=1)
        await service.start(hangs)
        await asyncio.sleep(10)
        assert "paused" == _cause(service)
        await service.stop()

    in_world(story)


def test_a_position_that_is_not_known_and_one_that_is_out_of_range() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 2)
        unanswered = _faults(world).inject(
            "ListOffsets", topic=DATA, answer=ErrorCode.UNKNOWN_SERVER_ERROR
        )
        refused = _faults(world).inject("Fetch", topic=DATA, answer=ErrorCode.OFFSET_OUT_OF_RANGE)
        with unanswered:
            with refused:
                await world.until(lambda: _cause(service) == "out_of_range")
                assert "partition 0" in service.explain_empty_polls()[DATA]["text"]
            await service.stop()
        again = world.service()
        with _faults(world).inject("OffsetFetch", delay_s=10):
            starting = asyncio.create_task(again.start(world.callback))
            await world.until(lambda: _cause_or_none(again) == "position_unknown")
            await starting
        await again.stop()

    in_world(story)


def _cause_or_none(service: AsyncDataAnalysisService) -> str | None:
    return service.explain_empty_polls().get(DATA, {}).get("cause")


def test_partitions_that_others_read_and_polls_that_fail() -> None:
    async def story(world: World) -> None:
        services = [world.service(instance_id=name) for name in ("one", "two")]
        for service in services:
            await service.start(world.callback)
        await asyncio.sleep(10)
        causes = [_cause(service) for service in services]
        assert 1 == causes.count("not_assigned")
        reader = services[causes.index("no_new_messages")]
        with _faults(world).inject(
            "Fetch", topic=DATA, answer=ErrorCode.TOPIC_AUTHORIZATION_FAILED
        ):
            await world.until(lambda: _cause(reader) == "poll_error")
        for service in services:
            await service.stop()

    in_world(story)


def test_reasons_and_numbers_can_be_asked_for_from_any_thread() -> None:
    async def main() -> None:
        async with open_broker("embedded") as broker:
            await broker.make_topics(TopicSpec(DATA, 1), TopicSpec(CALENDAR, 1))
            config = {"bootstrap_servers": [broker.bootstrap], "group_id": "g"}
            service = AsyncDataAnalysisService(
                config=small_config(), kafka_config=config, upload_results=False
            )
            await service.start()
            async with asyncio.timeout(60):
                while not _data(service):
                    await asyncio.sleep(0.05)
            found = await asyncio.to_thread(service.explain_empty_polls)
            assert "no_new_messages" == found[DATA]["cause"]
            assert 0 == (await asyncio.to_thread(_data, service))["lag"]
            await service.stop()

    asyncio.run(main())


def test_numbers_can_be_written_as_json() -> None:
    async def story(world: World) -> None:
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: bool(_data(service)))
        assert json.loads(json.dumps(service.consumer.get_lag_info()))[DATA]["0"]["lag"] == 0
        await service.stop()

    in_world(story)
