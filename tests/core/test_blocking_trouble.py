"""The blocking service when Kafka moves partitions, loses offsets, goes away, or refuses."""

import json
import threading
import time
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError
from kafka.structs import OffsetAndMetadata

from data_analysis import GapCause, OffsetManager
from data_analysis.kafka.sync_commits import Committer
from data_analysis.observe import Counters
from station_sim.kafka.error_codes import ErrorCode
from tests.core.blocking_world import WIDE, BlockingWorld, in_blocking_world
from tests.core.world import DATA, DEAD, OUTPUT


def _consume(world: BlockingWorld, count: int) -> None:
    """Let a service handle `count` records and stop."""
    service = world.service()
    service.start(world.callback)
    world.until(lambda: service.engine.counters.records_finished == count)
    service.stop()


def _powers(world: BlockingWorld) -> list[float]:
    return [json.loads(each.value)["output"]["power"] for each in world.sent(OUTPUT)]


# Rebalances.


def test_members_share_partitions_and_every_record_is_handled_once() -> None:
    def story(world: BlockingWorld) -> None:
        world.make_wide(4)
        calls: list[Any] = []

        def note(station_id: str, module_input: dict[str, Any]) -> None:
            time.sleep(0.05)
            calls.append((station_id, module_input["n"]))

        first, second = world.wide_service(), world.wide_service()
        first.start(note)
        world.send_wide(range(40), 4)
        joining = threading.Thread(target=second.start, args=(note,))
        joining.start()
        world.send_wide(range(40, 80), 4)
        joining.join()
        world.until(lambda: len(second.consumer.assignment()) == 2)
        world.send_wide(range(80, 120), 4)
        world.until(lambda: len(set(calls)) == 120)
        second.stop()
        world.until(lambda: len(first.consumer.assignment()) == 4)
        first.stop()
        assert [30] * 4 == [world.committed(WIDE, at) for at in range(4)]
        assert 120 == len(calls), "a clean rebalance hands nothing over twice"
        assert [] == world.gaps

    in_blocking_world(story)


def test_revocation_waits_for_work_and_for_its_commit_within_a_limit() -> None:
    def story(world: BlockingWorld) -> None:
        gate = threading.Event()
        world.send("A", 1.0)
        first = world.service(stop_timeout_seconds=0)
        first.start(lambda station_id, module_input: gate.wait())
        world.until(lambda: first.engine.in_flight == 1)
        second = world.service()
        began = time.monotonic()
        second.start(world.callback)
        assert 15 > time.monotonic() - began
        world.until(lambda: first.engine.in_flight == 0, within_s=30)
        gate.set()
        first.stop()
        world.until(lambda: len(world.calls) == 1)
        second.stop()
        assert 1 == world.committed()
        assert 0 == first.engine.counters.records_finished

    in_blocking_world(story)


def test_a_member_whose_session_ended_gives_up_and_comes_back() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0)
        service = world.service(kafka={"session_timeout_ms": 10_000})
        service.start(world.callback)
        world.until(lambda: service.engine.counters.records_finished == 1)
        with world.simulated.faults.inject(
            "Heartbeat", answer=ErrorCode.UNKNOWN_MEMBER_ID, count=1
        ):
            time.sleep(20)
        world.send("A", 2.0, first_s=15)
        world.until(lambda: service.engine.counters.records_finished == 2)
        service.stop()
        assert 2 == world.committed()
        assert [] == world.gaps

    in_blocking_world(story)


def test_a_coordinator_that_does_not_answer_costs_no_core_and_holds_no_records_up() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(kafka={"heartbeat_interval_ms": 1000})
        service.start(world.callback)
        coordinator = service.consumer.get_consumer()._coordinator
        polls: list[float] = []
        poll = coordinator.poll

        def counted(timeout_ms: float | None = None) -> Any:
            polls.append(time.monotonic())
            return poll(timeout_ms=timeout_ms)

        coordinator.poll = counted
        with world.simulated.faults.inject("Heartbeat", delay_s=25):
            time.sleep(10)
            del polls[:]
            for number in range(10):
                world.send("A", float(number), first_s=15 * number)
                sent_at = time.monotonic()
                world.until(lambda number=number: len(world.calls) > number)  # type: ignore[misc]  # bound now
                assert 0.1 > time.monotonic() - sent_at
                time.sleep(1)
            assert 100 * 10 > len(polls)
        world.until(lambda: service.health()["status"] == "ok", within_s=100)
        service.stop()
        assert 10 == world.committed()

    in_blocking_world(story)


