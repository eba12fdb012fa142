"""Every Python block of the documentation runs; every command that it shows has those options."""

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from data_analysis import DataAnalysisService
from data_analysis.commands.check_config import check_config
from data_analysis.commands.lag import lag
from data_analysis.commands.serve import load_callback, serve
from data_analysis.commands.verify_group_ids import verify_group_ids
from station_load.command import load
from station_scenarios.command import run
from station_scenarios.stories import SCENARIOS
from station_sim import cli
from station_sim.brokers import open_broker
from station_sim.clock import EPOCH_S, run_virtual
from station_sim.kafka.command import broker
from station_sim.kafka.requests import produce
from station_sim.outputs.replay_command import replay
from station_sim.outputs.simulate_command import simulate
from tests.docs.blocks import FIRST_SERVICE_PAGES, Block, blocks

DEADLINE_S = 60.0
SMALL = ["--stations", "2", "--duration", "0.2"]
KAFKA_BROKER_PAGE = "docs/how-to/test-with-kafka-broker.md"
BATCHES_PAGE = "docs/how-to/batches.md"
COMMANDS = {
    "broker": broker,
    "check-config": check_config,
    "lag": lag,
    "load": load,
    "replay": replay,
    "run": run,
    "serve": serve,
    "simulate": simulate,
    "verify-group-ids": verify_group_ids,
}


def embeds_the_service(text: str, _folder: Path) -> None:
    """Run the program against a broker, and see a result of it."""
    asyncio.run(_see_a_result(text))


async def _see_a_result(text: str) -> None:
    assert "localhost:9092" in text
    async with open_broker("embedded") as kafka:
        program = text.replace("localhost:9092", kafka.bootstrap)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        consumer = AIOKafkaConsumer(
            "MODULE-OUTPUT-LOAD_PREDICTION",
            bootstrap_servers=kafka.bootstrap,
            auto_offset_reset="earliest",
        )
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
        try:
            async with asyncio.timeout(DEADLINE_S):
                await producer.start()
                await consumer.start()
                result = await _send_until_answered(producer, consumer, process)
        finally:
            await producer.stop()
            await consumer.stop()
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
            await process.wait()
    assert "s1" == result["station_id"]
    assert 42.5 == result["output"]["load_forecast"]


async def _send_until_answered(
    producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, process: asyncio.subprocess.Process
) -> dict[str, Any]:
    """The service begins at the end of its topics, whenever it is ready."""
    value = json.dumps({"stationId": "s1", "totalPower": 42.5}).encode()
    while process.returncode is None:
        await producer.send_and_wait("REAL-STATION-DATA", value)
        for records in (await consumer.getmany(timeout_ms=250)).values():
            return dict(json.loads(records[0].value))
    raise AssertionError(f"the program ended with {process.returncode}")


def swallows_the_gap(text: str, folder: Path) -> None:
    """The tutorial's broken service is found out."""
    Path(folder, "silent.py").write_text(text)
    arguments = ["run", "offset-out-of-range", "--service", "silent:silent", *SMALL]
    assert 1 == cli.run(arguments)


def serves_a_story(text: str, folder: Path) -> None:
    """The factory's service holds."""
    Path(folder, "our_service").mkdir()
    Path(folder, "our_service", "lab.py").write_text(text)
    assert 0 == cli.run(["run", "late-batch", "--service", "our_service.lab:factory", *SMALL])


def lives_in_virtual_time(text: str, _folder: Path) -> None:
    """A story of its own."""
    exec(text, {})


def uploads_the_batch_shown(text: str, _folder: Path) -> None:
    """The program uploads what the page says."""
    [shown] = [block.text for block in blocks("json") if block.page == BATCHES_PAGE]
    names: dict[str, Any] = {}
    exec(text, names)
    assert json.loads(shown) == json.loads(json.dumps(names["uploads"]))


def has_the_form_of_a_request(text: str, _folder: Path) -> None:
    """The names of the example are those of a request module."""
    shown: dict[str, Any] = {"ProduceRequest": produce.REQUEST}
    exec(text, shown)
    for name in ("REQUEST", "handle"):
        assert name in shown
        assert hasattr(produce, name)


def asks_a_broker(text: str, _folder: Path) -> None:
    """What can be asked of a broker is answered by the virtual one."""
    shown: dict[str, Any] = {}
    exec(text, shown)
    run_virtual(shown["ask"])


def keeps_data(text: str, _folder: Path) -> None:
    """The page's program asserts what it shows."""
    exec(text, {})


