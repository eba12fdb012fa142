"""Multi-consumer mode of the blocking service: one consumer, group and quota per topic."""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from data_analysis import (
    ConfigurationError,
    DataAnalysisService,
    KafkaConnectionError,
    KafkaConsumerClient,
)
from station_sim.brokers import TopicSpec
from station_sim.kafka.error_codes import ErrorCode
from tests.core.blocking_world import BlockingWorld, in_blocking_world
from tests.core.world import GROUP, small_config

TOPICS = ("OWN-A", "OWN-B", "OWN-C")
MULTI = {"multi_consumer_mode": True}
FOREVER = {"retention.ms": "-1"}


def _in_wide_world(
    story: Callable[[BlockingWorld], None], topics: tuple[str, ...] = TOPICS
) -> None:
    def main(world: BlockingWorld) -> None:
        specs = [TopicSpec(topic, 2, config=FOREVER) for topic in topics]
        world.ask(world.broker.make_topics(*specs))
        story(world)

    in_blocking_world(main)


def _detail(*topics: str) -> dict[str, Any]:
    return {
        topic: {"fields": [f"n_{topic}"], "modules": ["m"], "window_size": 3}
        for topic in topics or TOPICS
    }


def _service(world: BlockingWorld, *topics: str, **options: Any) -> DataAnalysisService:
    kafka = {**MULTI, **options.pop("kafka", {})}
    config = small_config(TOPIC_DETAIL=_detail(*topics))
    given = {"config": config, "upload_results": False, **options}
    return world.service(module_name="m", kafka=kafka, **given)


def _send(world: BlockingWorld, topic: str, *numbers: int) -> None:
    for number in numbers:
        value = json.dumps({"stationId": f"{topic}{number % 2}", f"n_{topic}": number}).encode()
        world.send_raw(topic, value)


def _note(seen: list[tuple[str, int]]) -> Callable[[str, dict[str, Any]], None]:
    return lambda station_id, given: seen.append((station_id, given[f"n_{station_id[:-1]}"]))


def _committed(world: BlockingWorld, topic: str) -> int | None:
    found = world.ask(world.broker.committed(f"{GROUP}-{topic}")).get((topic, 0))
    return None if found is None else found.offset


def test_each_topic_has_a_consumer_in_a_group_of_its_own() -> None:
    def story(world: BlockingWorld) -> None:
        service = _service(world)
        assert dict.fromkeys(TOPICS) == service.consumer.get_consumer()
        seen: list[Any] = []
        for topic in TOPICS:
            _send(world, topic, 1, 2)
        service.start(_note(seen))
        consumers = service.consumer.get_consumer()
        assert list(TOPICS) == list(consumers)
        for topic, consumer in consumers.items():
            assert isinstance(consumer, KafkaConsumer)
            assert f"{GROUP}-{topic}" == consumer.config["group_id"]
            assert {TopicPartition(topic, at) for at in range(2)} == consumer.assignment()
        world.until(lambda: len(seen) == 6)
        service.stop()
        assert [2, 2, 2] == [_committed(world, topic) for topic in TOPICS]
        assert {} == world.ask(world.broker.committed(GROUP))

    _in_wide_world(story)


def test_one_topic_falls_back_to_a_single_consumer_and_works() -> None:
    def story(world: BlockingWorld) -> None:
        service = _service(world, "OWN-A")
        seen: list[Any] = []
        _send(world, "OWN-A", 1)
        service.start(_note(seen))
        assert isinstance(service.consumer.get_consumer(), KafkaConsumer)
        world.until(lambda: len(seen) == 1)
        service.stop()
        assert 1 == world.committed("OWN-A")

    _in_wide_world(story)


def test_counts_per_topic_are_in_the_debug_log_word_for_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def story(world: BlockingWorld) -> None:
        service = _service(world)
        _send(world, "OWN-A", 1, 2, 3)
        _send(world, "OWN-C", 1)
        service.start()
        time.sleep(12)
        service.stop()

    with caplog.at_level(logging.DEBUG, "data_analysis"):
        _in_wide_world(story)
    lines = [line for line in caplog.messages if "多消费者" in line]
    assert "多消费者拉取统计 [OWN-A:3,OWN-B:0,OWN-C:1]" == lines[0]
    assert "多消费者拉取统计 [OWN-A:0,OWN-B:0,OWN-C:0]" == lines[1]


