"""`python -m station_sim.kafka`: a process that says when it listens and ends when it should."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

WITHIN_S = 30


@contextmanager
def broker_process(*options: str, **popen: Any) -> Iterator[subprocess.Popen[str]]:
    """A broker on a free port; killed at the end if it still lives."""
    process = subprocess.Popen(
        [sys.executable, "-m", "station_sim.kafka", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **popen,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def address_of(process: subprocess.Popen[str]) -> tuple[str, int]:
    assert process.stdout is not None
    line = process.stdout.readline()
    match = re.fullmatch(r"listening on (\S+):(\d+)\n", line)
    assert match is not None, line
    return match[1], int(match[2])


def finished(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "station_sim.kafka", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_listens_and_ends_in_order(number: signal.Signals, code: int) -> None:
    with broker_process("--topic", "T:2") as process:
        host, port = address_of(process)
        with socket.create_connection((host, port), timeout=WITHIN_S):
            process.send_signal(number)
            assert code == process.wait(WITHIN_S)
        assert process.stderr is not None
        assert [
            f"station-lab: a simulated Kafka at {host}:{port}, for everybody on it; in memory; "
            "Ctrl-C ends it",
            "station-lab: ended; served 1 connection, 0 requests, wrote 0 records",
        ] == process.stderr.read().splitlines()


def test_it_goes_on_from_its_data(tmp_path: Path) -> None:
    for start in range(2):
        with broker_process("--data", str(tmp_path / "d"), "--topic", "T:2") as process:
            host, port = address_of(process)
            admin = KafkaAdminClient(bootstrap_servers=f"{host}:{port}")
            if start == 0:
                admin.create_partitions({"T": 3})
            (topic,) = admin.describe_topics(["T"])
            admin.close()
            assert 3 == len(topic["partitions"])
            process.kill()
            process.wait(WITHIN_S)
            assert process.stderr is not None
            assert f"; data in {tmp_path / 'd'}; Ctrl-C ends it" in process.stderr.readline()


def test_data_of_other_nodes_is_one_line(tmp_path: Path) -> None:
    with broker_process("--data", str(tmp_path)) as process:
        address_of(process)
        assert "is in use by another broker" in finished("--data", str(tmp_path)).stderr
    ended = finished("--data", str(tmp_path), "--node-id", "3")
    assert (2, 1) == (ended.returncode, ended.stderr.count("\n"))
    assert "cluster with the node 0, and this one has the node 3" in ended.stderr


def test_what_it_tells_can_be_less() -> None:
    with broker_process("--log-level", "warning") as process:
        address_of(process)
        process.terminate()
        process.wait(WITHIN_S)
        assert process.stderr is not None
        assert "" == process.stderr.read()


def test_it_ends_with_its_standard_input() -> None:
    with broker_process("--exit-on-stdin-close", stdin=subprocess.PIPE) as process:
        address_of(process)
        assert process.stdin is not None
        process.stdin.close()
        assert 0 == process.wait(WITHIN_S)


def test_it_ends_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with broker_process("--parent-pid", str(parent.pid)) as process:
        address_of(process)
        parent.communicate(b"\n", timeout=WITHIN_S)
        assert 0 == process.wait(WITHIN_S)


def test_a_taken_port_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = finished("--port", str(port))

    assert 2 == ended.returncode
    assert 1 == ended.stderr.count("\n")
    assert f"127.0.0.1:{port}" in ended.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "no.such=1"), "no.such"),
        (("--set", "num.partitions"), "KEY=VALUE"),
        (("--topic", "T"), "NAME:PARTITIONS"),
        (("--topic", "a b:1"), "a b"),
        (("--topic", "T:0"), "0"),
        (("--topic", "T:1", "--topic", "T:1"), "already exists"),
        (("--set", "num.partition=3"), "num.partition=3; did you mean num.partitions?"),
        (("--set", "num.partitions=x"), "num.partitions=x"),
        (("--port", "70000"), "70000"),
        (("--node-id", "-1"), "-1"),
        (("--log-level", "loud"), "debug"),
        (("--host", "0.0.0.0"), "--allow-remote"),
        (("--host", "0.0.0.0", "--allow-remote"), "--advertised-host"),
        (("--host", "192.0.2.1", "--allow-remote"), "192.0.2.1"),
        (("--host", "no.such.host.invalid"), "no address is known"),
        (("--users-file", "/no/such/file"), "/no/such/file"),
        (("--nodes", "0"), "--nodes"),
        (("--port", "65534", "--nodes", "3"), "--port 65534 leaves no room for --nodes 3"),
        (("--as-version", "2.9"), "unknown Kafka release 2.9; known are"),
        (("--control", "x"), "[HOST:]PORT"),
        (("--control", "70000"), "[HOST:]PORT"),
        (("--control", "0.0.0.0:0"), "--allow-remote"),
        (("--set", "default.replication.factor=2", "--topic", "T:1"), "T:1"),
    ],
)
def test_bad_options_are_one_line_and_exit_code_2(options: tuple[str, ...], said: str) -> None:
    ended = finished("--port", "0", *options)

    assert 2 == ended.returncode
    assert 1 == ended.stderr.count("\n")
    assert said in ended.stderr
    assert not ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("user", ["s3cret", ":s3cret", "a:s3cret --user a:s3cret"])
def test_a_refused_user_is_not_shown(user: str) -> None:
    options = [part for text in user.split(" --user ") for part in ("--user", text)]
    ended = finished("--port", "0", *options)

    assert 2 == ended.returncode
    assert 1 == ended.stderr.count("\n")
    assert "s3cret" not in ended.stderr + ended.stdout


def test_users_come_from_options_files_and_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("# who may\nbob:b:1\n\n")
    environment = {**os.environ, "STATION_LAB_USERS": "carol:c1\ndave:d1"}
    options = ("--user", "alice:a1", "--users-file", str(path))
    with broker_process(*options, env=environment) as process:
        host, port = address_of(process)
        for name, password in (("alice", "a1"), ("bob", "b:1"), ("carol", "c1"), ("dave", "d1")):
            admin = KafkaAdminClient(
                bootstrap_servers=f"{host}:{port}",
                security_protocol="SASL_PLAINTEXT",
                sasl_mechanism="SCRAM-SHA-256",
                sasl_plain_username=name,
                sasl_plain_password=password,
            )
            assert [] == admin.list_topics()
            admin.close()


def test_topics_and_settings_are_obeyed() -> None:
    with broker_process("--topic", "T:2", "--set", "log.retention.ms=77") as process:
        host, port = address_of(process)
        admin = KafkaAdminClient(bootstrap_servers=f"{host}:{port}")
        try:
            assert ["T"] == admin.list_topics()
        finally:
            admin.close()
        assert process.poll() is None
        os.kill(process.pid, signal.SIGTERM)
        assert 0 == process.wait(WITHIN_S)


def test_several_nodes_are_listed_and_lead_in_turn() -> None:
    options = ("--nodes", "3", "--node-id", "7", "--topic", "T:3", "--as-version", "2.8")
    with broker_process(*options) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.fullmatch(r"listening on (127\.0\.0\.1:\d+(?:,127\.0\.0\.1:\d+){2})\n", line)
        assert match is not None, line
        admin = KafkaAdminClient(bootstrap_servers=match[1].split(",")[0])
        try:
            partitions = admin.describe_topics(["T"])[0]["partitions"]
            assert [7, 8, 9] == sorted(each["leader_id"] for each in partitions)
        finally:
            admin.close()


def test_nodes_take_ports_that_follow() -> None:
    first = free_ports_in_a_row(2)
    with broker_process("--nodes", "2", "--port", str(first)) as process:
        assert process.stdout is not None
        expected = f"listening on 127.0.0.1:{first},127.0.0.1:{first + 1}\n"
        assert expected == process.stdout.readline()


def free_ports_in_a_row(count: int) -> int:
    """The first of so many free ports that follow each other."""
    for first in range(20_000, 32_000, count):
        taken = []
        try:
            for port in range(first, first + count):
                taken.append(socket.create_server(("127.0.0.1", port)))
        except OSError:
            continue
        finally:
            for each in taken:
                each.close()
        return first
    raise AssertionError("no free ports")


def test_the_control_is_told_second_and_only_if_asked_for() -> None:
    with broker_process("--control", "0") as process:
        address_of(process)
        assert process.stdout is not None
        assert re.fullmatch(r"control on http://127\.0\.0\.1:\d+\n", process.stdout.readline())
        process.terminate()
        assert "" == process.stdout.read()


def test_names_for_this_machine_have_one_port() -> None:
    with broker_process("--host", "localhost") as process:
        host, port = address_of(process)
        assert "localhost" == host
        for found in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
            with socket.create_connection(found[4][:2], timeout=WITHIN_S):
                pass


def test_clients_are_not_imported_by_a_broker_and_can_be() -> None:
    program = (
        "import sys; from station_sim.kafka.deferred_clients import defer_clients; "
        "defer_clients(); import station_sim.kafka.serving; "
        "print('kafka.consumer' in sys.modules, 'aiokafka.client' in sys.modules); "
        "from kafka import KafkaConsumer; import aiokafka; "
        "print(KafkaConsumer.__name__, aiokafka.AIOKafkaProducer.__name__)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ["False False", "KafkaConsumer AIOKafkaProducer"] == ran.stdout.splitlines(), ran.stderr