def passes_with_the_plugin(text: str, folder: Path) -> None:
    """The tests shown pass, in a pytest of their own with the settings shown."""
    [ini] = [block.text for block in blocks("ini") if block.page == KAFKA_BROKER_PAGE]
    (folder / "pytest.ini").write_text(ini)
    (folder / "test_billing.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, "-p", "station_sim.pytest_plugin"],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == ran.returncode, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


def hears_every_reading(text: str, _folder: Path) -> None:
    """A story of a minute, by threads or by tasks."""
    assert EVERY_READING == _heard(text)


def _heard(text: str) -> object:
    shown: dict[str, Any] = {}
    exec(text, shown)
    return shown["heard"]


EVERY_READING = [(second, b"%d kW" % second, int(EPOCH_S) + second) for second in range(60)]


def shows_metrics(text: str, _folder: Path) -> None:
    """A service that has not started yet is not up."""
    kafka = {"bootstrap_servers": ["kafka:9092"], "group_id": "g"}
    shown: dict[str, Any] = {"service": DataAnalysisService("load_prediction", kafka_config=kafka)}
    exec(text, shown)
    assert 0.0 == shown["registry"].get_sample_value("data_analysis_up")


def is_served(text: str, folder: Path) -> None:
    """`serve` finds the callback, which answers."""
    Path(folder, "forecast.py").write_text(text)
    callback = load_callback("forecast:predict")
    assert {"load_forecast": 5.0} == callback("S1", {"totalPower": 5.0})


PROOFS: dict[str, Callable[[str, Path], None]] = {
    "README.md:1": embeds_the_service,
    "docs/tutorials/first-accident.md:1": swallows_the_gap,
    f"{KAFKA_BROKER_PAGE}:1": passes_with_the_plugin,
    "docs/how-to/own-service.md:1": serves_a_story,
    "docs/how-to/keep-data.md:1": keeps_data,
    "docs/how-to/blocking-code.md:1": hears_every_reading,
    "docs/how-to/blocking-code.md:2": hears_every_reading,
    "docs/how-to/blocking-service.md:1": embeds_the_service,
    "docs/how-to/blocking-service.md:2": shows_metrics,
    f"{BATCHES_PAGE}:1": uploads_the_batch_shown,
    f"{BATCHES_PAGE}:2": keeps_data,
    "docs/how-to/multi-consumer.md:1": keeps_data,
    "docs/how-to/migrate-offsets.md:1": keeps_data,
    "docs/how-to/reload.md:1": keeps_data,
    "docs/how-to/warm-start.md:1": keeps_data,
    "docs/how-to/dead-letters.md:1": keeps_data,
    "docs/how-to/gaps.md:1": keeps_data,
    "docs/how-to/deploy-and-health.md:1": is_served,
    "docs/explanation/architecture.md:1": lives_in_virtual_time,
    "docs/explanation/architecture.md:2": has_the_form_of_a_request,
    "docs/explanation/architecture.md:3": asks_a_broker,
}


ALONE = [block for block in blocks("python") if block.page not in FIRST_SERVICE_PAGES]


@pytest.mark.parametrize("block", ALONE, ids=str)
def test_python_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert str(block) in PROOFS, "a new example needs its proof here"
    PROOFS[str(block)](block.text, tmp_path)


def test_blocking_code_and_coroutines_tell_the_same_story() -> None:
    page = "docs/how-to/blocking-code.md"
    one, other = [block.text for block in blocks("python") if block.page == page]
    assert _heard(one) == _heard(other)


def shown_commands() -> list[list[str]]:
    """The arguments of every `station-lab` in a shell block."""
    lines = [line for block in blocks("sh") for line in block.text.splitlines()]
    commands = [part.split() for line in lines for part in line.split("&&")]
    return [
        shlex.split(" ".join(words))[1:] for words in commands if words[0].endswith("/station-lab")
    ]


@pytest.mark.parametrize("arguments", shown_commands(), ids=" ".join)
def test_commands_have_the_options_that_are_shown(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *rest = arguments
    for each in rest:
        if each.endswith((".py", ".toml")):
            Path(each).touch()
    context = COMMANDS[name].make_context(name, rest)
    assert isinstance(context, click.Context)
    assert set(context.params.get("names") or ()) <= set(SCENARIOS)


def test_every_option_of_a_command_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text()
    options = {
        option
        for command in COMMANDS.values()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for option in parameter.opts
    }
    assert set() == {option for option in options if f"`{option}" not in page}
