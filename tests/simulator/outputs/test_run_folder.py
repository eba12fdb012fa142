"""A saved run: tables that agree with each other, whatever the number of processes."""

import json
from pathlib import Path

import pandas as pd
import pytest

from station_sim.outputs.run_folder import save_run
from station_sim.outputs.run_schemas import TABLES
from station_sim.world.charging_network import Network
from station_sim.world.profile import Profile

END_S = 57_600.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run")
    network = Network(profile())
    save_run(network, 0.0, END_S, path, records_of=[network.site(0).station_id], processes=1)
    return path


def profile() -> Profile:
    return Profile(stations=3, seed=4, guns_per_station=8, pv_share=1.0, storage_share=1.0)


def test_all_tables_are_there(folder: Path) -> None:
    for name, schema in TABLES.items():
        assert schema.names == list(pd.read_parquet(folder / f"{name}.parquet").columns)
    facts = json.loads((folder / "run.json").read_text())
    assert (4, 3, END_S / 86_400) == (facts["seed"], facts["stations"], facts["days"])


def test_guns_hosts_and_sessions_agree(folder: Path) -> None:
    power = pd.read_parquet(folder / "power.parquet")
    assert (power["guns_kw"] - power["dc_kw"]).abs().max() < 1e-6
    balance = power["ac_kw"] + power["auxiliaries_kw"] - power["pv_kw"] - power["storage_kw"]
    assert (balance - power["meter_kw"]).abs().max() < 1e-6
    guns = pd.read_parquet(folder / "gun_power.parquet").groupby(["station_id", "time_s"])["kw"]
    joined = power.set_index(["station_id", "time_s"])["guns_kw"] - guns.sum()
    assert joined.abs().max() < 1e-6


def test_sessions_are_all_there(folder: Path) -> None:
    sessions = pd.read_parquet(folder / "sessions.parquet")
    steps = pd.read_parquet(folder / "session_steps.parquet")
    assert sessions["transaction_no"].is_unique
    last = steps.groupby("transaction_no")["energy_kwh"].max()
    by_number = sessions.set_index("transaction_no")["energy_kwh"]
    assert (by_number[last.index] - last).abs().max() < 1e-6
    periods = sessions.filter(regex="^kwh_").sum(axis=1)
    assert (periods - sessions["energy_kwh"]).abs().max() < 1e-6
    power = pd.read_parquet(folder / "power.parquet")
    assert power["guns_kw"].sum() / 12 == pytest.approx(sessions["energy_kwh"].sum(), rel=0.03)


def test_records_and_ledger_are_kept(folder: Path) -> None:
    counts = pd.read_parquet(folder / "ledger" / "counts.parquet")
    real = counts[counts["topic"] == "REAL-STATION-DATA"]
    assert [END_S / 15] * 3 == real["due"].tolist()
    records = pd.read_parquet(folder / "records" / "REAL-STATION-DATA.parquet")
    duplicates = real["duplicate"].iloc[0]
    gone = real["lost"].iloc[0] + real["outage-lost"].iloc[0]
    assert real["due"].iloc[0] - gone + duplicates == len(records)


def test_two_processes_save_the_same(folder: Path, tmp_path: Path) -> None:
    save_run(Network(profile()), 0.0, END_S, tmp_path, processes=2)
    for name in (*TABLES, "ledger/runs", "ledger/exceptions", "ledger/counts"):
        one, other = ((each / f"{name}.parquet").read_bytes() for each in (folder, tmp_path))
        assert one == other, name


def test_some_tables_are_enough_for_some_questions(tmp_path: Path) -> None:
    save_run(Network(profile()), 0.0, END_S, tmp_path, tables={"stations", "power"}, processes=1)
    assert {"stations.parquet", "power.parquet", "run.json"} == {
        each.name for each in tmp_path.iterdir()
    }


@pytest.mark.parametrize("end_s", [8_640.0, 1_000.0, 4.0])
def test_a_run_may_end_at_any_instant(tmp_path: Path, end_s: float) -> None:
    save_run(Network(profile()), 0.0, end_s, tmp_path / "run", processes=1)
    power = pd.read_parquet(tmp_path / "run" / "power.parquet")
    assert -(-end_s // 300) * 3 == len(power)
    assert (power["meter_max_kw"] >= power["meter_kw"]).all()
