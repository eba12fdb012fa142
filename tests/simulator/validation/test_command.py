"""The command simulates, judges, prints, and leaves nothing behind."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from station_sim.errors import LabError
from station_sim.validation import command

SMALL = ("small", "--days", "1", "--stations", "2", "--only-ordinary", "--seed", "3")


def validate(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(command.validate, arguments, standalone_mode=False)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """What a small run leaves, and what was printed."""
    folder = tmp_path_factory.mktemp("kept")
    return folder, validate(
        *SMALL, "--keep", str(folder / "runs"), "--report", str(folder / "r.html")
    )


def test_a_real_run_keeps_every_invariant(kept: tuple[Path, Result]) -> None:
    _, result = kept

    assert result.exception is None
    assert "0 violations of invariants" in result.stdout
    assert "violated" not in result.stdout


def test_what_is_missed_has_a_line_and_ends_with_code_1(kept: tuple[Path, Result]) -> None:
    _, result = kept

    missed = [line for line in result.stdout.splitlines() if line.startswith("missed ")]
    assert f"{len(missed)} missed" in result.stdout
    assert (1 if missed else 0) == result.return_value
    assert "open 16a: energy of a holiday over an ordinary day, corridor: needs the run" in (
        result.stdout
    )


def test_runs_and_report_are_kept_where_they_should_be(kept: tuple[Path, Result]) -> None:
    folder, _ = kept

    assert (folder / "runs/ordinary/run.json").exists()
    assert (folder / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_folder_that_is_in_use_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()

    result = validate(*SMALL, "--keep", str(tmp_path))

    assert isinstance(result.exception, LabError)
    assert "is not empty" in str(result.exception)


def test_an_interrupted_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def interrupted(*_: object, **__: object) -> None:
        assert [] != list(tmp_path.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_save", interrupted)

    result = validate(*SMALL)

    assert isinstance(result.exception, click.Abort)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [("no-such-profile",), ("small", "--days", "0"), ("small", "--stations", "none"), ()],
    ids=" ".join,
)
def test_what_cannot_run_is_an_error_for_users(arguments: tuple[str, ...]) -> None:
    assert isinstance(validate(*arguments).exception, LabError | click.UsageError)
