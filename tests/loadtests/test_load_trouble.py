"""What cannot be run says so in one line and exits with 2; Ctrl-C exits with 130 and cleans up."""

import asyncio
import json
import signal
import subprocess
import time

import psutil
import pytest

from station_sim.brokers import open_broker
from tests.loadtests.load_command import (
    DEADLINE_S,
    ROOT,
    SERVICES,
    command_line,
    load,
    load_embedded,
    under_load,
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--broker", "nonsense"], "unknown broker 'nonsense'"),
        (["--broker", "virtual"], "load needs real time"),
        (["--broker", "localhost:1"], "could not reach Kafka at localhost:1"),
        (["--broker", "192.0.2.1:9092"], "--allow-remote"),
        (["--users", "3", "--stations", "2"], "choose --users at most --stations"),
        (["--rate", "0"], "--rate"),
        (["--duration", "inf"], "inf is not a finite number"),
        (["--max-p99-ms", "nan"], "nan is not a finite number"),
        (["--service", "json"], "--service wants pkg.mod:factory, got 'json'"),
        (["--callback", "json"], "--callback wants pkg.mod:function, got 'json'"),
    ],
)
def test_a_run_that_cannot_be_had_is_one_line(arguments: list[str], words: str) -> None:
    outcome = load(*arguments)
    assert (2, "") == (outcome.exit_code, outcome.output)
    (line,) = outcome.errors.splitlines()
    assert line.startswith("station-lab: ")
    assert words in line


@pytest.mark.parametrize(
    ("service", "line"),
    [
        (
            "DyingService",
            "station-lab: the service ended (exit code 7): the model is out of memory",
        ),
        ("failing", "station-lab: the service failed: RuntimeError: the model file is missing"),
    ],
)
def test_a_service_that_does_not_live_is_one_line(service: str, line: str) -> None:
    outcome = load_embedded(service)
    assert (2, "", [line]) == (outcome.exit_code, outcome.output, outcome.errors.splitlines())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--service", f"{SERVICES}:nobody"], f"--service {SERVICES}:nobody: {SERVICES} has no"),
        (["--callback", f"{SERVICES}:NO_FUNCTION"], "NO_FUNCTION cannot be called, it is int"),
        (["--callback", "nowhere:model"], "--callback nowhere:model: there is no module 'nowhere'"),
    ],
)
def test_what_is_not_there_is_named(arguments: list[str], words: str) -> None:
    outcome = load_embedded("PlainService", *arguments)
    assert (2, "") == (outcome.exit_code, outcome.output)
    (line,) = outcome.errors.splitlines()
    assert line.startswith("station-lab: ")
    assert words in line


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_tells_what_it_found_and_leaves_nothing(how: signal.Signals) -> None:
    running = _start("--duration", "100")
    try:
        asyncio.run(_until_processed(_bootstrap(running), 100))
        family = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(how)
        output, errors = running.communicate(timeout=DEADLINE_S)
    finally:
        running.kill()
    assert (130, "") == (running.returncode, errors)
    report = json.loads(output)
    assert ("interrupted", 0) == (report["verdict"], report["lost"])
    assert 100 <= report["processed"] <= report["sent"] < 30_000
    assert 3 <= len(family)
    assert [] == [each for each in family if each.is_running()]


def test_a_broker_that_ends_is_one_line() -> None:
    running = _start("--duration", "100")
    try:
        _bootstrap(running)
        _broker(running).kill()
        output, errors = running.communicate(timeout=DEADLINE_S)
    finally:
        running.kill()
    assert (2, "") == (running.returncode, output)
    (line,) = errors.splitlines()
    assert line.startswith("station-lab: the simulated Kafka ended")


def test_children_do_not_outlive_a_killed_command() -> None:
    running = _start("--duration", "100")
    try:
        _bootstrap(running)
        family = psutil.Process(running.pid).children(recursive=True)
    finally:
        running.kill()
        running.communicate(timeout=DEADLINE_S)
    _, alive = psutil.wait_procs(family, timeout=DEADLINE_S)
    assert [] == alive


def _start(*arguments: str) -> "subprocess.Popen[str]":
    fixed = ("--broker", "embedded", *under_load("PlainService"), "--rate", "300", "--json")
    return subprocess.Popen(
        command_line(*fixed, *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _bootstrap(running: "subprocess.Popen[str]") -> str:
    """The broker's address, from the order that the sending process was given."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        for child in psutil.Process(running.pid).children(recursive=True):
            words = child.cmdline()
            if "station_load.sending" in words:
                return str(json.loads(words[-1])["bootstrap"])
        time.sleep(0.05)
    raise AssertionError("the sending process did not start")


def _broker(running: "subprocess.Popen[str]") -> psutil.Process:
    """The process of the embedded broker, which its leash started."""
    (broker,) = (
        child
        for child in psutil.Process(running.pid).children(recursive=True)
        if child.cmdline()[1:3] == ["-m", "station_sim.kafka"]
    )
    return broker


async def _until_processed(bootstrap: str, count: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    async with open_broker(bootstrap) as broker:
        while time.monotonic() < deadline:
            ranges = await broker.log_ranges("MODULE-OUTPUT-LOAD_PREDICTION")
            if sum(end for _, end in ranges.values()) >= count:
                return
            await asyncio.sleep(0.05)
    raise AssertionError(f"less than {count} results")
