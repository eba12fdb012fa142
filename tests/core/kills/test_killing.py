"""A service that is killed at random moments handles everything, and nothing committed again."""

import asyncio
from pathlib import Path

import pytest

from station_sim.brokers import open_broker
from tests.core.kills.killing import PROPERTIES, Killed, kill_again_and_again
from tests.kafka_at_hand import require_kafka

SHELLS = ("async", "sync")
FEW_KILLS = 6
KILLS = 20
MANY_KILLS = 200


async def killed(kind: str, folder: Path, kills: int, shell: str) -> Killed:
    async with open_broker(kind, server_properties=PROPERTIES) as broker:
        return await kill_again_and_again(broker, folder, kills, seed=kills, shell=shell)


def check(kind: str, folder: Path, kills: int, shell: str) -> Killed:
    outcome = asyncio.run(killed(kind, folder, kills, shell))
    print(outcome.tally.line())
    log = (folder / "service.log").read_text(errors="replace")
    assert [] == outcome.wrong, f"{outcome.tally.line()}\n{log[-3000:]}"
    assert (kills, True) == (outcome.tally.kills, outcome.tally.records > 0)
    return outcome


@pytest.mark.parametrize("shell", SHELLS)
def test_kills_beside_the_embedded_broker(tmp_path: Path, shell: str) -> None:
    check("embedded", tmp_path, FEW_KILLS, shell)


@pytest.mark.kafka
@pytest.mark.parametrize("kills", [KILLS, pytest.param(MANY_KILLS, marks=pytest.mark.full)])
@pytest.mark.parametrize("shell", SHELLS)
def test_kills_beside_apache_kafka(tmp_path: Path, shell: str, kills: int) -> None:
    require_kafka("jvm")
    outcome = check("jvm", tmp_path, kills, shell)
    assert outcome.commits > 0, "the log of commits was not read"
