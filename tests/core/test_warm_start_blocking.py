"""The blocking service's warm start, amid rebalances, without a broker, and ended in its middle."""

import threading
import time
from typing import Any

import pytest

from data_analysis import DataAnalysisService, sync_reader
from data_analysis.kafka.warm_start import CLIENT_ID
from tests.core.blocking_world import WIDE, BlockingWorld, in_blocking_world

PARTITIONS = 4


def _handled(world: BlockingWorld, count: int) -> None:
    """Have a service handle the first `count` records, and stop."""
    world.make_wide(PARTITIONS)
    world.send_wide(range(count), PARTITIONS)
    service = world.wide_service(upload_results=False)
    service.start(lambda station_id, given: None)
    world.until(lambda: service.engine.counters.records_finished == count)
    service.stop()


def _held(service: DataAnalysisService) -> list[Any]:
    return [
        [point["n"] for point in service.dispatcher.get_topic_window(f"S{at}", WIDE)]
        for at in range(8)
    ]


def _warm(world: BlockingWorld) -> DataAnalysisService:
    return world.wide_service(upload_results=False, warm_start=True)


def test_who_gets_partitions_of_another_member_has_their_windows() -> None:
    def story(world: BlockingWorld) -> None:
        _handled(world, 40)
        seen: list[tuple[str, list[Any]]] = []
        members = [_warm(world), _warm(world)]
        for member in members:
            member.start(lambda station_id, given: seen.append((station_id, given["n_window"])))
        world.until(lambda: all(len(each.consumer.assignment()) == 2 for each in members))
        members[1].stop()
        world.until(lambda: len(members[0].consumer.assignment()) == PARTITIONS)
        world.until(lambda: bool(members[0].health()["ready"]))
        assert [list(range(at, 40, 8)) for at in range(8)] == _held(members[0])
        world.send_wide(range(40, 48), PARTITIONS)
        world.until(lambda: len(seen) == 8)
        assert sorted((f"S{at}", list(range(8 + at, 48, 8))) for at in range(8)) == sorted(seen)
        members[0].stop()

    in_blocking_world(story)


def test_it_is_not_ready_before_and_waits_for_a_broker_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sync_reader, "START_TIMEOUT_SECONDS", 5.0)

    def story(world: BlockingWorld) -> None:
        _handled(world, 40)
        service = _warm(world)
        with world.simulated.faults.inject("Fetch", client_id=CLIENT_ID, delay_s=10):
            service.start(lambda station_id, given: None)
            health = service.health()
            assert (False, True, "degraded") == (health["ready"], health["live"], health["status"])
            assert health["reason"].startswith("warm start: ")
            world.ask(world.broker.stop())
        time.sleep(120)
        assert not service.health()["ready"]
        world.ask(world.broker.start())
        world.until(lambda: bool(service.health()["ready"]), within_s=120)
        assert [list(range(at, 40, 8)) for at in range(8)] == _held(service)
        service.stop()

    in_blocking_world(story)


def test_a_stop_ends_a_warm_start() -> None:
    def story(world: BlockingWorld) -> None:
        _handled(world, 40)
        service = _warm(world)
        with world.simulated.faults.inject("Fetch", client_id=CLIENT_ID, delay_s=10):
            starting = threading.Thread(
                target=lambda: service.start(lambda station_id, given: None)
            )
            starting.start()
            world.until(lambda: bool(service.health()["trouble"]))
            time.sleep(2)
            before = time.monotonic()
            service.stop()
            assert time.monotonic() - before < 10
            starting.join()
        assert 0 == service.engine.counters.records_read_again

    in_blocking_world(story)
