"""The same story comes out alike on every broker: in virtual time, on loopback, on Apache Kafka."""

import asyncio
import json
import sys
from typing import Any

import pytest

from station_scenarios.evidence import SAMPLED_EVERY_S
from station_scenarios.opening import story_topics
from station_scenarios.scenario import STORY_TOPICS
from station_sim.brokers import Broker, open_broker
from tests.kafka_at_hand import require_kafka
from tests.scenarios.broken_services import CommitsBeforeWork, SwallowsTheGap
from tests.scenarios.small import run_small

BROKERS = ["embedded", pytest.param("jvm", marks=pytest.mark.kafka)]
RUNS: list[tuple[str, Any]] = [
    ("steady-day", None),
    ("late-batch", None),
    ("offset-out-of-range", None),
    ("offset-out-of-range", SwallowsTheGap),
]


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    require_kafka(kind)
    return kind


@pytest.mark.parametrize(("story", "service"), RUNS)
def test_verdicts_are_those_of_virtual_time(broker: str, story: str, service: Any) -> None:
    virtual, real = (run_small(story, service, broker=kind) for kind in ("virtual", broker))
    assert virtual.error is None
    assert real.error is None
    assert virtual.verdict == real.verdict
    assert _violated(virtual) == _violated(real)
    assert real.digest is None
    assert virtual.counts["records"] == real.counts["records"]


async def _run_at(broker: Broker, *arguments: str) -> list[str]:
    """The verdicts of a tiny `station-lab run` in a process of its own, at a broker's address."""
    command = ["-W", "ignore", "-m", "station_sim.cli", "run", "--broker", broker.bootstrap]
    small = ["--stations", "2", "--duration", "0.02", "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, *small, *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return [json.loads(line)["verdict"] for line in out.splitlines()]


def test_a_broker_that_is_not_ours_is_left_as_it_was() -> None:
    async def leave_no_topics() -> None:
        async with open_broker("embedded") as broker:
            assert ["held", "held"] == await _run_at(broker, "steady-day", "late-batch")
            assert [] == [name for name in await broker.topic_names() if name[0] != "_"]

    asyncio.run(leave_no_topics())


def test_what_existing_topics_hold_is_not_the_storys() -> None:
    async def run_twice() -> None:
        async with open_broker("embedded") as broker:
            await broker.make_topics(*story_topics(STORY_TOPICS))
            assert ["error"] == await _run_at(broker, "steady-day")
            for seed in "01":
                arguments = ("steady-day", "--use-existing-topics", "--seed", seed)
                assert ["held"] == await _run_at(broker, *arguments)

    asyncio.run(run_twice())


class CommitsLongBeforeWork(CommitsBeforeWork):
    """Half a second passes between a commit and the work, longer than between two samples."""

    async def commit(self) -> None:
        await super().commit()
        await asyncio.sleep(2 * SAMPLED_EVERY_S)


def test_sampled_commits_are_evidence_enough() -> None:
    outcome = run_small("steady-day", CommitsLongBeforeWork, broker="embedded")
    assert ["commit-behind-work"] == sorted(_violated(outcome))


def _violated(outcome: Any) -> set[str]:
    return {violation.invariant for violation in outcome.violations}
