"""`serve`, `lag` and `verify-group-ids` as processes, against the simulated Kafka on loopback."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from station_sim.brokers import Broker, TopicSpec, open_broker
from tests.contract.waiting import eventually

WITHIN_S = 60

CONFIG = """
KAFKA_CONFIG = {{"bootstrap_servers": ["{bootstrap}"], "group_id": "g",
                 "auto_offset_reset": "earliest"}}
TOPIC_DETAIL = {{"T": {{"fields": ["stationId", "x"], "modules": ["m"], "window_size": 2}}}}
MODULE_DEPENDENCIES = {{}}
OFFSET_COMMIT_CONFIG = {{"commit_batch_size": 1}}
"""

MODEL = """
def predict(station_id, module_input):
    return {"x": module_input["x"]}
"""


MORE = """
TOPIC_DETAIL["U"] = {"fields": ["stationId", "y"], "modules": ["m"], "window_size": 2}
"""

BLOCKING_MODEL = """
import threading

def predict(station_id, module_input):
    with open("threads", "a") as file:
        print(threading.current_thread() is threading.main_thread(), file=file)
    return {"x": module_input["x"]}
"""

NOTING_MODEL = """
def predict(station_id, module_input):
    with open("calls", "a") as file:
        window = module_input["x_window"]
        print(type(window).__name__, len(window), file=file)
    return {"x": module_input["x"]}
"""

ENGINE_WITH_A_BUG = """
from data_analysis.engine import Engine

def predict(station_id, module_input):
    Engine.acknowledged_all = None
    return {}