# Away, and refusing.


def test_an_outage_of_minutes_loses_nothing() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        service.start(world.callback)
        world.send("A", 1.0, 2.0)
        world.until(lambda: len(world.calls) == 2)
        world.ask(world.broker.stop())
        time.sleep(240)
        # The commit of the two is not known.
        assert "degraded" == service.health()["status"]
        world.ask(world.broker.start())
        time.sleep(5)
        world.send("A", 3.0, 4.0, first_s=30)
        world.until(lambda: service.engine.counters.results_uploaded >= 4, within_s=300)
        world.until(lambda: service.health()["status"] == "ok")
        time.sleep(10)
        service.stop()
        assert [1.0, 2.0, 3.0, 4.0] == [power for _, power in world.calls]
        assert 4 == world.committed()
        assert [] == world.gaps

    in_blocking_world(story)


def test_results_made_while_the_broker_is_away_are_uploaded_in_order_when_it_is_back() -> None:
    def story(world: BlockingWorld) -> None:
        gate = threading.Event()

        def gated(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            gate.wait()
            return world.callback(station_id, module_input)

        world.send("A", 1.0, 2.0, 3.0)
        service = world.service()
        service.start(gated)
        world.until(lambda: service.engine.in_flight == 3)
        world.ask(world.broker.stop())
        gate.set()
        time.sleep(200)
        assert 3 == service.engine.in_flight
        world.ask(world.broker.start())
        world.until(lambda: service.engine.counters.results_uploaded == 3, within_s=200)
        service.stop()
        assert [1.0, 2.0, 3.0] == _powers(world)
        assert 3 == world.committed()

    in_blocking_world(story)


def test_stop_ends_in_bounded_time_while_the_broker_is_away() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0)
        service = world.service(stop_timeout_seconds=5)
        service.start(world.callback)
        world.until(lambda: len(world.calls) == 1)
        world.ask(world.broker.stop())
        began = time.monotonic()
        service.stop()
        assert 120 > time.monotonic() - began
        status = service.get_service_status()
        assert (False, False) == (status["consumer_alive"], status["producer_alive"])
        world.ask(world.broker.start())

    in_blocking_world(story)


