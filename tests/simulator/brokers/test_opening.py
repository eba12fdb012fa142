"""Asking for a broker that cannot be had: one line that says what to do."""

import asyncio
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kafka_at_hand import require_kafka
from tests.simulator.brokers.living import executable

from station_sim.brokers import open_broker, why_no_kafka
from station_sim.brokers.availability import kafka_is_required
from station_sim.errors import LabError


def line_of(kind: str, **options: Any) -> str:
    async def main() -> None:
        async with open_broker(kind, **options):
            pytest.fail("it opened")

    with pytest.raises(LabError) as caught:
        asyncio.run(main())
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def bare_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Java, Maven, Docker and cached jars; returns its only program folder."""
    for name in ("JAVA_HOME", "KAFKA_HOME", "STATION_LAB_KAFKA_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    return programs


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.parametrize("kind", ["rabbitmq", "localhost", "localhost:", "localhost:0", "a:70000"])
def test_unknown_kind(kind: str) -> None:
    expected = f"unknown broker {kind!r}; choose virtual, embedded, jvm, docker or host:port"
    assert expected == line_of(kind)


def test_unknown_option() -> None:
    line = line_of("jvm", heap="1g")
    assert (
        "broker 'jvm' has no option 'heap'; it has: port, server_properties, heap_mb, users" == line
    )


def test_virtual_outside_of_virtual_time() -> None:
    assert "virtual time only" in line_of("virtual")


def test_no_java(bare_path: Path) -> None:
    assert re.search(r"^no Java on the path; install Java 17", line_of("jvm"))
    why_no_kafka.cache_clear()
    assert "no Java on the path" in (why_no_kafka("jvm") or "")
    why_no_kafka.cache_clear()


def test_java_home_without_java(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert f"no Java in JAVA_HOME={tmp_path};" in line_of("jvm")


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2", "16"])
def test_java_too_old(bare_path: Path, version: str) -> None:
    executable(bare_path / "java", f"echo 'openjdk version \"{version}\"' >&2")
    assert re.search(r"java is version (8|11|16), Kafka needs 17", line_of("jvm"))


def test_java_that_is_none(bare_path: Path) -> None:
    executable(bare_path / "java", "exit 1")
    assert "does not tell its version" in line_of("jvm")


def test_neither_maven_nor_kafka_home(bare_path: Path) -> None:
    executable(bare_path / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    assert "neither KAFKA_HOME nor Maven" in line_of("jvm")


def test_kafka_home_without_jars(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    executable(bare_path / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert f"KAFKA_HOME={tmp_path} has no libs/kafka_2.13-*.jar" in line_of("jvm")


def test_no_docker_engine(bare_path: Path) -> None:
    pytest.importorskip("docker")
    assert "no Docker engine answers" in line_of("docker")


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:2375", "ssh://someone@192.0.2.1"])
def test_docker_engine_far_away(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    pytest.importorskip("docker")
    monkeypatch.setenv("DOCKER_HOST", address)
    assert f"DOCKER_HOST={address} is not on this machine" in line_of("docker")


@pytest.mark.kafka
@pytest.mark.docker
def test_no_such_image(monkeypatch: pytest.MonkeyPatch) -> None:
    require_kafka("docker")
    monkeypatch.setenv("STATION_LAB_KAFKA_IMAGE", "station-lab/no-such-image:0")
    line = line_of("docker")
    assert "STATION_LAB_KAFKA_IMAGE=station-lab/no-such-image:0 is not here" in line


@pytest.mark.parametrize("kind", ["embedded", pytest.param("jvm", marks=pytest.mark.kafka)])
def test_port_in_use(kind: str, taken_port: int) -> None:
    require_kafka(kind)
    assert f"port {taken_port} on 127.0.0.1 is in use" in line_of(kind, port=taken_port)


@pytest.mark.kafka
def test_kafka_refuses_its_settings() -> None:
    require_kafka("jvm")
    line = line_of("jvm", server_properties={"num.network.threads": "none"})
    assert "num.network.threads" in line


@pytest.mark.parametrize(("value", "required"), [("", False), ("0", False), ("1", True)])
def test_kafka_is_required(monkeypatch: pytest.MonkeyPatch, value: str, required: bool) -> None:
    monkeypatch.setenv("STATION_LAB_REQUIRE_KAFKA", value)
    assert required == kafka_is_required()
