"""The pytest plugin, as a project that uses it sees it: pytest runs in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

WITHIN_S = 120

HEAD = """
import asyncio
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

def produce(broker, topic, *values, **options):
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, **options)
    try:
        return [producer.send(topic, value).get(30).offset for value in values]
    finally:
        producer.close()
"""


def run_pytest(
    folder: Path, text: str, *options: str, ini: str = "", head: str = HEAD
) -> tuple[int, str]:
    """The exit code and the output of a project of one test file."""
    (folder / "test_it.py").write_text(head + text)
    (folder / "pytest.ini").write_text(f"[pytest]\naddopts = --strict-markers\n{ini}")
    plugins = ["-p", "xdist", "-p", "station_sim.pytest_plugin"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-p", "no:cacheprovider", "-q", *options],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def passed(output: str) -> int:
    match = re.search(r"(\d+) passed", output)
    return int(match[1]) if match else 0


def test_each_test_has_a_kafka_as_new(tmp_path: Path) -> None:
    code, output = run_pytest(
        tmp_path,
        """
@pytest.mark.parametrize("turn", range(3))
def test_first_record_has_offset_0(kafka_broker, turn):
    kafka_broker.make_topic("T", 2)
    assert [0] == produce(kafka_broker, "T", b"x")
    assert 2 == len(kafka_broker.topic("T")["partitions"])

def test_nothing_is_left(kafka_broker):
    assert [] == kafka_broker.ask("GET", "/topics")
    assert [] == kafka_broker.ask("GET", "/faults")
    assert [] == kafka_broker.requests()
""",
    )
    assert (0, 4) == (code, passed(output)), output


def test_topics_and_settings_come_from_ini_and_markers(tmp_path: Path) -> None:
    code, output = run_pytest(
        tmp_path,
        """
pytestmark = pytest.mark.kafka_broker(topics={"M": 3, "N": 1})

def topics(broker):
    return {each["name"]: len(each["partitions"]) for each in broker.ask("GET", "/topics")}

def test_module(kafka_broker):
    assert {"I": 2, "J": 1, "M": 3, "N": 1} == topics(kafka_broker)
    assert "7" == kafka_broker.ask("GET", "/settings")["num.partitions"]

@pytest.mark.kafka_broker(topics=["N:5"], settings={"auto.create.topics.enable": False}, nodes=3)
def test_nearest(kafka_broker):
    assert {"I": 2, "J": 1, "M": 3, "N": 5} == topics(kafka_broker)
    assert 3 == len(kafka_broker.bootstrap.split(","))
    assert "7" == kafka_broker.ask("GET", "/settings")["num.partitions"]
    assert "false" == kafka_broker.ask("GET", "/settings")["auto.create.topics.enable"]
""",
        ini="kafka_broker_topics =\n    I:2\n    J\nkafka_broker_settings = num.partitions=7\n",
    )
    assert (0, 2) == (code, passed(output)), output


def test_faults_and_restarts(tmp_path: Path) -> None:
    code, output = run_pytest(
        tmp_path,
        """
@pytest.mark.kafka_broker(topics=["T"])
def test_fault(kafka_broker):
    with kafka_broker.fault("Produce", topic="T", answer="MESSAGE_TOO_LARGE", count=1) as fault:
        with pytest.raises(KafkaError):
            produce(kafka_broker, "T", b"x", enable_idempotence=False)
        fault.wait(1)
        assert (1, 1, 0) == (fault.seen, fault.hits, fault.held)
    assert [["MESSAGE_TOO_LARGE"]] == [e["errors"] for e in kafka_broker.requests(kind="Produce")]
    assert [0] == produce(kafka_broker, "T", b"x")
    kafka_broker.restart(down_s=0.05)
    assert [1] == produce(kafka_broker, "T", b"y")
    kafka_broker.stop()
    kafka_broker.start()
    assert [2] == produce(kafka_broker, "T", b"z")
""",
    )
    assert (0, 1) == (code, passed(output)), output


def test_asynchronous_tests(tmp_path: Path) -> None:
    code, output = run_pytest(
        tmp_path,
        """
from aiokafka import AIOKafkaProducer

@pytest.mark.kafka_broker(topics=["T"])
def test_async(kafka_broker):
    async def story():
        async with AIOKafkaProducer(bootstrap_servers=kafka_broker.bootstrap) as producer:
            with kafka_broker.fault("Produce", hold=True) as fault:
                sending = asyncio.create_task(producer.send_and_wait("T", b"x"))
                while not fault.held:
                    await asyncio.sleep(0.01)
                assert 1 == fault.release()
                assert 0 == (await sending).offset
    asyncio.run(story())
""",
    )
    assert (0, 1) == (code, passed(output)), output


def test_one_broker_for_the_session(tmp_path: Path) -> None:
    code, output = run_pytest(
        tmp_path,
        """
@pytest.mark.parametrize("turn", range(3))
def test_offsets_go_on(shared_kafka_broker, kafka_broker, turn):
    assert shared_kafka_broker.bootstrap != kafka_broker.bootstrap
    assert [turn] == produce(shared_kafka_broker, "T", b"x")
""",
        ini="kafka_broker_topics = T:1\n",
    )
    assert (0, 3) == (code, passed(output)), output


def test_workers_have_their_own(tmp_path: Path) -> None:
    code, output = run_pytest(
        tmp_path,
        """
@pytest.mark.parametrize("turn", range(6))
@pytest.mark.kafka_broker(topics=["T"])
def test_first(kafka_broker, turn):
    assert [0] == produce(kafka_broker, "T", b"x")
""",
        "-n2",
    )
    assert (0, 6) == (code, passed(output)), output


BAD_MARKERS = {
    "settings={'no.such': 1}": "unknown broker setting no.such=1",
    "topic='T'": "the marker has no topic; it has: topics, settings, nodes",
    "['T']": "without a name",
    "topics=['T:x']": "T:x is not NAME:PARTITIONS",
    "topics={'a b': 1}": "is invalid",
    "nodes=0": "--nodes",
}


def test_a_bad_marker_is_one_line(tmp_path: Path) -> None:
    text = "".join(
        f"@pytest.mark.kafka_broker({marker})\ndef test_{number}(kafka_broker):\n    pass\n"
        for number, marker in enumerate(BAD_MARKERS)
    )
    code, output = run_pytest(tmp_path, f"import pytest\n{text}", "--tb=short", head="")
    assert 1 == code, output
    assert f"{len(BAD_MARKERS)} errors" in output
    assert [] == [said for said in BAD_MARKERS.values() if said not in output], output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("ini", "said"),
    [
        ("kafka_broker_nodes = x\n", "kafka_broker_nodes=x is not a number"),
        ("kafka_broker_settings = x\n", "x is not NAME=VALUE"),
    ],
)
def test_a_bad_ini_setting_is_one_line(tmp_path: Path, ini: str, said: str) -> None:
    text = "def test_it(kafka_broker, shared_kafka_broker):\n    pass\n"
    code, output = run_pytest(tmp_path, text, "--tb=short", ini=ini, head="")
    assert 1 == code, output
    assert said in output
    assert "Traceback" not in output


def test_loading_it_imports_next_to_nothing() -> None:
    program = (
        "import pytest, sys; before = set(sys.modules); import station_sim.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ["station_sim", "station_sim.pytest_plugin"] == ran.stdout.split()