def test_a_topic_whose_group_is_refused_holds_no_other_up() -> None:
    def story(world: BlockingWorld) -> None:
        seen: list[Any] = []
        for topic in TOPICS:
            _send(world, topic, 1)
        service = _service(world)
        with world.simulated.faults.inject(
            "JoinGroup", group=f"{GROUP}-OWN-B", answer=ErrorCode.GROUP_AUTHORIZATION_FAILED
        ):
            service.start(_note(seen))
            world.until(lambda: len(seen) == 2)
            assert {"OWN-A1", "OWN-C1"} == {station for station, _ in seen}
            _send(world, "OWN-A", 2)
            world.until(lambda: len(seen) == 3)
            health = service.health()
            assert ("degraded", True) == (health["status"], health["live"])
            assert any("GroupAuthorization" in line for line in health["trouble"])
            time.sleep(20)
            assert 2 == _committed(world, "OWN-A")
        world.until(lambda: ("OWN-B1", 1) in seen, within_s=300)
        world.until(lambda: service.health()["status"] == "ok")
        service.stop()

    _in_wide_world(story)


def test_a_start_fails_where_no_topic_can_be_read() -> None:
    def story(world: BlockingWorld) -> None:
        service = _service(world)
        with world.simulated.faults.inject(
            "JoinGroup", answer=ErrorCode.GROUP_AUTHORIZATION_FAILED
        ):
            with pytest.raises(KafkaConnectionError, match="joining the group failed"):
                service.start()
            assert "stopped" == service.health()["status"]
        service.start()
        assert service.health()["ready"]
        service.stop()

    _in_wide_world(story)


def test_a_topic_whose_work_hangs_takes_no_other_s_room() -> None:
    def story(world: BlockingWorld) -> None:
        seen: list[Any] = []
        gate = threading.Event()

        def hangs(station_id: str, given: dict[str, Any]) -> None:
            if station_id.startswith("OWN-A"):
                gate.wait()
            seen.append(station_id)

        service = _service(world, max_pending_records=6)
        service.start(hangs)
        _send(world, "OWN-A", *range(50))
        _send(world, "OWN-B", *range(20))
        world.until(lambda: len(seen) == 20)
        assert 2 == service.engine.in_flight
        assert {"OWN-B0", "OWN-B1"} == set(seen)
        gate.set()
        world.until(lambda: len(seen) == 70)
        service.stop()
        assert [50, 20] == [_committed(world, topic) for topic in TOPICS[:2]]

    _in_wide_world(story)


def test_a_commit_that_hangs_in_one_group_holds_no_other_up() -> None:
    def story(world: BlockingWorld) -> None:
        seen: list[Any] = []
        service = _service(world)
        service.start(_note(seen))
        with world.simulated.faults.inject("OffsetCommit", group=f"{GROUP}-OWN-A", delay_s=3600):
            _send(world, "OWN-A", 1)
            _send(world, "OWN-B", 1)
            world.until(lambda: len(seen) == 2)
            time.sleep(8)
            assert [None, 1] == [_committed(world, topic) or None for topic in ("OWN-A", "OWN-B")]
            _send(world, "OWN-B", 2)
            time.sleep(8)
            assert 2 == _committed(world, "OWN-B")
        time.sleep(60)
        assert 1 == _committed(world, "OWN-A")
        service.stop()

    _in_wide_world(story)


def test_a_lost_position_is_found_again_per_consumer() -> None:
    def story(world: BlockingWorld) -> None:
        seen: list[Any] = []
        for topic in TOPICS:
            _send(world, topic, 1)
        first = _service(world)
        first.start(_note(seen))
        world.until(lambda: len(seen) == 3)
        first.stop()
        _send(world, "OWN-B", *range(2, 7))
        world.ask(world.broker.cut_head("OWN-B", 0, before_offset=4))
        service = _service(world)
        service.start(_note(seen))
        world.until(lambda: len(seen) == 5)
        (gap,) = world.gaps
        assert ("OWN-B", 1, 4) == (gap.topic, gap.start_offset, gap.end_offset)
        service.stop()
        assert [1, 6, 1] == [_committed(world, topic) for topic in TOPICS]

    _in_wide_world(story)


def test_members_share_each_topic_and_a_clean_rebalance_hands_nothing_over_twice() -> None:
    def story(world: BlockingWorld) -> None:
        seen: list[Any] = []

        def slow(station_id: str, given: dict[str, Any]) -> None:
            time.sleep(0.02)
            seen.append((station_id, given[f"n_{station_id[:-1]}"]))

        services = [_service(world), _service(world)]
        services[0].start(slow)
        joining = threading.Thread(target=services[1].start, args=(slow,))
        for number in range(30):
            for topic in TOPICS:
                _send(world, topic, number)
            if number == 10:
                joining.start()
        joining.join()
        for topic in TOPICS:
            held = [
                len(service.consumer.get_consumer()[topic].assignment()) for service in services
            ]
            assert [1, 1] == held
        world.until(lambda: len(set(seen)) == 90)
        services[1].stop()
        time.sleep(20)
        assert 6 == len(services[0].consumer.assignment())
        services[0].stop()
        assert 90 == len(seen)

    _in_wide_world(story)


