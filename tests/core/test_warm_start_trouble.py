"""What a warm start does when rebalances, retention, brokers or the log itself get in the way."""

import asyncio
import json
import logging
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from data_analysis import AsyncDataAnalysisService, async_reader
from data_analysis.kafka.warm_start import CLIENT_ID
from data_analysis.metrics import ServiceMetrics
from station_sim.brokers import TopicSpec
from station_sim.kafka.error_codes import ErrorCode
from tests.core.world import CALENDAR, DATA, EPOCH_MS, World, in_world, small_config

WIDE, OTHER = "OWN-WIDE", "OWN-OTHER"
FOREVER = {"retention.ms": "-1"}
MULTI = {"multi_consumer_mode": True}
PARTITIONS = 4


def _config(*topics: str, window_size: int = 3) -> Any:
    one = {"fields": ["n"], "modules": ["m"], "window_size": window_size}
    return small_config(TOPIC_DETAIL=dict.fromkeys(topics or (WIDE,), one))


def _service(world: World, *topics: str, **options: Any) -> AsyncDataAnalysisService:
    given = {"module_name": "m", "upload_results": False, "warm_start": True, **options}
    return world.service(**{"config": _config(*topics), **given})


async def _send(
    world: World, topic: str, *numbers: int, partitions: int = PARTITIONS, stations: int = 8
) -> None:
    for number in numbers:
        value = json.dumps({"stationId": f"S{number % stations}", "n": number}).encode()
        stamp_ms = EPOCH_MS - 600_000 + number * 1000
        await world.send_raw(topic, value, stamp_ms, number % partitions)


def _held(service: AsyncDataAnalysisService, topic: str, station: str) -> list[Any]:
    return [point["n"] for point in service.dispatcher.get_topic_window(station, topic)]


def _faults(world: World) -> Any:
    return world.broker.simulated.faults  # type: ignore[attr-defined]  # a virtual broker


async def _handled(world: World, *topics: str, count: int) -> None:
    """Have a service handle what is there, and stop."""
    service = _service(world, *topics, warm_start=False)
    await service.start(lambda station_id, given: None)
    await world.until(lambda: service.engine.counters.records_finished == count)
    await service.stop()


def test_who_gets_partitions_of_another_member_has_their_windows() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, PARTITIONS, config=FOREVER))
        seen: dict[str, list[Any]] = {}

        def note(station_id: str, given: dict[str, Any]) -> None:
            seen.setdefault(station_id, []).append(given["n_window"])

        members = [_service(world), _service(world)]
        for member in members:
            await member.start(note)
        await asyncio.sleep(10)
        await _send(world, WIDE, *range(40))
        await world.until(lambda: sum(map(len, seen.values())) == 40)
        assert 4 == len({s for s in seen if _held(members[0], WIDE, s)})
        await members[1].stop()
        await world.until(lambda: len(members[0].consumer.assignment()) == PARTITIONS)
        await world.until(lambda: bool(members[0].health()["ready"]))
        assert [[16 + at, 24 + at, 32 + at] for at in range(8)] == [
            _held(members[0], WIDE, f"S{at}") for at in range(8)
        ]
        await _send(world, WIDE, *range(40, 48))
        await world.until(lambda: sum(map(len, seen.values())) == 48)
        assert [[24 + at, 32 + at, 40 + at] for at in range(8)] == [
            seen[f"S{at}"][-1] for at in range(8)
        ]
        await members[0].stop()

    in_world(story)


