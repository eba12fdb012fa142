"""Lost positions: what the service does, commits and reports, for each of the three causes."""

import asyncio
import logging

import pytest

from data_analysis import GapCause
from tests.core.world import DATA, GROUP, World, in_world


async def _consume(world: World, count: int) -> None:
    """Let a service handle `count` records and stop."""
    service = world.service()
    await service.start(world.callback)
    await world.until(lambda: service.engine.counters.records_finished == count)
    await service.stop()


def test_an_expired_offset_is_a_gap_up_to_the_log_start() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        await _consume(world, 2)
        await world.send("A", 3.0, 4.0, 5.0, 6.0, first_s=30)
        await world.broker.cut_head(DATA, 0, before_offset=5)
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 3)
        (gap,) = world.gaps
        assert (GapCause.EXPIRED, DATA, 0, 2, 5, 3) == (
            gap.cause,
            gap.topic,
            gap.partition,
            gap.start_offset,
            gap.end_offset,
            gap.lost,
        )
        assert 60.0 == gap.time_span_seconds
        assert 6.0 == world.calls[-1][1]
        await service.stop()
        assert 6 == await world.committed()

    in_world(story)


def test_the_position_behind_a_gap_is_committed_at_once() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        await _consume(world, 2)
        await world.send("A", 3.0, 4.0, first_s=30)
        await world.broker.cut_head(DATA, 0, before_offset=4)
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: bool(world.gaps))
        await asyncio.sleep(1)
        assert 4 == await world.committed()
        assert (2, 4) == (world.gaps[0].start_offset, world.gaps[0].end_offset)
        await service.stop()

    in_world(story)


def test_with_latest_a_gap_reaches_to_the_end() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        await _consume(world, 2)
        await world.send("A", 3.0, 4.0, 5.0, first_s=30)
        await world.broker.cut_head(DATA, 0, before_offset=4)
        service = world.service(auto_offset_reset="latest")
        await service.start(world.callback)
        await world.until(lambda: bool(world.gaps))
        assert (2, 5) == (world.gaps[0].start_offset, world.gaps[0].end_offset)
        await world.send("A", 6.0, first_s=75)
        await world.until(lambda: world.calls[-1][1] == 6.0)
        await service.stop()
        assert 6 == await world.committed()

    in_world(story)


def test_retention_that_passes_a_running_service_is_a_gap_and_windows_stay() -> None:
    async def story(world: World) -> None:
        gate = asyncio.Event()
        gate.set()

        async def gated(station_id: str, module_input: dict[str, object]) -> None:
            await gate.wait()
            world.calls.append((station_id, module_input["totalPower_window"]))

        await world.send("A", 1.0)
        service = world.service(max_pending_records=1)
        await service.start(gated)
        await world.until(lambda: len(world.calls) == 1)
        gate.clear()
        await world.send("A", 2.0, first_s=15)
        await world.until(lambda: service.engine.in_flight == 1)
        await asyncio.sleep(1)
        for index in range(40):
            await world.send("A", float(index), first_s=30 + 15 * index)
        await world.broker.cut_head(DATA, 0, before_offset=41)
        gate.set()
        await world.until(lambda: service.engine.offsets.position((DATA, 0)) == 42)
        await service.stop()
        (gap,) = world.gaps
        assert (GapCause.EXPIRED, 2, 41) == (gap.cause, gap.start_offset, gap.end_offset)
        assert [None, 1.0, 2.0, 39.0] == world.calls[-1][1]
        assert 42 == await world.committed()

    in_world(story)


def test_an_offset_above_the_end_is_a_truncated_log() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        await _consume(world, 1)
        await _commit(world, 100)
        service = world.service(auto_offset_reset="latest")
        await service.start(world.callback)
        await world.until(lambda: bool(world.gaps))
        (gap,) = world.gaps
        assert (GapCause.TRUNCATED, 0, 1) == (gap.cause, gap.start_offset, gap.end_offset)
        await world.send("A", 2.0, first_s=15)
        await world.until(lambda: world.calls[-1][1] == 2.0)
        await service.stop()
        assert 2 == await world.committed()

    in_world(story)


def test_a_new_group_that_skips_records_says_so_and_one_that_does_not_is_silent() -> None:
    async def story(world: World) -> None:
        service = world.service(auto_offset_reset="latest")
        await service.start(world.callback)
        await service.stop()
        assert [] == world.gaps
        await world.broker.stop()
        await world.broker.start()

    async def skipping(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        service = world.service(auto_offset_reset="latest")
        await service.start(world.callback)
        (gap,) = world.gaps
        assert (GapCause.NO_COMMITTED_OFFSET, 0, 2) == (
            gap.cause,
            gap.start_offset,
            gap.end_offset,
        )
        await world.send("A", 3.0, first_s=30)
        await world.until(lambda: world.calls == [("A", 3.0)])
        await service.stop()

    in_world(story)
    in_world(skipping)


def test_a_failing_on_gap_does_not_stop_the_service(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        async def fails(gap: object) -> None:
            raise ValueError("no pager")

        await world.send("A", 1.0)
        service = world.service(auto_offset_reset="latest", on_gap=fails)
        await service.start(world.callback)
        await world.send("A", 2.0, first_s=15)
        await world.until(lambda: world.calls == [("A", 2.0)])
        assert 1 == len(service.health()["gaps"])
        await service.stop()

    with caplog.at_level(logging.ERROR):
        in_world(story)
    assert "on_gap failed" in caplog.text


async def _commit(world: World, offset: int) -> None:
    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import TopicPartition

    consumer = AIOKafkaConsumer(
        bootstrap_servers=world.broker.bootstrap, group_id=GROUP, enable_auto_commit=False
    )
    consumer.assign([TopicPartition(DATA, 0)])
    await consumer.start()
    await consumer.commit({TopicPartition(DATA, 0): offset})
    await consumer.stop()