def test_a_reload_adds_and_removes_consumers_and_leaves_the_others_alone() -> None:
    def story(world: BlockingWorld) -> None:
        seen: list[Any] = []
        config = small_config(TOPIC_DETAIL=_detail())
        service = _service(world, config=config)
        service.start(_note(seen))
        stays = service.consumer.get_consumer()["OWN-A"]
        del config.TOPIC_DETAIL["OWN-C"]
        config.TOPIC_DETAIL.update(_detail("OWN-D"))
        service.reload_config()
        for topic in ("OWN-D", "OWN-A", "OWN-C"):
            _send(world, topic, 1)
        world.until(lambda: len(seen) == 2)
        assert {"OWN-A1", "OWN-D1"} == {station for station, _ in seen}
        assert ["OWN-A", "OWN-B", "OWN-D"] == list(service.consumer.get_consumer())
        assert stays is service.consumer.get_consumer()["OWN-A"]
        world.until(lambda: service.health()["status"] == "ok")
        for topic in ("OWN-B", "OWN-D"):
            del config.TOPIC_DETAIL[topic]
        with pytest.raises(ConfigurationError, match="restart the service"):
            service.reload_config()
        service.stop()
        assert 1 == _committed(world, "OWN-D")

    _in_wide_world(story, (*TOPICS, "OWN-D"))


def test_an_outage_of_minutes_loses_nothing() -> None:
    def story(world: BlockingWorld) -> None:
        seen: list[Any] = []
        service = _service(world)
        service.start(_note(seen))
        for topic in TOPICS:
            _send(world, topic, 1)
        world.until(lambda: len(seen) == 3)
        world.ask(world.broker.stop())
        time.sleep(100)
        assert "degraded" == service.health()["status"]
        world.ask(world.broker.start())
        for topic in TOPICS:
            _send(world, topic, 2)
        world.until(lambda: len(set(seen)) == 6, within_s=300)
        world.until(lambda: service.health()["status"] == "ok", within_s=300)
        time.sleep(10)
        service.stop()
        assert [2, 2, 2] == [_committed(world, topic) for topic in TOPICS]
        assert [] == world.gaps

    _in_wide_world(story)


def test_fewer_pending_records_than_topics_are_refused() -> None:
    def story(world: BlockingWorld) -> None:
        with pytest.raises(ConfigurationError, match="max_pending_records must be >= 3"):
            _service(world, max_pending_records=2)

    in_blocking_world(story)


def test_the_client_alone_reads_every_topic_with_its_own_quota() -> None:
    def story(world: BlockingWorld) -> None:
        for topic in TOPICS[:2]:
            _send(world, topic, 1, 2, 3)
        config = {**world.kafka_config(), **MULTI, "group_id": "alone", "max_poll_records": 1}
        client = KafkaConsumerClient(list(TOPICS), config)
        assert [f"alone-{topic}" for topic in TOPICS] == [
            consumer.config["group_id"] for consumer in client.get_consumer().values()
        ]
        polls = []
        deadline = time.monotonic() + 60
        while sum(map(len, polls)) < 6:
            assert time.monotonic() < deadline
            polled = client.poll(timeout_ms=500)
            assert {1} >= {len(records) for records in polled.values()}
            if polled:
                polls.append([tp[0] for tp in polled])
        assert [["OWN-A", "OWN-B"]] * 3 == polls, "a topic with much holds the others not back"
        client.commit({("OWN-B", 0): (2, "")})
        wanted = {"current_offset": 3, "committed_offset": 2, "end_offset": 3, "lag": 1}
        world.until(lambda: client.get_lag_info()["OWN-B"].get(0) == wanted)
        client.close()

    _in_wide_world(story)


def test_of_the_client_alone_a_topic_that_is_refused_holds_the_others_up_for_one_poll() -> None:
    def story(world: BlockingWorld) -> None:
        _send(world, "OWN-A", 1)
        config = {**world.kafka_config(), **MULTI, "group_id": "alone"}
        client = KafkaConsumerClient(list(TOPICS), config, max_retries=2, retry_interval=1)
        with world.simulated.faults.inject(
            "JoinGroup", group="alone-OWN-B", answer=ErrorCode.GROUP_AUTHORIZATION_FAILED
        ):
            polled = client.poll(timeout_ms=5000)
            assert [("OWN-A", 0)] == list(polled)
            with pytest.raises(KafkaConnectionError, match="polling OWN-B failed"):
                client.poll(timeout_ms=5000)
        client.close()

    _in_wide_world(story)
