"""`python -m station_sim.kafka`: a process that says when it listens and ends when it should."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_listens_and_ends_in_order(number: signal.Signals) -> None:
    with broker_process("--topic", "T:2") as process:
        with socket.create_connection(address_of(process), timeout=WITHIN_S):
            process.send_signal(number)
            assert 0 == process.wait(WITHIN_S)
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
        (("--port", "70000"), "70000"),
    ],
)
def test_bad_options_are_one_line_and_exit_code_2(options: tuple[str, ...], said: str) -> None:
    ended = finished("--port", "0", *options)

    assert 2 == ended.returncode
    assert 1 == ended.stderr.count("\n")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_topics_and_settings_are_obeyed() -> None:
    from kafka import KafkaAdminClient

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
