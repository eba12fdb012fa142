"""What the reference says of OFFSET_COMMIT_CONFIG and the OffsetManager."""

import asyncio
import logging
from itertools import pairwise
from typing import Any

import pytest

from data_analysis import OffsetManager
from data_analysis import config as default_config
from tests.core.reference.statements import states
from tests.core.reference.test_dispatcher import SetClock
from tests.core.world import DATA, World, in_world, small_config

CHAPTER = "OFFSET_COMMIT_CONFIG 与 OffsetManager"

TP = (DATA, 0)


def manager(**options: Any) -> tuple[OffsetManager, SetClock]:
    clock = SetClock()
    return OffsetManager(**options, clock=clock), clock


def finish(offsets: OffsetManager, first: int, count: int) -> None:
    for offset in range(first, first + count):
        offsets.track(TP, offset)
        offsets.done(TP, offset)


@states(
    "`OFFSET_COMMIT_CONFIG`：5.0 秒、100 条、3 次、1.0 秒",
    "config.OFFSET_COMMIT_CONFIG",
    "offsets.OffsetManager.of",
)
def test_the_default_intervals_are_the_reference_s() -> None:
    assert {
        "commit_interval_seconds": 5.0,
        "commit_batch_size": 100,
        "max_commit_retries": 3,
        "commit_retry_delay": 1.0,
    } == default_config.OFFSET_COMMIT_CONFIG
    offsets = OffsetManager()
    for name, value in default_config.OFFSET_COMMIT_CONFIG.items():
        assert value == getattr(offsets, name)


@states("既支持“消息数量”触发", "offsets.OffsetManager.full")
def test_a_commit_is_due_after_so_many_records() -> None:
    offsets, _ = manager(commit_batch_size=3)
    finish(offsets, 0, 2)
    assert not offsets.due()
    finish(offsets, 2, 1)
    assert offsets.due()


@states("也支持“时间间隔”触发", "offsets.OffsetManager.seconds_until_due")
def test_a_commit_is_due_after_so_many_seconds() -> None:
    offsets, clock = manager(commit_interval_seconds=2.0)
    finish(offsets, 0, 1)
    assert not offsets.due()
    clock.now += 2.0
    assert offsets.due()


@states(
    "异步服务通过 `OffsetManager` 管理提交逻辑；可将 `commit_interval_seconds` 降至 2-3 秒",
    "kafka.async_commits.Commits",
)
def test_the_service_commits_at_the_configured_interval() -> None:
    async def story(world: World) -> None:
        config = small_config(OFFSET_COMMIT_CONFIG={"commit_interval_seconds": 2.5})
        service = world.service(config=config)
        await service.start(world.callback)
        await asyncio.sleep(3)
        commits = service.engine.counters.commits
        await world.send("A", 1.0)
        await world.until(lambda: service.engine.counters.commits > commits, within_s=2.6)
        assert 1 == await world.committed()
        await service.stop()

    in_world(story)


@states(
    "高吞吐场景则可提升 `commit_batch_size` 至 500+，减少提交频率",
    "offsets.OffsetManager.full",
)
def test_larger_batches_are_committed_less_often() -> None:
    commits: dict[int, int] = {}

    def story_of(size: int) -> Any:
        async def story(world: World) -> None:
            wanted = {"commit_batch_size": size, "commit_interval_seconds": 1000.0}
            service = world.service(config=small_config(OFFSET_COMMIT_CONFIG=wanted))
            await service.start(world.callback)
            for first in range(0, 40, 10):
                await world.send("A", *map(float, range(first, first + 10)), first_s=15 * first)
                await asyncio.sleep(1)
            commits[size] = service.engine.counters.commits
            await service.stop()

        return story

    for size in (10, 500):
        in_world(story_of(size))
    assert commits[10] >= commits[500] + 4


@states(
    "提交失败会按配置重试",
    "kafka.async_commits.Committer.commit",
)
def test_a_failed_commit_is_tried_as_often_and_as_far_apart_as_configured() -> None:
    async def story(world: World) -> None:
        retries = {"max_commit_retries": 3, "commit_retry_delay": 7.0}
        service = world.service(config=small_config(OFFSET_COMMIT_CONFIG=retries))
        await service.start(world.callback)
        tried: list[float] = []
        commit = service.consumer.commit

        async def refused(offsets: Any) -> None:
            tried.append(asyncio.get_running_loop().time())
            if len(tried) < 3:
                raise OSError("no coordinator")
            await commit(offsets)

        for member in service.consumer.members:
            member.commit = refused
            commit = type(member).commit.__get__(member)
        await world.send("A", 1.0)
        await world.until(lambda: len(tried) == 3)
        assert [7.0, 7.0] == [
            pytest.approx(later - sooner, abs=0.5) for sooner, later in pairwise(tried)
        ]
        await world.until(lambda: service.engine.offsets.committed(TP) == 1)
        assert 1 == await world.committed()
        await service.stop()

    in_world(story)


@states(
    "并保留 `_pending_offsets` 以便后续继续尝试",
    "offsets.OffsetManager._pending_offsets",
    "offsets.OffsetManager.unknown",
)
def test_what_could_not_be_committed_stays_pending() -> None:
    offsets, _ = manager()
    offsets.assign(TP, 0)
    finish(offsets, 0, 3)
    assert {TP: 3} == offsets._pending_offsets
    sent = offsets.committable()
    offsets.attempted()
    offsets.unknown(sent)
    assert {TP: 3} == offsets._pending_offsets
    offsets.confirmed(sent)
    assert {} == offsets._pending_offsets


@states(
    "可将日志级别设为 `INFO`，观察“成功提交 X 个分区 offset”的日志",
    "kafka.async_commits.Committer",
)
def test_commits_are_in_the_info_log_word_for_word(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        service = world.service()
        await service.start(world.callback)
        await asyncio.sleep(10)
        caplog.clear()
        await world.send("A", 1.0)
        await world.until(lambda: service.engine.offsets.committed(TP) == 1)
        await service.stop()

    with caplog.at_level(logging.INFO, "data_analysis"):
        in_world(story)
    assert "成功提交 1 个分区 offset" in caplog.messages


@states(
    "若出现多次失败，请先检查 Kafka ACL 及 group_id 是否有效",
    "kafka.async_commits.Committer.commit",
)
def test_failures_are_logged_one_by_one_and_once_for_all(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        service = world.service()
        await service.start(world.callback)
        await asyncio.sleep(10)

        async def refused(offsets: Any) -> None:
            raise OSError("not authorised")

        for member in service.consumer.members:
            member.commit = refused
        await world.send("A", 1.0)
        await asyncio.sleep(10)
        for member in service.consumer.members:
            del member.commit
        await service.stop()

    in_world(story)
    told = [line for line in caplog.messages if line.startswith("commit of 1 partitions")]
    assert ["commit of 1 partitions is unknown: not authorised"] * 3 == told[:3]
    assert "given up after 3 tries" in told[3]
