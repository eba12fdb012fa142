"""offset-out-of-range: the service is away while the head of its log is removed past its commit.

It must declare what was lost, go on from the log's new start, and lose nothing else.
"""

from station_scenarios.checker.payloads import REAL
from station_scenarios.scenario import Extent, Scenario
from station_scenarios.stage import Stage

LOST_SHARE = 0.5
"""How much of the backlog is removed."""


async def _tell(stage: Stage) -> None:
    await stage.start_service()
    await stage.live_until(1 / 3)
    await stage.stop_service()
    await stage.live_until(2 / 3)
    await stage.gateway.flush()
    await stage.cut_heads(REAL, LOST_SHARE)
    await stage.start_service()
    await stage.live_until(1.0)


OFFSET_OUT_OF_RANGE = Scenario(
    name="offset-out-of-range",
    summary="The service is away; its log's head goes past its commit; it comes back.",
    tell=_tell,
    virtual=Extent(stations=8, duration_h=1.0),
    real=Extent(stations=8, duration_h=0.25, pace=60.0),
    invariants=(
        "gap-declared",
        "handed-over",
        "handed-once",
        "order",
        "windows",
        "commit-behind-work",
        "uploaded",
        "caught-up",
    ),
    consumer_options={"fetch_max_wait_ms": 2000},
)
