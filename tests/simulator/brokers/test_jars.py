"""Kafka's jars are fetched once, whoever asks at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.simulator.brokers.living import executable

from station_sim.brokers.jars import find_jars, why_no_jars
from station_sim.errors import LabError

FETCH = r"""
for word in "$@"; do case "$word" in -DoutputDirectory=*) folder="${word#*=}" ;; esac; done
echo called >> "$MAVEN_CALLS"
mkdir -p "$folder"
: > "$folder/kafka_2.13-4.1.0.jar"
"""


@pytest.fixture
def maven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where Maven is looked for; the cache is empty."""
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MAVEN_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return tmp_path / "bin" / "mvn"


def test_fetched_once(maven: Path, tmp_path: Path) -> None:
    executable(maven, FETCH)

    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: find_jars(), range(4)))

    assert 1 == len(set(folders))
    assert ["kafka_2.13-4.1.0.jar"] == [each.name for each in folders[0].iterdir()]
    assert ["called"] == (tmp_path / "calls").read_text().splitlines()


def test_maven_fails(maven: Path, tmp_path: Path) -> None:
    executable(maven, "echo '[INFO] trying'; echo '[ERROR] no repository'; exit 1")

    with pytest.raises(LabError, match=r"could not fetch Kafka's jars: \[ERROR\] no repository"):
        find_jars()

    assert not list((tmp_path / "cache").rglob("*.jar"))


def test_kafka_home_goes_first(
    maven: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "kafka"
    (home / "libs").mkdir(parents=True)
    (home / "libs" / "kafka_2.13-4.1.0.jar").touch()
    monkeypatch.setenv("KAFKA_HOME", str(home))

    assert home / "libs" == find_jars()
    assert why_no_jars() is None
