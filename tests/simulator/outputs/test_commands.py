"""`simulate` and `replay` as users call them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from click.testing import CliRunner, Result

from station_sim.errors import LabError
from station_sim.outputs.replay_command import replay
from station_sim.outputs.simulate_command import simulate

HALF_HOUR = ["--days", "0.02"]


def call(command: object, *arguments: str) -> Result:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)  # type: ignore[arg-type]  # both are commands
    if result.exception is not None:
        raise result.exception
    return result


def simulated(path: Path, *options: str) -> list[bytes]:
    result = call(simulate, "small", *HALF_HOUR, "--to", str(path), "--stations", "0,1", *options)
    assert 0 == result.return_value
    return path.read_bytes().splitlines()


def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(tmp_path: Path) -> None:
    first = simulated(tmp_path / "a.jsonl")
    assert first == simulated(tmp_path / "b.jsonl", "--seed", "0")
    assert first != simulated(tmp_path / "c.jsonl", "--seed", "1")


def test_chosen_topics_and_stations_are_a_part_of_all(tmp_path: Path) -> None:
    whole = simulated(tmp_path / "a.jsonl")
    topics = {"REAL-STATION-DATA", "SCHEDULE-DEVICE-GUN"}
    part = simulated(tmp_path / "b.jsonl", "--topics", ",".join(sorted(topics)))
    assert part == [each for each in whole if json.loads(each)["topic"] in topics]


def test_the_start_moves_the_story(tmp_path: Path) -> None:
    lines = simulated(
        tmp_path / "a.jsonl", "--start", "2026-10-01", "--topics", "REAL-STATION-DATA"
    )
    assert json.loads(lines[0])["value"]["timestamp"].startswith("2026-10-01 00:00:")


def test_a_folder_holds_records_and_ledger(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    result = call(simulate, "small", *HALF_HOUR, "--to", str(folder), "--stations", "0")
    assert 0 == result.return_value
    records = ds.dataset(folder / "records").to_table()
    told = [json.loads(each)["key"] for each in simulated(tmp_path / "a.jsonl")]
    (key,) = {each for each in records["key"].to_pylist() if each}
    assert told.count(key) == records["key"].to_pylist().count(key) > 500
    ledger = ds.dataset(folder / "ledger" / "counts.parquet").to_table()
    assert len(records) >= 0.98 * sum(ledger["due"].to_pylist())


def test_replayed_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    first = simulated(tmp_path / "a.jsonl", "--no-imperfections")
    result = call(replay, str(tmp_path / "a.jsonl"), "--to", str(tmp_path / "b.jsonl"))
    assert 0 == result.return_value
    assert first == (tmp_path / "b.jsonl").read_bytes().splitlines()


def test_bad_lines_are_told_and_make_the_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"topic":"T","value":{},"timestamp":5}\nnonsense\n')
    result = call(replay, str(tmp_path / "a.jsonl"), "--to", str(tmp_path / "b.jsonl"))
    assert 1 == result.return_value
    assert f"bad: {tmp_path / 'a.jsonl'}:2:" in result.stderr
    assert "1 lines could not be read" in result.stderr
    assert 1 == len((tmp_path / "b.jsonl").read_text().splitlines())


def test_a_station_that_is_not_there_is_refused() -> None:
    with pytest.raises(LabError, match="there is no station 99; say an id, or a number from 0"):
        call(simulate, "small", "--stations", "99")


PROGRAM = """
import sys
from station_sim.outputs.simulate_command import simulate
sys.exit(simulate.main(sys.argv[1:], standalone_mode=False))
"""


def test_ctrl_c_leaves_whole_lines_and_exits_130(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    command = [sys.executable, "-c", PROGRAM, "small", "--days", "30", "--to", str(path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ, text=True)
    deadline = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size > 5_000_000):
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert 130 == process.returncode, told
    assert "interrupted after" in told
    text = path.read_bytes()
    assert text.endswith(b"\n")
    for line in text.splitlines()[-100:]:
        json.loads(line)
