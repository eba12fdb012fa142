"""Every invariant holds in a run as it should be, and is broken by a world made wrong for it."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.simulator.validation.synthetic_run import DAY_S, Tables, synthetic_run, watched_run

from station_sim.validation.catalogue import INVARIANTS
from station_sim.validation.invariants import Invariant, check_all
from station_sim.validation.saved_run import SavedRun
from station_sim.validation.targets import ORDINARY

Wrong = Callable[[Tables], Tables]


def _one(table: str, column: str, by: float, *, row: int = 0) -> Wrong:
    """One value of a table is off by something."""

    def wrong(tables: Tables) -> Tables:
        frame = tables[table].copy()
        frame.loc[frame.index[row], column] += by
        return {table: frame}

    return wrong


def _a_step_in_the_middle(tables: Tables) -> int:
    steps = tables["session_steps"]
    return int(np.flatnonzero(steps["power_kw"] > 5)[3])


def _step_with_lost_energy(tables: Tables) -> Tables:
    """A charge whose register jumps: steps no longer add up to what was sold."""
    return _one("session_steps", "energy_kwh", 0.5, row=_a_step_in_the_middle(tables))(tables)


def _gun_without_order(tables: Tables) -> Tables:
    """Power through a gun that nobody ordered, in all sums."""
    guns, hosts, power = (tables[name].copy() for name in ("gun_power", "host_power", "power"))
    row = guns[(guns["kw"] == 0)].iloc[0]
    gun = tables["guns"].set_index(["station_id", "gun"]).loc[(row["station_id"], row["gun"])]
    guns.loc[row.name, "kw"] = 5.0
    here = (hosts["station_id"] == row["station_id"]) & (hosts["host"] == gun["host"])
    hosts.loc[here & (hosts["time_s"] == row["time_s"]), ["dc_kw", "ac_kw"]] += 5.0
    now = (power["station_id"] == row["station_id"]) & (power["time_s"] == row["time_s"])
    power.loc[now, ["guns_kw", "dc_kw", "ac_kw", "meter_kw"]] += 5.0
    return {"gun_power": guns, "host_power": hosts, "power": power}


def _two_cars(tables: Tables) -> Tables:
    """A car that stays plugged in while the next one comes."""
    sessions = tables["sessions"].sort_values(["station_id", "gun", "plugged_s"])
    following = sessions.groupby(["station_id", "gun"])["plugged_s"].shift(-1)
    row = following.dropna().index[0]
    return {"sessions": _with(sessions, row, unplugged_s=following[row] + 60)}


def _power_before_plug(tables: Tables) -> Tables:
    sessions = tables["sessions"]
    row = sessions.index[0]
    return {"sessions": _with(sessions, row, unplugged_s=sessions.loc[row, "power_off_s"] - 30)}


def _with(frame: pd.DataFrame, row: object, **values: float) -> pd.DataFrame:
    changed = frame.copy()
    for column, value in values.items():
        changed.loc[row, column] = value
    return changed


def _granted_too_much(tables: Tables) -> Tables:
    row = _a_step_in_the_middle(tables)
    steps = tables["session_steps"]
    return {"session_steps": _with(steps, steps.index[row], limit_kw=1.0)}


def _host_too_small(tables: Tables) -> Tables:
    hosts = tables["hosts"]
    return {"hosts": hosts.assign(rated_kw=hosts["rated_kw"] * 0.5)}


def _free_power(tables: Tables) -> Tables:
    """At the last instant a host gives more than it takes, in all sums."""
    hosts, power = tables["host_power"].copy(), tables["power"].copy()
    row = hosts[(hosts["dc_kw"] > 0) & (hosts["time_s"] > DAY_S)].iloc[-1]
    hosts.loc[row.name, "ac_kw"] -= 0.5 * row["ac_kw"]
    now = (power["station_id"] == row["station_id"]) & (power["time_s"] == row["time_s"])
    power.loc[now, ["ac_kw", "meter_kw"]] -= 0.5 * row["ac_kw"]
    return {"host_power": hosts, "power": power}


def _overloaded_for_long(tables: Tables) -> Tables:
    stations = tables["stations"]
    return {"stations": stations.assign(grid_limit_kw=0.2 * stations["grid_limit_kw"])}


def _over_the_transformer(tables: Tables) -> Tables:
    kva = tables["stations"]["grid_capacity_kva"].max()
    return _one("power", "meter_max_kw", 1.1 * kva)(tables)


def _storage_too_small(tables: Tables) -> Tables:
    return {"storage": tables["storage"].assign(power_kw=40.0)}


def _storage_too_full(tables: Tables) -> Tables:
    storage = tables["storage_power"]
    return {"storage_power": storage.assign(soc=storage["soc"] + 8)}


def _storage_leaks(tables: Tables) -> Tables:
    storage = tables["storage_power"]
    return {"storage_power": storage.assign(soc=storage["soc"] - 1.0 * (storage["time_s"] > DAY_S))}


def _missing_instant(tables: Tables) -> Tables:
    power = tables["power"]
    return {"power": power.drop(power.index[5])}


def _shifted_instants(tables: Tables) -> Tables:
    storage = tables["storage_power"]
    return {"storage_power": storage.assign(time_s=storage["time_s"] + 1)}


def _said(topic: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Wrong:
    """Every record of a topic says something else."""

    def wrong(tables: Tables) -> Tables:
        name = f"records/{topic}"
        values = [json.dumps(change(json.loads(each))).encode() for each in tables[name]["value"]]
        return {name: tables[name].assign(value=values)}

    return wrong


def _late_record(tables: Tables) -> Tables:
    name = "records/SCHEDULE-DEVICE-GUN"
    frame = tables[name].copy()
    frame.loc[frame.index[-1], "due_ms"] += 400
    return {name: frame}


WRONG_WORLDS: list[tuple[str, str, Wrong]] = [
    ("steps-add-up", "energy jumps within a charge", _step_with_lost_energy),
    ("guns-are-orders", "a gun gives power without an order", _gun_without_order),
    ("battery-soc", "a battery gains more than it got", _one("sessions", "final_soc", 1.0)),
    ("fees", "a fee is too high", _one("sessions", "fee_cny", 1.0)),
    ("fees", "energy is in no period", _one("sessions", "kwh_flat", -0.01)),
    ("one-car-per-gun", "two cars share a gun", _two_cars),
    ("visit-order", "a car leaves while power is on", _power_before_plug),
    ("gun-limits", "a step exceeds what was granted", _granted_too_much),
    ("meter-balance", "a meter shows too much", _one("power", "meter_kw", 3.0)),
    ("meter-register", "a register jumps", _one("power", "meter_kwh", 2e5, row=575)),
    ("device-sums", "a station's guns give more than its guns", _one("power", "guns_kw", 1.0)),
    ("host-limits", "hosts give more than they are built for", _host_too_small),
    ("host-limits", "a host gives more than it takes", _free_power),
    ("grid-limits", "a station exceeds its limit for hours", _overloaded_for_long),
    ("grid-limits", "a station exceeds its transformer", _over_the_transformer),
    ("storage-band", "a unit gives more than it is built for", _storage_too_small),
    ("storage-band", "a unit is fuller than it may be", _storage_too_full),
    ("storage-soc", "a unit loses what it stored", _storage_leaks),
    ("nothing-negative", "fewer than nobody left", _one("arrivals", "left", -1.0)),
    ("time-grid", "an instant is missing", _missing_instant),
    ("time-grid", "instants are off by a second", _shifted_instants),
    (
        "module-sums",
        "modules give less than their host",
        _said("SCHEDULE-DEVICE-HOST-DCDC", lambda said: said | {"dcdcPower": [0.1] * 20}),
    ),
    (
        "module-sums",
        "a host has a module too few",
        _said(
            "SCHEDULE-DEVICE-HOST-DCDC",
            lambda said: said | {"dcdcPower": [*said["dcdcPower"][:18], 2 * said["dcdcPower"][0]]},
        ),
    ),
    (
        "records-true",
        "a meter tells another power",
        _said("SCHEDULE-DEVICE-METER", lambda said: said | {"meterPower": 9999.0}),
    ),
    ("record-grid", "a record is due between its instants", _late_record),
]


@pytest.fixture(scope="module")
def readers(tables_by_run: Mapping[str, Tables]) -> dict[str, set[str]]:
    """Which invariants read a table."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for invariant in INVARIANTS:
        run = watched_run(tables_by_run[ORDINARY])
        check_all([invariant], run)
        for table in run.read:
            found[table].add(invariant.id)
    return found