"""


async def handles_two_and_stops(
    folder: Path, broker: Broker, process: "subprocess.Popen[str]"
) -> None:
    """Wait until the records are committed, then end the service in good order."""

    async def handled() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        committed = await broker.committed("g")
        return any(found.offset == 2 for found in committed.values())

    await eventually(handled, deadline_s=WITHIN_S, what="two records committed")
    process.send_signal(signal.SIGTERM)
    assert 0 == await asyncio.to_thread(process.wait, WITHIN_S)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "station_sim.cli", *arguments]


@contextmanager
def serving(folder: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """`station-lab serve` in a folder; killed at the end if it still lives."""
    arguments = ["serve", "model:predict", "--config", "config.py", "--module", "m", *options]
    log = (folder / "log").open("w")
    process = subprocess.Popen(command(*arguments), cwd=folder, stderr=log, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


@asynccontextmanager
async def broker_with_records(folder: Path) -> AsyncIterator[Broker]:
    """A broker with two records in `T`, and the files of a service that reads them."""
    async with open_broker("embedded") as broker:
        await broker.make_topics(TopicSpec("T", partitions=1))
        (folder / "config.py").write_text(CONFIG.format(bootstrap=broker.bootstrap))
        (folder / "model.py").write_text(MODEL)
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
        await producer.start()
        try:
            for x in (1, 2):
                await producer.send_and_wait("T", b'{"stationId": "S", "x": %d}' % x)
        finally:
            await producer.stop()
        yield broker


def told(folder: Path, pattern: str) -> str | None:
    found = re.search(pattern, (folder / "log").read_text(), re.MULTILINE)
    return None if found is None else found[1]


async def tells(folder: Path, pattern: str) -> None:
    async def look() -> bool:
        return told(folder, pattern) is not None

    await eventually(look, deadline_s=WITHIN_S, what=lambda: (folder / "log").read_text())


def answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=WITHIN_S) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_edited_file_is_read_at_a_signal_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with broker_with_records(tmp_path) as broker:
            await broker.make_topics(TopicSpec("U", partitions=1))
            good = (tmp_path / "config.py").read_text()
            with serving(tmp_path) as process:
                await tells(tmp_path, "serving (T)$")
                for text, line in (
                    (good + "TOPIC_DETAIL = 3", "stays as it was: (TOPIC_DETAIL)"),
                    (good.replace('"g"', '"h"'), "stays as it was: .* another (KAFKA_CONFIG)"),
                    (good + "1 +", "stays as it was: .* cannot be (run)"),
                    (good + MORE, "reloaded; serving (T, U)$"),
                ):
                    (tmp_path / "config.py").write_text(text)
                    process.send_signal(signal.SIGHUP)
                    await tells(tmp_path, line)
                process.terminate()
                assert 0 == await asyncio.to_thread(process.wait, WITHIN_S)

    asyncio.run(story())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_callback_is_served_watched_and_drained(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    async def story() -> None:
        async with broker_with_records(tmp_path) as broker:
            with serving(tmp_path, "--metrics-port", "0") as process:

                async def handled() -> bool:
                    assert process.poll() is None, (tmp_path / "log").read_text()
                    committed = await broker.committed("g")
                    return any(found.offset == 2 for found in committed.values())

                await eventually(handled, deadline_s=WITHIN_S, what="two records committed")
                url = told(tmp_path, r"metrics at (\S+)")
                assert url is not None
                status, metrics = await asyncio.to_thread(answer, f"{url}/metrics")
                assert 200 == status
                assert 'data_analysis_callbacks_total{outcome="callbacks_run"} 2.0' in metrics
                assert "data_analysis_callback_seconds_count 2.0" in metrics
                assert 'data_analysis_newest_point_age_seconds{topic="T"}' in metrics
                status, ready = await asyncio.to_thread(answer, f"{url}/ready")
                assert (200, True) == (status, json.loads(ready)["ready"])
                assert 404 == (await asyncio.to_thread(answer, f"{url}/nowhere"))[0]
                process.send_signal(number)
                assert code == await asyncio.to_thread(process.wait, WITHIN_S)

    asyncio.run(story())


def test_a_callback_that_blocks_runs_in_threads(tmp_path: Path) -> None:
    async def story() -> None:
        async with broker_with_records(tmp_path) as broker:
            (tmp_path / "model.py").write_text(BLOCKING_MODEL)
            with serving(tmp_path, "--threads", "2") as process:
                await handles_two_and_stops(tmp_path, broker, process)

    asyncio.run(story())
    assert ["False", "False"] == (tmp_path / "threads").read_text().split()


def test_windows_may_be_arrays_and_calls_may_be_coalesced(tmp_path: Path) -> None:
    async def story() -> None:
        async with broker_with_records(tmp_path) as broker:
            (tmp_path / "model.py").write_text(NOTING_MODEL)
            with serving(tmp_path, "--window-form", "array", "--coalesce") as process:
                await handles_two_and_stops(tmp_path, broker, process)

    asyncio.run(story())
    assert "ndarray 2" == (tmp_path / "calls").read_text().strip()


def test_a_service_that_ends_by_itself_ends_the_command_with_one_line(tmp_path: Path) -> None:
    async def story() -> None:
        async with broker_with_records(tmp_path):
            (tmp_path / "model.py").write_text(ENGINE_WITH_A_BUG)
            with serving(tmp_path) as process:
                assert 2 == await asyncio.to_thread(process.wait, WITHIN_S)

    asyncio.run(story())
    last = (tmp_path / "log").read_text().splitlines()[-1]
    assert "the service has ended: uploading met TypeError" in last


def test_lag_and_groups_are_shown(tmp_path: Path) -> None:
    async def story() -> tuple[str, str]:
        async with broker_with_records(tmp_path):
            return (
                await asyncio.to_thread(output, tmp_path, "lag", "--json"),
                await asyncio.to_thread(output, tmp_path, "verify-group-ids"),
            )

    lag, groups = asyncio.run(story())
    expected = {"topic": "T", "partition": 0, "committed_offset": None, "end_offset": 2, "lag": 2}
    assert {**expected, "group": "g"} == json.loads(lag)
    assert "g: T\nnothing committed yet: g\n" == groups


def test_topics_that_are_not_there_are_named(tmp_path: Path) -> None:
    async def story() -> list[str]:
        async with broker_with_records(tmp_path):
            config = tmp_path / "config.py"
            config.write_text(config.read_text().replace('"T"', '"NO-T"'))
            return [
                (await asyncio.to_thread(ended, tmp_path, name, "--config", "config.py")).stderr
                for name in ("lag", "verify-group-ids")
            ]

    assert ["not there: NO-T\n"] * 2 == asyncio.run(story())


def output(folder: Path, *arguments: str) -> str:
    done = ended(folder, *arguments, "--config", "config.py")
    assert 0 == done.returncode, done
    return done.stdout


def ended(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def test_what_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(CONFIG.format(bootstrap="127.0.0.1:1"))
    done = ended(tmp_path, "lag", "--config", "config.py")
    assert 2 == done.returncode
    [line] = done.stderr.splitlines()
    assert "asking 127.0.0.1:1 failed: no broker answers as it should; is the address right" in line
