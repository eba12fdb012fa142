"""A pytest plugin: the fixtures `kafka_broker` and `shared_kafka_broker`, for any client.

The broker is a process of its own (`station_sim.kafka.server_process`), started by the first test
that asks for it. A test that names `kafka_broker` finds it as new: processes are kept and wiped,
for that is quicker than to start them. Under xdist each worker has its own. The plugin is loaded by
every pytest where the distribution is installed, so nothing else is imported before it is needed.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from station_sim.kafka.server_process import ServerProcess

MARKER = "kafka_broker"
MARKER_OPTIONS = ("topics", "settings", "nodes")


class Wanted(NamedTuple):
    """The broker that a test wants: partitions by topic, settings by Kafka's names, nodes."""

    topics: dict[str, int]
    settings: dict[str, str]
    nodes: int

    def and_also(self, topics: Any = (), settings: Any = (), nodes: int | None = None) -> "Wanted":
        """With what a marker says besides."""
        return Wanted(
            self.topics | _topics(topics),
            self.settings | _settings(settings),
            self.nodes if nodes is None else nodes,
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Settings for all tests."""
    parser.addini(
        "kafka_broker_topics", "topics of the kafka_broker, NAME:PARTITIONS a line", type="linelist"
    )
    parser.addini(
        "kafka_broker_settings", "settings of the kafka_broker, NAME=VALUE a line", type="linelist"
    )
    parser.addini("kafka_broker_nodes", "how many nodes the kafka_broker has", default="1")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "kafka_broker(topics=..., settings=..., nodes=...): what the fixture kafka_broker has, "
        "besides the ini settings; the nearest marker counts",
    )


class Processes:
    """The brokers that were started in this session, one for each number of nodes and settings."""

    def __init__(self) -> None:
        self._running: dict[tuple[int, tuple[tuple[str, str], ...]], ServerProcess] = {}

    def get(self, wanted: Wanted) -> "ServerProcess":
        """A broker as wanted, as new but for its topics."""
        key = (wanted.nodes, tuple(sorted(wanted.settings.items())))
        broker = self._running.get(key)
        if broker is not None and broker.is_alive:
            broker.wipe()
            return broker
        if broker is not None:
            broker.close()
        broker = self._running[key] = start(wanted)
        return broker

    def close(self) -> None:
        """End all."""
        for broker in self._running.values():
            broker.close()


def start(wanted: Wanted) -> "ServerProcess":
    """A new process as wanted, but for its topics."""
    from station_sim.kafka.server_process import ServerProcess

    return ServerProcess(nodes=wanted.nodes, settings=wanted.settings)


@pytest.fixture(scope="session")
def _kafka_broker_processes() -> Iterator[Processes]:
    processes = Processes()
    yield processes
    processes.close()


@pytest.fixture
def kafka_broker(
    request: pytest.FixtureRequest, _kafka_broker_processes: Processes
) -> "Iterator[ServerProcess]":
    """A Kafka for this test alone: `bootstrap` for any client, topics, faults, restarts."""
    from station_sim.errors import LabError

    try:
        wanted = _wanted(request)
        broker = _kafka_broker_processes.get(wanted)
        make_topics(broker, wanted.topics)
    except LabError as error:
        pytest.fail(f"kafka_broker: {error}", pytrace=False)
    yield broker
    if broker.is_alive:  # what a fault holds would keep clients waiting that end later
        broker.ask("DELETE", "/faults")


@pytest.fixture(scope="session")
def shared_kafka_broker(pytestconfig: pytest.Config) -> "Iterator[ServerProcess]":
    """A Kafka for all tests of the session, which see what each other did."""
    from station_sim.errors import LabError

    try:
        wanted = _of_ini(pytestconfig)
        broker = start(wanted)
        make_topics(broker, wanted.topics)
    except LabError as error:
        pytest.fail(f"shared_kafka_broker: {error}", pytrace=False)
    yield broker
    broker.close()


def make_topics(broker: "ServerProcess", topics: Mapping[str, int]) -> None:
    """Have the wanted topics; raises `LabError` where Kafka would refuse."""
    for name, partitions in topics.items():
        broker.make_topic(name, partitions)


def _wanted(request: pytest.FixtureRequest) -> Wanted:
    from station_sim.errors import LabError

    wanted = _of_ini(request.config)
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        unknown = [name for name in marker.kwargs if name not in MARKER_OPTIONS]
        if unknown or marker.args:
            shown = ", ".join(unknown) or "an argument without a name"
            raise LabError(f"the marker has no {shown}; it has: {', '.join(MARKER_OPTIONS)}")
        wanted = wanted.and_also(**marker.kwargs)
    return wanted


def _of_ini(config: pytest.Config) -> Wanted:
    from station_sim.errors import LabError

    nodes = config.getini("kafka_broker_nodes")
    if not nodes.isdigit():
        raise LabError(f"kafka_broker_nodes={nodes} is not a number")
    topics, settings = config.getini("kafka_broker_topics"), config.getini("kafka_broker_settings")
    return Wanted({}, {}, int(nodes)).and_also(topics, settings)


def _topics(said: Mapping[str, int] | Iterable[str] | str) -> dict[str, int]:
    """Partitions by topic, from a mapping, or from `NAME:PARTITIONS` and `NAME` (1 partition)."""
    from station_sim.errors import LabError

    if isinstance(said, Mapping):
        return dict(said)
    found = {}
    for text in [said] if isinstance(said, str) else said:
        name, separator, count = text.partition(":")
        if separator and not count.isdigit():
            raise LabError(f"topic {text} is not NAME:PARTITIONS, as in METER:3")
        found[name] = int(count or 1)
    return found


def _settings(said: Mapping[str, Any] | Iterable[str]) -> dict[str, str]:
    """Settings as texts, from a mapping or from `NAME=VALUE`."""
    from station_sim.errors import LabError

    if isinstance(said, Mapping):
        return {name: _text(value) for name, value in said.items()}
    found = {}
    for text in said:
        name, separator, value = text.partition("=")
        if not separator:
            raise LabError(f"setting {text} is not NAME=VALUE, as in num.partitions=3")
        found[name.strip()] = value.strip()
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