def test_a_rebalance_amid_a_warm_start_loses_and_doubles_nothing() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, PARTITIONS, config=FOREVER))
        await _send(world, WIDE, *range(40))
        await _handled(world, count=40)
        await _send(world, WIDE, *range(40, 48))
        seen: list[tuple[str, list[int]]] = []

        def note(station_id: str, given: dict[str, Any]) -> None:
            seen.append((station_id, given["n_window"]))

        members = [_service(world), _service(world)]
        with _faults(world).inject("Fetch", client_id=CLIENT_ID, delay_s=20):
            first = asyncio.create_task(
                members[0].start(lambda s, g: seen.append((s, g["n_window"])))
            )
            await asyncio.sleep(10)
            second = asyncio.create_task(
                members[1].start(lambda s, g: seen.append((s, g["n_window"])))
            )
            await asyncio.sleep(25)
            assert [] == seen
        await first
        await second
        await world.until(lambda: len(seen) == 8)
        await asyncio.sleep(30)
        assert sorted((f"S{at}", [24 + at, 32 + at, 40 + at]) for at in range(8)) == sorted(seen)
        for member in members:
            await member.stop()

    in_world(story)


def test_a_member_that_fills_windows_for_long_stays_in_the_group() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        await _send(world, WIDE, *range(10), partitions=1, stations=1)
        await _handled(world, count=10)
        service = _service(world, kafka={"max_poll_interval_ms": 10_000})
        with _faults(world).inject("Fetch", client_id=CLIENT_ID, delay_s=8) as fetches:
            await service.start(lambda station_id, given: None)
        assert fetches.hits > 1
        assert [7, 8, 9] == _held(service, WIDE, "S0")
        await service.stop()

    in_world(story)


def test_only_what_retention_has_left_comes_back() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        await _send(world, WIDE, *range(10), partitions=1, stations=1)
        await _handled(world, count=10)
        await world.broker.cut_head(WIDE, 0, before_offset=8)
        service = _service(world)
        await service.start(lambda station_id, given: None)
        assert [8, 9] == _held(service, WIDE, "S0")
        await service.stop()

    in_world(story)


def test_retention_that_passes_what_is_being_read_leaves_the_rest() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        await _send(world, WIDE, *range(2000), partitions=1, stations=1)
        await _handled(world, count=2000)
        service = _service(world, config=_config(window_size=1000), kafka={"max_poll_records": 10})
        with _faults(world).inject("Fetch", client_id=CLIENT_ID, skip=2, answer=1, count=1):
            starting = asyncio.create_task(service.start(lambda station_id, given: None))
            await asyncio.sleep(0.05)
            await world.broker.cut_head(WIDE, 0, before_offset=1900)
            await starting
        assert 1999 == _held(service, WIDE, "S0")[-1]
        assert 100 <= len(_held(service, WIDE, "S0")) <= 1000
        assert [] == world.gaps
        await service.stop()

    in_world(story)


def test_retention_that_has_passed_the_committed_offset_leaves_nothing_to_read_again() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        await _send(world, WIDE, *range(4), partitions=1, stations=1)
        await _handled(world, count=4)
        await _send(world, WIDE, *range(4, 10), partitions=1, stations=1)
        await world.broker.cut_head(WIDE, 0, before_offset=8)
        seen: list[Any] = []
        service = _service(world)
        await service.start(lambda station_id, given: seen.append(given["n_window"]))
        await world.until(lambda: len(seen) == 2)
        await service.stop()
        assert [[None, None, 8], [None, 8, 9]] == seen
        assert [(4, 8)] == [(gap.start_offset, gap.end_offset) for gap in world.gaps]

    in_world(story)


def test_markers_of_transactions_before_the_position_are_no_records() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        producer = AIOKafkaProducer(bootstrap_servers=world.broker.bootstrap, transactional_id="t")
        await producer.start()
        for number in range(5):
            async with producer.transaction():
                value = json.dumps({"stationId": "S0", "n": number}).encode()
                await producer.send_and_wait(WIDE, value)
        await producer.stop()
        await _handled(world, count=5)
        # Behind the last marker, where another tool may have put the group.
        consumer = AIOKafkaConsumer(
            bootstrap_servers=world.broker.bootstrap,
            group_id="service-tests",
            enable_auto_commit=False,
        )
        consumer.assign([TopicPartition(WIDE, 0)])
        await consumer.start()
        await consumer.commit({TopicPartition(WIDE, 0): 10})
        await consumer.stop()
        service = _service(world)
        await service.start(lambda station_id, given: None)
        assert [2, 3, 4] == _held(service, WIDE, "S0")
        await service.stop()

    in_world(story)