def test_a_result_that_kafka_refuses_is_lost_alone() -> None:
    def story(world: BlockingWorld) -> None:
        def large(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            size = 3_000_000 if module_input["totalPower"] == 2.0 else 1
            return {"x": "y" * size}

        world.send("A", 1.0, 2.0, 3.0)
        service = world.service(dead_letter_topic=DEAD)
        service.start(large)
        world.until(lambda: service.engine.counters.records_finished == 3)
        service.stop()
        assert 2 == len(world.sent(OUTPUT))
        (letter,) = world.sent(DEAD)
        assert b"result_lost" == dict(letter.headers)["reason"]
        assert 3 == world.committed()
        assert 1 == service.engine.counters.results_lost

    in_blocking_world(story)


@pytest.mark.parametrize(
    "answer",
    [
        ErrorCode.UNKNOWN_SERVER_ERROR,
        ErrorCode.NETWORK_EXCEPTION,
        ErrorCode.CORRUPT_MESSAGE,
        ErrorCode.NOT_ENOUGH_REPLICAS,
        ErrorCode.UNKNOWN_PRODUCER_ID,
        ErrorCode.INVALID_PRODUCER_EPOCH,
        ErrorCode.PRODUCER_FENCED,
        ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    ],
)
def test_an_upload_error_that_says_nothing_of_the_result_loses_none(answer: ErrorCode) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        service.start(world.callback)
        with world.simulated.faults.inject("Produce", topic=OUTPUT, answer=answer, count=3):
            world.send("A", 1.0, 2.0, 3.0)
            world.until(lambda: service.engine.counters.results_uploaded == 3, within_s=200)
        service.stop()
        assert 0 == service.engine.counters.results_lost
        assert {1.0, 2.0, 3.0} == set(_powers(world))
        assert 3 == world.committed()

    in_blocking_world(story)


def test_a_refusal_for_good_moves_the_offset_on_and_shows() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        service.start(world.callback)
        with world.simulated.faults.inject(
            "Produce", topic=OUTPUT, answer=ErrorCode.TOPIC_AUTHORIZATION_FAILED
        ):
            world.send("A", 1.0)
            world.until(lambda: service.engine.counters.results_lost == 1)
            assert any("upload" in line for line in service.health()["trouble"])
        world.send("A", 2.0, first_s=15)
        world.until(lambda: service.engine.counters.results_uploaded == 1, within_s=200)
        assert [] == service.health()["trouble"]
        service.stop()
        assert [2.0] == _powers(world)
        assert 2 == world.committed()

    in_blocking_world(story)


def test_a_commit_without_an_answer_is_unknown_and_comes_again() -> None:
    sent: list[Any] = []

    class Consumer:
        def commit(self, offsets: Any, timeout_ms: int) -> None:
            sent.append((dict(offsets), timeout_ms))
            if len(sent) == 1:
                raise KafkaTimeoutError

    manager, counters = OffsetManager(commit_retry_delay=0), Counters()
    member: Any = Consumer()
    committer = Committer(member, manager, counters, threading.RLock(), lambda *_: None)
    manager.assign((DATA, 0), 5)
    manager.track((DATA, 0), 5, 1_000)
    manager.done((DATA, 0), 5)
    assert not committer.commit(tries=1)
    assert 1 == manager.commits_unknown
    assert "KafkaTimeoutError" == committer.last_error
    assert committer.commit()
    assert [({(DATA, 0): (6, "v1 last_record_ms=1000")}, 15_000)] * 2 == sent
    assert (None, 6) == (committer.last_error, manager.committed((DATA, 0)))
    assert (1, 1) == (counters.commits, counters.commit_errors)


def test_a_commit_that_is_refused_is_tried_again() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        service.start(world.callback)
        with world.simulated.faults.inject(
            "OffsetCommit", answer=ErrorCode.UNKNOWN_SERVER_ERROR, count=2
        ):
            world.send("A", 1.0)
            world.until(lambda: service.engine.counters.commit_errors == 2)
        world.until(lambda: service.engine.counters.commits > 0, within_s=120)
        service.stop()
        assert 1 == world.committed()

    in_blocking_world(story)


def test_a_poll_that_is_refused_for_good_comes_back_by_itself() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        service.start(world.callback)
        with world.simulated.faults.inject(
            "Fetch", topic=DATA, answer=ErrorCode.TOPIC_AUTHORIZATION_FAILED
        ):
            time.sleep(60)
            assert any("poll" in line for line in service.health()["trouble"])
        world.send("A", 1.0)
        world.until(lambda: world.calls == [("A", 1.0)], within_s=120)
        world.until(lambda: service.health()["status"] == "ok")
        service.stop()

    in_blocking_world(story)


# Lost positions.


def test_an_expired_offset_is_a_gap_up_to_the_log_start() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0, 2.0)
        _consume(world, 2)
        world.send("A", 3.0, 4.0, 5.0, 6.0, first_s=30)
        world.ask(world.broker.cut_head(DATA, 0, before_offset=5))
        service = world.service()
        service.start(world.callback)
        world.until(lambda: len(world.calls) == 3)
        (gap,) = world.gaps
        assert (GapCause.EXPIRED, 2, 5) == (gap.cause, gap.start_offset, gap.end_offset)
        assert 60.0 == gap.time_span_seconds
        assert 6.0 == world.calls[-1][1]
        assert 1 == len(service.health()["gaps"])
        service.stop()
        assert 6 == world.committed()

    in_blocking_world(story)


