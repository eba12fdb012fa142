"""The service when Kafka moves partitions, goes away, or refuses what it is sent."""

import asyncio
import json
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from data_analysis import AsyncDataAnalysisService
from station_sim.brokers import TopicSpec
from station_sim.kafka.error_codes import ErrorCode
from tests.core.world import DATA, DEAD, GROUP, OUTPUT, World, in_world, small_config

WIDE = "WIDE"


def _wide_service(world: World) -> AsyncDataAnalysisService:
    detail = {WIDE: {"fields": ["n"], "modules": ["m"], "window_size": 5}}
    return world.service(module_name="m", config=small_config(TOPIC_DETAIL=detail))


def test_members_share_partitions_and_every_record_is_handled() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(
            TopicSpec(WIDE, partitions=4, config={"retention.ms": "-1"}),
            TopicSpec("MODULE-OUTPUT-M", partitions=1, config={}),
        )
        producer = AIOKafkaProducer(bootstrap_servers=world.broker.bootstrap)
        await producer.start()
        calls: list[Any] = []

        async def note(station_id: str, module_input: dict[str, Any]) -> None:
            await asyncio.sleep(0.05)
            calls.append((station_id, module_input["n"]))

        first, second = _wide_service(world), _wide_service(world)
        await first.start(note)
        sent = []
        for number in range(120):
            station = f"S{number % 8}"
            value = json.dumps({"stationId": station, "n": number}).encode()
            await producer.send_and_wait(WIDE, value, partition=number % 4)
            sent.append((station, number))
            if number == 40:
                joining = asyncio.create_task(second.start(note))
            if number == 80:
                await joining
                assert 2 == len(second.consumer.assignment())
        await world.until(lambda: set(sent) <= set(calls))
        await second.stop()
        await asyncio.sleep(30)
        assert 4 == len(first.consumer.assignment())
        await first.stop()
        committed = await world.broker.committed(GROUP)
        assert [30] * 4 == [committed[(WIDE, at)].offset for at in range(4)]
        assert len(sent) == len(calls), "a clean rebalance hands nothing over twice"
        await producer.stop()

    in_world(story)


def test_an_outage_of_the_broker_loses_nothing() -> None:
    async def story(world: World) -> None:
        service = world.service()
        await service.start(world.callback)
        await world.send("A", 1.0, 2.0)
        await world.until(lambda: len(world.calls) == 2)
        await world.broker.stop()
        await asyncio.sleep(45)
        await world.broker.start()
        await world.send("A", 3.0, 4.0, first_s=30)
        await world.until(lambda: service.engine.counters.results_uploaded >= 4, within_s=300)
        await asyncio.sleep(10)
        await service.stop()
        assert [1.0, 2.0, 3.0, 4.0] == [power for _, power in world.calls]
        assert 4 == await world.committed()
        assert [] == world.gaps

    in_world(story)


