"""`station-lab run`: what it prints, how it exits, and that trouble is one line."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from station_sim.cli import run

SMALL = ["--stations", "2", "--duration", "0.05"]
PLAIN = ["--service", "tests.scenarios.plain_service:PlainService"]
SKIPS = ["--service", "tests.scenarios.broken_services:SwallowsTheGap"]


def test_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["run", "--list"])
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert ["steady-day", "offset-out-of-range", "late-batch"] == names


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["run", "steady-day", "--json", "--seeds", "2..3", *SMALL])
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert ("steady-day", "virtual", 2, "held", []) == tuple(
        first[key] for key in ("scenario", "broker", "seed", "verdict", "violations")
    )
    assert 180.0 == first["story_s"]
    assert first["wall_s"] > 0
    assert first["counts"]["callbacks"] > 20
    assert 64 == len(first["digest"])
    assert first["digest"] != second["digest"]


def test_json_tells_of_a_run_that_could_not_begin(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert 2 == run(["run", "late-batch", "--broker", "jvm", "--json", *SMALL])
    printed = capsys.readouterr()
    outcome = json.loads(printed.out)
    assert ("late-batch", "jvm", "error", None, []) == tuple(
        outcome[key] for key in ("scenario", "broker", "verdict", "digest", "violations")
    )
    assert f"station-lab: {outcome['error']}\n" == printed.err


def test_a_table_names_every_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["run", "steady-day", "late-batch", *SMALL, *PLAIN])
    out = capsys.readouterr().out
    assert "steady-day" in out
    assert "late-batch" in out
    assert 2 == out.count("held")


def test_a_violation_prints_its_seed_and_how_to_replay_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert 1 == run(["run", "offset-out-of-range", "--seed", "5", *SMALL, *SKIPS])
    out = capsys.readouterr().out
    assert "gap-declared at " in out
    replay = " ".join(
        ["station-lab run offset-out-of-range --seed 5", *SKIPS, "--stations 2 --duration 0.05"]
    )
    assert f"seed 5; replay with: {replay}" in out


def test_an_error_of_the_service_is_a_verdict(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raises_in_make.py").write_text("def make(**options):\n    raise KeyError('why')\n")
    monkeypatch.chdir(tmp_path)
    assert 2 == run(["run", "steady-day", "--json", *SMALL, "--service", "raises_in_make:make"])
    captured = capsys.readouterr()
    outcome = json.loads(captured.out)
    assert "error" == outcome["verdict"]
    assert "KeyError: 'why' (raises_in_make.py:2 in make)" == outcome["error"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["steady-dya"], "unknown scenario 'steady-dya'; did you mean 'steady-day'?"),
        (["--broker", "virtula"], "unknown broker 'virtula'"),
        (["--service", "nowhere:make"], "there is no module 'nowhere'"),
        (["--service", "json:make"], "json has no 'make'"),
        (["--service", "json"], "--service wants pkg.mod:factory, got 'json'"),
        (["--seeds", "9..2"], "--seeds wants A..B with A <= B, got '9..2'"),
        (["--seed", "1", "--seeds", "2..9"], "--seed 1 and --seeds 2..9 exclude each other"),
        (["--stations", "0"], "'--stations'"),
        (["--duration", "nan"], "nan is not a finite number"),
        (["--duration", "inf"], "inf is not a finite number"),
        (["--no-such-option"], "--no-such-option"),
        (["--broker", "192.0.2.1:9092"], "--allow-remote"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == run(["run", *arguments])
    captured = capsys.readouterr()
    assert "" == captured.out
    assert 1 == len(captured.err.splitlines()), captured.err
    assert expected in captured.err


@pytest.mark.parametrize(
    ("factory", "error"),
    [
        ("nothing", "the factory returned NoneType, which has no start(); return a service"),
        ("NotAwaited", "the service's start() is not a coroutine: it returned NoneType"),
        ("StartHangs", "the service's start() did not return within 120 s"),
        ("StopHangs", "the service's stop() did not return within 300 s"),
        ("Exits", "the service ended the program: SystemExit: 7"),
    ],
)
def test_a_service_that_breaks_its_word_ends_the_run(
    factory: str, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service = ["--service", f"tests.scenarios.unfit_services:{factory}"]
    assert 2 == run(["run", "steady-day", "--json", *SMALL, *service])
    captured = capsys.readouterr()
    assert error == json.loads(captured.out)["error"]
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("factory", "invariant"), [("NeverFinishes", "caught-up"), ("Raises", "uploaded")]
)
def test_callbacks_that_never_have_a_result_are_violations(
    factory: str, invariant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service = ["--service", f"tests.scenarios.unfit_services:{factory}"]
    assert 1 == run(["run", "steady-day", "--json", *SMALL, *service])
    violations = json.loads(capsys.readouterr().out)["violations"]
    assert invariant in {violation["invariant"] for violation in violations}


@pytest.mark.parametrize("broker", ["virtual", "embedded"])
def test_ctrl_c_tells_what_was_found_so_far(broker: str) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "station_sim.cli", "-v", "run", "steady-day"]
    with subprocess.Popen(
        [*command, "--broker", broker], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert any(line.startswith("INFO:data_analysis") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert 130 == process.returncode
    assert "interrupted by Ctrl-C" in out
    assert "Traceback" not in err
