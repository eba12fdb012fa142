"""What the reference says of group ids and of offsets that are out of range."""

from pathlib import Path

import pytest

from data_analysis import GapCause
from data_analysis.commands.groups import group_ids
from data_analysis.kafka.options import topic_group_id
from station_sim import cli
from tests.core.reference.statements import states
from tests.core.world import CALENDAR, DATA, GROUP, World, in_world

CHAPTER = "group_id 与 offset 迁移策略"

CONFIG = f"""
KAFKA_CONFIG = {{
    "bootstrap_servers": ["kafka:9092"],
    "consumer": {{"group_id": "base", "multi_consumer_mode": True}},
}}
TOPIC_DETAIL = {{
    topic: {{"fields": [topic], "modules": ["m"], "window_size": 1}}
    for topic in ({DATA!r}, {CALENDAR!r})
}}
MODULE_DEPENDENCIES = {{}}
"""


@states(
    "可运行 `verify_group_id_fix.py` 确认生成的 group_id 是否符合 `{base_group_id}-{topic}` 格式",
    "commands.verify_group_ids.verify_group_ids",
    "kafka.options.topic_group_id",
)
def test_groups_are_shown_and_are_those_that_the_service_joins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(tmp_path, "config.py").write_text(CONFIG)
    arguments = ["--config", str(tmp_path / "config.py"), "--offline"]
    assert 0 == cli.run(["verify-group-ids", *arguments])
    expected = {f"base-{topic}": topic for topic in (DATA, CALENDAR)}
    shown = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    assert expected == shown
    assert list(expected) == [topic_group_id("base", topic) for topic in expected.values()]
    assert list(expected) == list(group_ids("base", [DATA, CALENDAR], is_multi=True))


@states(
    "旧 `group_id` 里保存的 offset 可能已经被 Kafka 清理，导致 `Fetch offset ... is out of range`；"
    "调整 `auto_offset_reset` 为 `latest`（或在必要时改成 `earliest`）、重启服务",
    "kafka.async_positions",
    "gaps.GapEvent",
)
@pytest.mark.parametrize(
    ("reset", "end", "powers"), [("latest", 4, [1.0, 5.0]), ("earliest", 3, [1.0, 4.0, 5.0])]
)
def test_an_offset_below_the_log_is_recovered_from_and_the_loss_is_reported(
    reset: str, end: int, powers: list[float]
) -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        before = world.service()
        await before.start(world.callback)
        await world.until(lambda: len(world.calls) == 1)
        await before.stop()
        await world.send("A", 2.0, 3.0, 4.0, first_s=15)
        await world.broker.cut_head(DATA, 0, before_offset=3)
        after = world.service(auto_offset_reset=reset)
        await after.start(world.callback)
        await world.until(lambda: len(world.gaps) == 1)
        await world.send("A", 5.0, first_s=60)
        await world.until(lambda: world.calls[-1] == ("A", 5.0))
        await after.stop()
        assert powers == [power for _, power in world.calls]
        (gap,) = world.gaps
        assert (GapCause.EXPIRED, 1, end) == (gap.cause, gap.start_offset, gap.end_offset)

    in_world(story)


@states(
    "修改 group_id 让 Kafka 视为全新消费者组",
    "kafka.async_positions",
)
def test_another_group_begins_anew() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        for group in (GROUP, GROUP, f"{GROUP}-v2"):
            service = world.service(kafka={"group_id": group})
            await service.start(world.callback)
            await world.until(lambda group=group: len(world.calls) == (2 if group == GROUP else 4))
            await service.stop()
        assert [1.0, 2.0, 1.0, 2.0] == [power for _, power in world.calls]

    in_world(story)
