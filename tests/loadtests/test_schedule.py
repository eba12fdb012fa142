"""The schedule is fixed before anything is sent: the seed decides it, and nothing is left out."""

from itertools import pairwise

import orjson
import pytest

from station_load.plan import LoadPlan
from station_load.readings import encode_reading
from station_load.schedule import Schedule
from station_load.trace import Trace, trace_of, traced
from station_sim.errors import LabError

PLAN = LoadPlan(stations=10, rate_per_s=20, users=3, duration_s=5)


def schedule(seed: int = 0) -> Schedule:
    stations = PLAN.station_ids(0)
    return Schedule(stations, period_s=PLAN.period_s, duration_s=PLAN.duration_s, seed=seed)


def test_users_share_the_stations() -> None:
    shares = [PLAN.station_ids(user) for user in range(PLAN.users)]
    assert [4, 3, 3] == [len(share) for share in shares]
    assert 10 == len({station for share in shares for station in share})


def test_more_users_than_stations_are_refused() -> None:
    with pytest.raises(LabError, match="3 users cannot share 2 stations"):
        LoadPlan(stations=2, rate_per_s=1, users=3, duration_s=1)


def test_records_are_due_in_order_at_the_stated_rate() -> None:
    dues = list(schedule())
    assert len(dues) == len(schedule())
    assert 4 * PLAN.duration_s / PLAN.period_s == len(dues)
    assert sorted(dues) == dues


def test_each_station_sends_every_period_at_its_own_phase() -> None:
    by_station: dict[str, list[float]] = {}
    for due in schedule():
        assert len(by_station.setdefault(due.station, [])) == due.seq
        by_station[due.station].append(due.at_s)
    assert 4 == len({times[0] for times in by_station.values()})
    for times in by_station.values():
        steps = [after - before for before, after in pairwise(times)]
        assert [pytest.approx(PLAN.period_s)] * len(steps) == steps


def test_the_seed_decides_the_phases() -> None:
    assert list(schedule(7)) == list(schedule(7))
    assert list(schedule(7)) != list(schedule(8))


def test_a_record_is_realistic_in_size_and_carries_its_trace() -> None:
    value = encode_reading(0, "CN00000001", Trace(run=5, seq=3, due_s=1_772_294_400.25))
    assert 300 <= len(value) <= 400
    record = orjson.loads(value)
    assert ("CN00000001", "2026-03-01 00:00:00") == (record["stationId"], record["timestamp"])
    result = {"output": traced(lambda station, _: station)("CN00000001", record)}
    assert "CN00000001" == result["output"]["result"]
    assert Trace(5, 3, 1_772_294_400.25) == trace_of(result)


@pytest.mark.parametrize(
    "result", [{}, {"output": None}, {"output": {"loadTrace": [None] * 3}}, {"output": {}}]
)
def test_a_result_of_somebody_else_has_no_trace(result: dict[str, object]) -> None:
    assert trace_of(result) is None
