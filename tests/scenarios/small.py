"""Small runs of the stories in virtual time, for tests."""

from dataclasses import replace
from typing import Any

from station_scenarios.opening import Options
from station_scenarios.outcome import Outcome
from station_scenarios.runner import Request, run_scenario
from station_scenarios.service import load_factory
from station_scenarios.stage import Stage
from station_scenarios.stories import SCENARIOS

SMALL = Options(stations=3, duration_h=0.1)


async def _restart(stage: Stage) -> None:
    await stage.start_service()
    await stage.live_until(0.5)
    await stage.stop_service()
    await stage.live_until(0.6)
    await stage.start_service()
    await stage.live_until(1.0)


STORIES = SCENARIOS | {
    "restart": replace(SCENARIOS["steady-day"], name="restart", tell=_restart),
}
"""The project's stories, and one where the service is away for a while and nothing is lost."""


def run_small(name: str, service: Any = None, *, broker: str = "virtual", seed: int = 0) -> Outcome:
    """Run six minutes of a story with three stations; `service` is a factory (default: ours)."""
    scenario = STORIES[name]
    options = {**scenario.service_options, "window_form": "array"}
    return run_scenario(
        Request(
            scenario=replace(scenario, service_options=options),
            broker=broker,
            seed=seed,
            factory=service or load_factory(),
            options=SMALL,
        )
    )
