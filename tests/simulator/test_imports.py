"""What takes a second to import is imported by those alone who need it."""

import json
import subprocess
import sys

import pytest

SLOW = ("pandas", "plotly", "pvlib", "pyarrow", "scipy")
SHOW = f"import json, sys; print(json.dumps([name for name in {SLOW} if name in sys.modules]))"


def imported(statements: str) -> list[str]:
    """Which of the slow libraries a fresh process has after it ran some statements."""
    command = (sys.executable, "-c", f"{statements}\n{SHOW}")
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found: list[str] = json.loads(told.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "module",
    [
        "station_sim.cli",
        "station_sim.outputs.simulate_command",
        "station_sim.outputs.replay_command",
        "station_sim.outputs.simulation",
        "station_sim.outputs.replaying",
        "station_sim.validation.command",
        "station_scenarios.command",
        "station_scenarios.opening",
    ],
)
def test_commands_import_none_of_them(module: str) -> None:
    assert [] == imported(f"import {module}")


STORY = """
from station_sim.world.charging_network import Network
from station_sim.world.profile import Profile
story = Network(Profile(stations=1, pv_share={share}, storage_share=1)).story(0)
story.advance({hours} * 3600.0)
story.pv_kw({hours} * 3600.0 + __import__("numpy").arange(60.0))
"""


@pytest.mark.parametrize(("share", "hours"), [(0, 12), (1, 3)])
def test_a_story_without_light_on_panels_needs_none(share: int, hours: int) -> None:
    assert [] == imported(STORY.format(share=share, hours=hours))


def test_a_story_with_light_on_panels_needs_pvlib() -> None:
    assert "pvlib" in imported(STORY.format(share=1, hours=12))


def test_pvlib_can_be_imported_in_a_virtual_world() -> None:
    told = "\n    ".join(STORY.format(share=1, hours=12).splitlines())
    world = f"from station_sim.clock import run_virtual\nasync def live():{told}\nrun_virtual(live)"
    assert "pvlib" in imported(world)
