"""The command `station-lab`: help, errors in one line, exit codes."""

import os
import signal
import subprocess
import sys
from importlib.metadata import EntryPoint

import click
import pytest

from station_sim import cli
from station_sim.clock import DeadlockError
from station_sim.errors import LabError

TIMEOUT_S = 120


def station_lab(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "station_sim.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, **environment},
    )


def trouble(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line of a run that could not be done."""
    assert 2 == done.returncode, done
    assert "" == done.stdout
    assert 1 == done.stderr.count("\n"), done.stderr
    return done.stderr.rstrip("\n")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> dict[str, click.Command | Exception]:
    """The subcommands that are there for a test: what loading each gives."""
    there: dict[str, click.Command | Exception] = {}

    class Loaded(EntryPoint):
        def load(self) -> click.Command:
            found = there[self.name]
            if isinstance(found, Exception):
                raise found
            return found

    def entry_points() -> dict[str, EntryPoint]:
        return {name: Loaded(name, "somewhere:it", cli.COMMANDS_GROUP) for name in there}

    monkeypatch.setattr(cli, "_entry_points", entry_points)
    return there


def raising(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


def returning(value: object) -> click.Command:
    @click.command()
    def command() -> object:
        return value

    return command


def test_help_lists_every_command() -> None:
    done = station_lab("--help")
    assert 0 == done.returncode
    for name in ("broker", "load", "run"):
        assert f"\n  {name} " in done.stdout


def test_no_command_shows_help() -> None:
    assert station_lab("--help").stdout == station_lab().stdout


def test_help_imports_no_command() -> None:
    script = (
        "import sys; from station_sim.cli import run; code = run(['--help']);"
        "heavy = {'aiokafka', 'kafka', 'numpy', 'asyncio', 'simpy', 'locust'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=TIMEOUT_S, check=False
    )
    assert b"" == done.stderr


def test_version() -> None:
    assert station_lab("--version").stdout.startswith("station-lab, version ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["rum"], "station-lab: unknown command 'rum'; did you mean 'run'?"),
        (
            ["xyzzy"],
            "station-lab: unknown command 'xyzzy'; there are broker, check-config, lag, load,",
        ),
        (["--wat"], "station-lab: No such option '--wat'"),
        (["broker", "--prot", "1"], "station-lab: No such option '--prot'"),
        (["broker", "--port", "x"], "station-lab: Invalid value for '--port'"),
        (["broker", "--set", "no.such=1"], "station-lab: "),
    ],
)
def test_bad_usage(arguments: list[str], line: str) -> None:
    assert trouble(station_lab(*arguments)).startswith(line)


def test_foreseeable_errors_are_one_line(
    commands: dict[str, click.Command | Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    commands["a"] = raising(LabError("the fact,\n  the next move"))
    commands["b"] = raising(DeadlockError("nobody moves"))

    assert 2 == cli.run(["a"])
    assert ("", "station-lab: the fact, the next move\n") == capsys.readouterr()
    assert 2 == cli.run(["b"])
    assert ("", "station-lab: nobody moves\n") == capsys.readouterr()


def test_configuration_errors_are_one_line(
    commands: dict[str, click.Command | Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    errors = pytest.importorskip("data_analysis.errors")
    commands["a"] = raising(errors.ConfigurationError("topics: none"))

    assert 2 == cli.run(["a"])
    assert "station-lab: topics: none\n" == capsys.readouterr().err


def test_bugs_are_not_hidden(commands: dict[str, click.Command | Exception]) -> None:
    commands["a"] = raising(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        cli.run(["a"])


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("simpy", "sim"),
        ("rich.progress", "sim"),
        ("testcontainers.core", "kafka"),
        ("hdrh", "load"),
    ],
)
def test_missing_extra(
    commands: dict[str, click.Command | Exception],
    capsys: pytest.CaptureFixture[str],
    module: str,
    extra: str,
) -> None:
    commands["tell"] = ModuleNotFoundError(f"No module named {module!r}", name=module)

    assert 2 == cli.run(["tell"])
    expected = f"station-lab tell needs the '{extra}' extra: pip install 'station-lab[{extra}]'\n"
    assert expected == capsys.readouterr().err


def test_an_extra_that_is_missed_only_when_the_command_runs(
    commands: dict[str, click.Command | Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    commands["tell"] = raising(ModuleNotFoundError("No module named 'cramjam'", name="cramjam"))

    assert 2 == cli.run(["tell"])
    expected = "station-lab tell needs the 'sim' extra: pip install 'station-lab[sim]'\n"
    assert ("", expected) == capsys.readouterr()


def test_a_module_of_ours_that_is_missing_is_a_bug(
    commands: dict[str, click.Command | Exception],
) -> None:
    commands["a"] = ModuleNotFoundError("No module named 'station_sim.x'", name="station_sim.x")
    with pytest.raises(ModuleNotFoundError):
        cli.run(["a"])


@pytest.mark.parametrize(
    ("expected", "command"),
    [
        (0, returning(None)),
        (1, returning(1)),
        (1, raising(click.exceptions.Exit(1))),
        (130, raising(KeyboardInterrupt())),
        (130, raising(click.Abort())),
    ],
)
def test_exit_codes(
    commands: dict[str, click.Command | Exception], expected: int, command: click.Command
) -> None:
    commands["a"] = command
    assert expected == cli.run(["a"])


@pytest.mark.parametrize("ignored", [False, True])
def test_sigterm_ends_in_order(ignored: bool) -> None:
    script = f"""
import asyncio, signal
from station_sim.cli import interrupt_on_sigterm

if {ignored}:
    # As shells start what scripts put in the background.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

async def main():
    try:
        print("runs", flush=True)
        await asyncio.Event().wait()
    finally:
        print("cleaned", flush=True)

interrupt_on_sigterm()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"runs\n" == process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert b"cleaned\ninterrupted\n" == process.stdout.read()


def test_output_that_cannot_be_stored() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "station_sim.cli", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_S,
            check=False,
        )
    assert 2 == done.returncode
    assert b"station-lab: output cannot be written: " == done.stderr[:39]
    assert 1 == done.stderr.count(b"\n")


def test_output_that_nobody_reads() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "station_sim.cli"],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=TIMEOUT_S,
        check=False,
    )
    os.close(writing)
    assert 2 == done.returncode
    assert b"" == done.stderr