def test_an_offset_above_the_end_is_a_truncated_log() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0)
        _consume(world, 1)
        _commit(world, 100)
        service = world.service(auto_offset_reset="latest")
        service.start(world.callback)
        world.until(lambda: bool(world.gaps))
        (gap,) = world.gaps
        assert (GapCause.TRUNCATED, 0, 1) == (gap.cause, gap.start_offset, gap.end_offset)
        world.send("A", 2.0, first_s=15)
        world.until(lambda: world.calls[-1][1] == 2.0)
        service.stop()
        assert 2 == world.committed()

    in_blocking_world(story)


def test_a_new_group_that_skips_records_says_so() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0, 2.0)
        service = world.service(auto_offset_reset="latest")
        service.start(world.callback)
        world.until(lambda: bool(world.gaps))
        (gap,) = world.gaps
        assert (GapCause.NO_COMMITTED_OFFSET, 0, 2) == (
            gap.cause,
            gap.start_offset,
            gap.end_offset,
        )
        world.send("A", 3.0, first_s=30)
        world.until(lambda: world.calls == [("A", 3.0)])
        service.stop()

    in_blocking_world(story)


def test_a_partition_whose_leader_does_not_answer_does_not_hold_up_the_others() -> None:
    def story(world: BlockingWorld) -> None:
        world.make_wide(3)
        world.send_wide(range(30), 3)
        seen: list[int] = []
        before = world.wide_service()
        before.start(lambda station_id, given: seen.append(given["n"]))
        world.until(lambda: len(seen) == 30)
        before.stop()
        world.send_wide(range(30, 60), 3)
        for at in range(3):
            world.ask(world.broker.cut_head(WIDE, at, before_offset=12))
        seen.clear()
        service = world.wide_service()
        starting = threading.Thread(
            target=service.start, args=(lambda station_id, given: seen.append(given["n"]),)
        )
        with world.simulated.faults.inject(
            "ListOffsets", topic=WIDE, partition=0, answer=ErrorCode.UNKNOWN_SERVER_ERROR
        ):
            starting.start()
            world.until(lambda: len(seen) == 16)
            assert [1, 2] == sorted(gap.partition for gap in world.gaps)
        world.until(lambda: len(seen) == 24)
        starting.join()
        service.stop()

    in_blocking_world(story)


@pytest.mark.parametrize("error", [ValueError("no pager"), SystemExit(3)], ids=["error", "exit"])
def test_a_slow_or_failing_handler_of_gaps_holds_nothing_up(error: BaseException) -> None:
    def story(world: BlockingWorld) -> None:
        def slow(gap: Any) -> None:
            time.sleep(3600)
            raise error

        world.send("A", 1.0)
        service = world.service(auto_offset_reset="latest", on_gap=slow, stop_timeout_seconds=7200)
        service.start(world.callback)
        world.send("A", 2.0, first_s=15)
        world.until(lambda: world.calls == [("A", 2.0)])
        service.stop()
        assert 1 == service.engine.counters.handler_errors

    in_blocking_world(story)


def test_a_gap_that_is_found_while_it_stops_is_committed_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def story(world: BlockingWorld) -> None:
        asked = threading.Event()
        service = world.service()
        service.start(world.callback)
        member = service.consumer.members[0]
        log_range = member.log_range

        def slow_log_range(tp: tuple[str, int]) -> tuple[int, int]:
            asked.set()
            time.sleep(3)
            return log_range(tp)

        monkeypatch.setattr(member, "log_range", slow_log_range)
        world.send("A", 1.0, 2.0, 3.0)
        world.until(lambda: service.engine.counters.records_finished == 3)
        member.seek((DATA, 0), 100)
        world.until(asked.is_set)
        service.stop()
        (gap,) = world.gaps
        assert GapCause.TRUNCATED is gap.cause
        assert gap.end_offset == world.committed()

    in_blocking_world(story)
    assert "CRITICAL" not in caplog.text


def _commit(world: BlockingWorld, offset: int) -> None:
    config = world.kafka_config()
    consumer = KafkaConsumer(
        bootstrap_servers=config["bootstrap_servers"],
        group_id=config["group_id"],
        enable_auto_commit=False,
    )
    consumer.assign([TopicPartition(DATA, 0)])
    consumer.commit({TopicPartition(DATA, 0): OffsetAndMetadata(offset, "", -1)})
    consumer.close()
