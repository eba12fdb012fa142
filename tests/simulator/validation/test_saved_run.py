"""A saved run is read from its folder; what is not one is refused with one line."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from tests.simulator.validation.synthetic_run import DAYS, START, Tables

from station_sim.errors import LabError
from station_sim.validation.saved_run import SavedRun
from station_sim.validation.targets import ORDINARY

FACTS = {"profile": "synthetic", "seed": 7, "start": START, "days": DAYS}


def write_run(folder: Path, tables: Tables, **facts: object) -> Path:
    """Save tables as a run does."""
    for name, frame in tables.items():
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(path)
    (folder / "run.json").write_text(json.dumps(FACTS | facts), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path, tables_by_run: Mapping[str, Tables]) -> Path:
    """Some tables of the synthetic run on disk."""
    names = ("stations", "guns", "records/SCHEDULE-DEVICE-METER")
    return write_run(tmp_path, {name: tables_by_run[ORDINARY][name] for name in names})


def test_tables_come_back_as_they_were_saved(
    folder: Path, tables_by_run: Mapping[str, Tables]
) -> None:
    run = SavedRun(folder)

    pd.testing.assert_frame_equal(tables_by_run[ORDINARY]["guns"], run.table("guns"))
    assert run.table("guns") is run.table("guns")
    assert 2.0 == run.days


def test_text_in_categories_is_text(folder: Path) -> None:
    stations = pd.read_parquet(folder / "stations.parquet")
    stations.astype({"site_type": "category"}).to_parquet(folder / "stations.parquet")

    assert "str" == SavedRun(folder).table("stations")["site_type"].dtype


def test_instants_are_told_in_local_time(folder: Path) -> None:
    run = SavedRun(folder)

    assert "2026-03-02 01:00:30" == run.local(90_030)
    assert [0, 1, 23] == run.hours_of_day(pd.Series([0.0, 90_000.0, 86_399.0])).tolist()


def test_a_run_may_start_within_a_day(tmp_path: Path) -> None:
    run = SavedRun(write_run(tmp_path, {}, start="2026-03-01T06:30:00+08:00"))

    assert [6, 7] == run.hours_of_day(pd.Series([0.0, 1800.0])).tolist()


def test_records_are_decoded_without_those_that_something_happened_to(folder: Path) -> None:
    path = folder / "records/SCHEDULE-DEVICE-METER.parquet"
    saved = pd.read_parquet(path)
    fates = ["late", "malformed", *[""] * (len(saved) - 2)]
    saved.assign(fate=fates).iloc[::-1].to_parquet(path)

    records = SavedRun(folder).records("SCHEDULE-DEVICE-METER")

    assert len(saved) - 2 == len(records)
    assert records["due_ms"].is_monotonic_increasing
    assert isinstance(records["value"].iloc[0]["meterPower"], float)


def test_no_records_are_no_records(folder: Path) -> None:
    run = SavedRun(folder)

    assert not run.has_records("SCHEDULE-CAR-ORDER")
    assert run.records("SCHEDULE-CAR-ORDER").empty


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"is not a saved run: run\.json"):
        SavedRun(tmp_path)


def test_facts_that_are_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"profile": "x", "seed": 1, "days": 1}')

    with pytest.raises(LabError, match="names no start"):
        SavedRun(tmp_path)


def test_columns_that_are_missing_are_named(folder: Path) -> None:
    path = folder / "guns.parquet"
    pd.read_parquet(path).drop(columns=["host", "gun_no"]).to_parquet(path)

    with pytest.raises(LabError, match="misses gun_no, host"):
        SavedRun(folder).table("guns")


def test_a_table_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "guns.parquet").write_bytes(b"not a table")

    with pytest.raises(LabError, match="cannot read table guns"):
        SavedRun(folder).table("guns")