def test_empty_partitions_and_new_groups_have_nothing_to_read_again() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, PARTITIONS, config=FOREVER))
        await _send(world, WIDE, 1, 5, 9)
        seen: list[Any] = []
        service = _service(world)
        await service.start(lambda station_id, given: seen.append(given["n"]))
        await world.until(lambda: len(seen) == 3)
        await service.stop()
        assert [1, 5, 9] == sorted(seen)
        assert 0 == service.engine.counters.records_read_again

    in_world(story)


def test_a_group_that_begins_at_the_end_has_the_windows_of_what_came_before() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        await _send(world, WIDE, *range(10), partitions=1, stations=1)
        seen: list[Any] = []
        service = _service(world, auto_offset_reset="latest")
        await service.start(lambda station_id, given: seen.append(given["n_window"]))
        await _send(world, WIDE, 10, partitions=1, stations=1)
        await world.until(lambda: bool(seen))
        await service.stop()
        assert [[8, 9, 10]] == seen

    in_world(story)


def test_a_broker_that_is_away_for_minutes_amid_a_warm_start_is_waited_for() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        await _send(world, WIDE, *range(2000), partitions=1, stations=1)
        await _handled(world, count=2000)
        service = _service(world, config=_config(window_size=2000))
        seen: list[Any] = []
        with _faults(world).inject("Fetch", client_id=CLIENT_ID, skip=2, delay_s=2):
            starting = asyncio.create_task(
                service.start(lambda station_id, given: seen.append(given["n_window"]))
            )
            await asyncio.sleep(3)
            await world.broker.kill()
            await asyncio.sleep(180)
            health = service.health()
            assert not health["ready"]
            assert health["reason"].startswith("warm start: ")
            await world.broker.start()
        await starting
        await world.until(lambda: bool(service.health()["ready"]), within_s=120)
        assert list(range(2000)) == _held(service, WIDE, "S0")
        await _send(world, WIDE, 2000, partitions=1, stations=1)
        await world.until(lambda: bool(seen))
        assert [list(range(1, 2001))] == seen
        await service.stop()

    in_world(story)


