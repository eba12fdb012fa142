"""steady-day: nothing goes wrong for a day."""

from station_scenarios.scenario import Extent, Scenario
from station_scenarios.stage import Stage


async def _tell(stage: Stage) -> None:
    await stage.start_service()
    await stage.live_until(1.0)


STEADY_DAY = Scenario(
    name="steady-day",
    summary="Fifty stations, a day, and nothing goes wrong.",
    tell=_tell,
    virtual=Extent(stations=50, duration_h=24.0),
    real=Extent(stations=20, duration_h=0.5, pace=60.0),
    invariants=(
        "handed-over",
        "handed-once",
        "order",
        "windows",
        "commit-behind-work",
        "uploaded",
        "caught-up",
    ),
    service_options={"window_form": "array"},
    consumer_options={"fetch_max_wait_ms": 5000, "fetch_min_bytes": 16384},
)