def test_a_result_that_kafka_refuses_is_lost_alone() -> None:
    async def story(world: World) -> None:
        def large(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            size = 3_000_000 if module_input["totalPower"] == 2.0 else 1
            return {"x": "y" * size}

        await world.send("A", 1.0, 2.0, 3.0)
        service = world.service(dead_letter_topic=DEAD)
        await service.start(large)
        await world.until(lambda: service.engine.counters.records_finished == 3)
        await service.stop()
        assert 2 == len(await world.sent(OUTPUT))
        (letter,) = await world.sent(DEAD)
        assert b"result_lost" == dict(letter.headers)["reason"]
        assert b"offset 1 is lost" in letter.value
        assert 3 == await world.committed()
        assert 1 == service.engine.counters.results_lost

    in_world(story)


def test_a_broker_that_refuses_a_size_we_would_send_costs_only_that_result() -> None:
    async def story(world: World) -> None:
        limits = {"max.message.bytes": "2000"}
        await world.broker.make_topics(TopicSpec("SMALL-LOAD_PREDICTION", 1, config=limits))

        def large(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
            size = 9000 if module_input["totalPower"] == 2.0 else 900
            return {"x": "y" * size}

        await world.send("A", *(float(number) for number in range(6)))
        service = world.service(output_topic_prefix="SMALL-")
        await service.start(large)
        await world.until(lambda: service.engine.counters.records_finished == 6)
        await service.stop()
        powers = [record.offset for record in await world.sent("SMALL-LOAD_PREDICTION")]
        assert (5, 1) == (len(powers), service.engine.counters.results_lost)
        assert 6 == await world.committed()

    in_world(story)


def test_a_commit_that_fails_is_tried_again_and_counted_as_unknown() -> None:
    async def story(world: World) -> None:
        service = world.service()
        await service.start(world.callback)
        await world.send("A", 1.0)
        await world.until(lambda: service.engine.counters.records_finished == 1)
        await world.broker.stop()
        await asyncio.sleep(30)
        assert 0 < service.health()["commits_unknown"]
        await world.broker.start()
        await asyncio.sleep(120)
        assert 1 == await world.committed()
        await service.stop()

    in_world(story)


def test_a_topic_of_the_user_s_own_needs_only_its_entry() -> None:
    async def story(world: World) -> None:
        detail = {DATA: {"fields": ["speed"], "modules": ["fans"], "window_size": 2}}
        config = small_config(TOPIC_DETAIL=detail)
        seen: list[Any] = []
        service = world.service(module_name="fans", config=config, upload_results=False)
        await service.start(lambda station_id, given: seen.append((station_id, given["speed"])))
        for number in (1, 2):
            value = json.dumps([{"stationId": "A", "speed": number}, {"stationId": "B"}]).encode()
            await world.send_raw(DATA, value)
        await world.until(lambda: len(seen) == 4)
        await service.stop()
        assert [("A", 1), ("B", None), ("A", 2), ("B", None)] == seen

    in_world(story)


def test_a_reload_that_adds_a_topic_subscribes_to_it() -> None:
    async def story(world: World) -> None:
        config = small_config()
        service = world.service(config=config)
        await service.start(world.callback)
        await world.send("A", 1.0)
        await world.until(lambda: len(world.calls) == 1)
        config.TOPIC_DETAIL[DEAD] = {"fields": ["n"], "modules": ["m"], "window_size": 1}
        service.reload_config()
        await world.until(lambda: len(service.consumer.assignment()) == 3)
        await world.send_raw(DEAD, b'{"stationId": "A", "n": 7}')
        await world.until(lambda: service.engine.counters.records_finished == 2)
        shown = await service.get_all_inputs("A")
        assert (7, 1.0) == (shown["m"]["n"], shown["load_prediction"]["totalPower"])
        await service.stop()

    in_world(story)


def _faults(world: World) -> Any:
    return world.broker.simulated.faults  # type: ignore[attr-defined]  # a virtual broker


def test_a_consumer_whose_fetcher_has_ended_is_replaced() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service()
        with _faults(world).inject(
            "OffsetFetch", answer=ErrorCode.GROUP_AUTHORIZATION_FAILED, count=2
        ):
            await service.start(world.callback)
            await world.until(lambda: world.calls == [("A", 1.0)], within_s=120)
        assert 1 == len(world.calls)
        await world.until(lambda: service.health()["status"] == "ok")
        await service.stop()

    in_world(story)


def test_stop_closes_everything_while_fetches_are_backing_off() -> None:
    async def story(world: World) -> None:
        for delay_ms in range(0, 400, 80):
            service = world.service()
            await service.start(world.callback)
            await world.broker.stop()
            await asyncio.sleep(delay_ms / 1000)
            await service.stop()
            await world.broker.start()
            status = service.get_service_status()
            assert (False, False) == (status["consumer_alive"], status["producer_alive"])

    in_world(story)


@pytest.mark.parametrize(
    "answer",
    [
        ErrorCode.UNKNOWN_SERVER_ERROR,
        ErrorCode.NETWORK_EXCEPTION,
        ErrorCode.CORRUPT_MESSAGE,
        ErrorCode.UNKNOWN_PRODUCER_ID,
        ErrorCode.INVALID_PRODUCER_EPOCH,
        ErrorCode.PRODUCER_FENCED,
    ],
)
def test_an_upload_error_that_says_nothing_of_the_result_loses_none(answer: ErrorCode) -> None:
    async def story(world: World) -> None:
        service = world.service()
        await service.start(world.callback)
        with _faults(world).inject("Produce", topic=OUTPUT, answer=answer, count=3):
            await world.send("A", 1.0, 2.0, 3.0)
            await world.until(lambda: service.engine.counters.results_uploaded == 3)
        await service.stop()
        assert 0 == service.engine.counters.results_lost
        powers = [json.loads(each.value)["output"]["power"] for each in await world.sent(OUTPUT)]
        assert {1.0, 2.0, 3.0} == set(powers)

    in_world(story)


def test_a_callback_may_stop_its_service() -> None:
    async def story(world: World) -> None:
        stopped = asyncio.Event()

        async def stops(station_id: str, module_input: dict[str, Any]) -> None:
            await service.stop()
            stopped.set()

        await world.send("A", 1.0, 2.0)
        service = world.service()
        await service.start(stops)
        await world.until(stopped.is_set, within_s=10)
        assert "stopped" == service.health()["status"]
        # Its record was not done when the service ended: it comes again.
        again = world.service()
        await again.start(world.callback)
        await world.until(lambda: len(world.calls) == 2)
        await again.stop()

    in_world(story)


def test_an_input_that_cannot_be_assembled_stalls_nothing() -> None:
    async def story(world: World) -> None:
        service = world.service(padding="linear")
        await service.start(world.callback)
        for _ in range(2):
            service.dispatcher.update_topic_data("A", DATA, {"totalPower": 10**400})
        await world.send("A", 1.0)
        await world.until(lambda: service.engine.counters.records_finished == 1)
        await service.stop()
        assert 1 == await world.committed()

    in_world(story)


def test_revocation_waits_for_work_and_for_its_commit_within_a_limit() -> None:
    async def story(world: World) -> None:
        gate = asyncio.Event()

        async def hangs(station_id: str, module_input: dict[str, Any]) -> None:
            await gate.wait()

        await world.send("A", 1.0)
        first = world.service(stop_timeout_seconds=0)
        await first.start(hangs)
        await world.until(lambda: first.engine.in_flight == 1)
        second = world.service()
        loop = asyncio.get_running_loop()
        began = loop.time()
        await second.start(world.callback)
        assert 15 > loop.time() - began
        await world.until(lambda: 1 <= len(world.calls) or not gate.is_set(), within_s=30)
        assert 0 == first.engine.in_flight
        gate.set()
        await first.stop()
        await world.until(lambda: len(world.calls) == 1)
        await second.stop()
        assert 1 == await world.committed()

    in_world(story)
