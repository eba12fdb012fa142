"""late-batch: the uplink of some stations keeps records back and sends them late, out of order.

They arrive after their successors; the windows must show them where their time says.
"""

from random import Random

from station_scenarios.checker.payloads import REAL
from station_scenarios.scenario import Extent, Scenario
from station_scenarios.stage import Stage
from station_sim.streams.record import Record

LATE_EVERY = 3
"""Every third station's uplink is bad."""

KEPT_BACK_EVERY_MS = 30_000
"""Of a bad uplink's records, one in each 30 s is kept back: its successors are not."""


async def _tell(stage: Stage) -> None:
    rng = Random(f"{stage.seed}/late-batch")
    late = {station.station_id for station in stage.network.sites[::LATE_EVERY]}
    await stage.start_service()
    await stage.live_until(0.2)
    with stage.gateway.hold(lambda each: _is_of(each, late) and _is_kept(each), shuffle=rng):
        await stage.live_until(0.5)
    await stage.live_until(0.6)
    with stage.gateway.hold(lambda each: _is_of(each, late), shuffle=rng):
        await stage.live_until(0.8)
    await stage.live_until(1.0)


def _is_of(record: Record, stations: set[str]) -> bool:
    return record.topic == REAL and record.key in stations


def _is_kept(record: Record) -> bool:
    return record.timestamp_ms % KEPT_BACK_EVERY_MS < KEPT_BACK_EVERY_MS // 2


LATE_BATCH = Scenario(
    name="late-batch",
    summary="Some stations' records arrive minutes late and out of order, after their successors.",
    tell=_tell,
    virtual=Extent(stations=9, duration_h=0.5),
    real=Extent(stations=9, duration_h=0.25, pace=60.0),
    invariants=(
        "windows",
        "handed-over",
        "handed-once",
        "order",
        "commit-behind-work",
        "uploaded",
        "caught-up",
    ),
    consumer_options={"fetch_max_wait_ms": 2000},
)