def test_a_run_as_it_should_be_keeps_every_invariant(runs: Mapping[str, SavedRun]) -> None:
    checks = check_all(INVARIANTS, runs[ORDINARY])

    assert all(each.checked for each in checks)
    assert [] == [str(violation) for each in checks for violation in each.violations]


@pytest.mark.parametrize(
    ("broken", "wrong"),
    [pytest.param(broken, wrong, id=f"{broken}: {how}") for broken, how, wrong in WRONG_WORLDS],
)
def test_a_wrong_world_breaks_exactly_one_invariant(
    broken: str,
    wrong: Wrong,
    tables_by_run: Mapping[str, Tables],
    readers: Mapping[str, set[str]],
) -> None:
    tables = tables_by_run[ORDINARY]
    changes = wrong(tables)
    affected = {each for table in changes for each in readers[table]}

    checks = check_all(
        [each for each in INVARIANTS if each.id in affected], synthetic_run(tables | changes)
    )

    assert [broken] == [each.invariant.id for each in checks if each.violations]


def test_every_invariant_has_a_wrong_world() -> None:
    assert {each.id for each in INVARIANTS} == {broken for broken, _, _ in WRONG_WORLDS}


def test_a_violation_says_where_and_when_with_values(tables_by_run: Mapping[str, Tables]) -> None:
    tables = tables_by_run[ORDINARY]
    run = synthetic_run(tables | _one("power", "meter_kw", 3.0)(tables))
    invariant: Invariant = next(each for each in INVARIANTS if each.id == "meter-balance")

    (found,) = check_all([invariant], run)[0].violations

    assert str(found).startswith("meter-balance: CN00000000 at 2026-03-01 00:00:00: meter_kw ")