@pytest.mark.parametrize(
    ("answer", "within_s"),
    [(ErrorCode.NOT_LEADER_OR_FOLLOWER, 400), (ErrorCode.TOPIC_AUTHORIZATION_FAILED, 30)],
)
def test_what_cannot_be_read_again_is_read_on_after_a_limit(
    answer: ErrorCode, within_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(
            TopicSpec(WIDE, 1, config=FOREVER), TopicSpec(OTHER, 1, config=FOREVER)
        )
        await _send(world, WIDE, *range(10), partitions=1, stations=1)
        await _send(world, OTHER, *range(10), partitions=1, stations=1)
        await _handled(world, WIDE, OTHER, count=20)
        seen: list[Any] = []
        service = _service(world, WIDE, OTHER)
        with _faults(world).inject("ListOffsets", client_id=CLIENT_ID, topic=WIDE, answer=answer):
            await service.start(lambda station_id, given: seen.append(given))
            await world.until(lambda: bool(service.health()["ready"]), within_s=within_s)
        assert [] == _held(service, WIDE, "S0")
        await _send(world, WIDE, 10, partitions=1, stations=1)
        await world.until(lambda: bool(seen))
        await service.stop()

    with caplog.at_level(logging.ERROR):
        in_world(story)
    assert "warm start: windows of OWN-WIDE are not filled: " in caplog.text


@pytest.mark.parametrize("kafka", [{}, MULTI], ids=["single", "multi"])
def test_no_topic_is_read_before_the_windows_of_all_are_filled(kafka: dict[str, Any]) -> None:
    async def story(world: World) -> None:
        for topic in (WIDE, OTHER):
            await world.broker.make_topics(TopicSpec(topic, 1, config=FOREVER))
            await _send(world, topic, *range(10), partitions=1, stations=1)
        before = _service(world, WIDE, OTHER, kafka=kafka)
        await before.start(lambda station_id, given: None)
        await world.until(lambda: before.engine.counters.records_finished == 20)
        await before.stop()
        await _send(world, OTHER, 10, partitions=1, stations=1)
        seen: list[Any] = []
        service = _service(world, WIDE, OTHER, kafka=kafka)
        with _faults(world).inject("Fetch", client_id=CLIENT_ID, topic=WIDE, delay_s=5):
            await service.start(lambda station_id, given: seen.append(given))
        await world.until(lambda: bool(seen))
        await service.stop()
        [given] = seen
        assert [7, 8, 9] == given[f"{WIDE}.n_window"]
        assert [8, 9, 10] == given[f"{OTHER}.n_window"]

    in_world(story)


def test_the_service_is_not_ready_while_windows_are_filled_and_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(async_reader, "START_TIMEOUT_SECONDS", 20.0)

    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        await _send(world, WIDE, *range(600), partitions=1, stations=1)
        await _handled(world, count=600)
        kafka = {"max_partition_fetch_bytes": 1024, "max_poll_records": 10}
        service = _service(world, config=_config(window_size=600), kafka=kafka)
        seen: list[Any] = []
        with _faults(world).inject("Fetch", client_id=CLIENT_ID, delay_s=2):
            await service.start(lambda station_id, given: seen.append(given))
            health = service.health()
            up = next(each for each in ServiceMetrics(service, lambda: 0.0).collect())
            assert (False, True, "degraded") == (health["ready"], health["live"], health["status"])
            assert health["reason"].startswith(f"warm start: {WIDE}, ")
            assert health["reason"].endswith(" offsets read again")
            assert 0.0 == up.samples[0].value
            await world.until(lambda: bool(service.health()["ready"]), within_s=600)
        assert (None, "ok") == (service.health()["reason"], service.health()["status"])
        assert 600 == service.engine.counters.records_read_again
        assert list(range(600)) == _held(service, WIDE, "S0")
        assert [] == seen
        await service.stop()

    with caplog.at_level(logging.INFO, "data_analysis.kafka.warm_start"):
        in_world(story)
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("warm_start")]
    assert (
        f"warm start: {WIDE} has the windows of 1 stations, from 600 records of 1 partitions"
        in (lines)
    )
    assert any(line.endswith("of 600 offsets read again") for line in lines)


def test_bad_records_are_neither_refused_nor_buried_again() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        await world.send_raw(DATA, b"not json")
        await world.send_raw(CALENDAR, b'{"calendar": [{"date": "d1"}]}')
        for expected in (1, 0):
            service = world.service(warm_start=True, dead_letter_topic="DEAD")
            await service.start(world.callback)
            await asyncio.sleep(10)
            assert expected == service.engine.counters.dead_letters
            assert [{"date": "d1"}] == service._global_data_cache[CALENDAR]["calendar"]
            await service.stop()
            assert 2 == len(world.calls)

    in_world(story)


def test_a_station_that_was_removed_meanwhile_stays_removed() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        await world.send("B", 3.0)
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 3)
        await service.stop()
        again = world.service(warm_start=True)
        await again.remove_station("A")
        await again.start(world.callback)
        assert ["B"] == again.dispatcher.station_ids()
        await again.stop()

    in_world(story)


def test_a_stop_ends_a_warm_start() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        await _send(world, WIDE, *range(10), partitions=1, stations=1)
        await _handled(world, count=10)
        service = _service(world)
        with _faults(world).inject("Fetch", client_id=CLIENT_ID, delay_s=3600):
            starting = asyncio.create_task(service.start(lambda station_id, given: None))
            await asyncio.sleep(5)
            await asyncio.wait_for(service.stop(), timeout=10)
            starting.cancel()
        assert 0 == service.engine.counters.records_read_again
        assert not any("_fill" in str(task) for task in asyncio.all_tasks())

    in_world(story)