def test_an_invariant_is_unchecked_without_its_tables(tables_by_run: Mapping[str, Tables]) -> None:
    tables = tables_by_run[ORDINARY]
    run = synthetic_run({"power": tables["power"]})

    checks = {each.invariant.id: each.checked for each in check_all(INVARIANTS, run)}

    assert checks["meter-balance"]
    assert not checks["fees"]


def test_energy_of_a_fifth_period_is_paid_for(tables_by_run: Mapping[str, Tables]) -> None:
    """What was sold in the flat period is moved to a fifth one of the same price."""
    tables = tables_by_run[ORDINARY]
    sessions, tariffs = tables["sessions"], tables["tariffs"]
    fifth = {
        "sessions": sessions.assign(kwh_other=sessions["kwh_flat"], kwh_flat=0.0),
        "tariffs": tariffs.assign(
            energy_other=tariffs["energy_flat"], service_other=tariffs["service_flat"]
        ),
    }
    invariant = next(each for each in INVARIANTS if each.id == "fees")

    (kept,) = check_all([invariant], synthetic_run(tables | fifth))
    fifth["tariffs"] = fifth["tariffs"].assign(energy_other=0.2)
    (broken,) = check_all([invariant], synthetic_run(tables | fifth))

    assert not kept.violations
    assert broken.violations
