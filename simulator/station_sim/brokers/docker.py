"""Apache Kafka in a container, by testcontainers' own `DockerContainer`.

Which engine and which image is decided in `docker_engine.py`. The port is bound to loopback, and
the container is removed at the end; when testcontainers' reaper can be had, also after a crash.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from docker.errors import APIError, DockerException, NotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from station_sim.brokers.broker import Broker
from station_sim.brokers.docker_engine import can_have_image, connect_engine, find_image
from station_sim.brokers.jvm import CLUSTER_ID, QUICK_START, SINGLE_NODE
from station_sim.brokers.kafka_log import reason_in
from station_sim.brokers.ports import LOOPBACK, free_ports, require_free
from station_sim.errors import LabError

START_TIMEOUT_S = 180.0
"""A quiet machine needs 4 s; one with every core taken many times that."""

STOP_GRACE_S = 20

T = TypeVar("T")


class KafkaContainer(DockerContainer):
    """A container of the official image, or of one with its interface, on a port of loopback."""

    def __init__(self, image: str, port: int, properties: Mapping[str, str], heap_mb: int) -> None:
        super().__init__(image)
        self.ports["9092/tcp"] = (LOOPBACK, port)  # type: ignore[assignment]  # Docker takes the pair
        self.with_env("CLUSTER_ID", CLUSTER_ID)
        self.with_env("KAFKA_HEAP_OPTS", f"-Xmx{heap_mb}m")
        self.with_env("KAFKA_JVM_PERFORMANCE_OPTS", " ".join(QUICK_START))
        for name, value in properties.items():
            self.with_env(variable_name(name), value)


class DockerBroker(Broker):
    """Apache Kafka in Docker.

    `port` is a port on loopback (default: a free one), `server_properties` go over ours, `heap_mb`
    is the JVM's largest heap in MiB.
    """

    kind: ClassVar[str] = "docker"

    def __init__(
        self,
        *,
        port: int | None = None,
        server_properties: Mapping[str, str] | None = None,
        heap_mb: int = 768,
    ) -> None:
        self._port = port
        self._server_properties = dict(server_properties or {})
        self._heap_mb = heap_mb
        self._container: KafkaContainer | None = None
        self._runs = False

    async def start(self) -> None:
        """Make the container and start it, or start it again; wait until Kafka answers."""
        if self._container is None:
            await _in_thread(self._create_container)
        else:
            await _in_thread(self._wrapped().start)
        self._runs = True
        await self.wait_until_ready(within_s=START_TIMEOUT_S)

    async def stop(self) -> None:
        """Stop the container in order; its data stays in it."""
        self._runs = False
        await _in_thread(lambda: self._wrapped().stop(timeout=STOP_GRACE_S))

    async def kill(self) -> None:
        """Kill what runs in the container; its data stays in it."""
        self._runs = False
        await _in_thread(self._wrapped().kill)

    async def close(self) -> None:
        """Remove the container."""
        self._runs = False
        if self._container is not None:
            await _in_thread(self._container.stop)
            self._container = None

    def check_alive(self) -> None:
        """Raises `LabError` with the reason from Kafka's output when it has ended by itself."""
        if not self._runs:
            return
        container = self._wrapped()
        container.reload()
        if container.status in ("exited", "dead"):
            output = container.logs(tail=200).decode(errors="replace")
            raise LabError(f"Kafka ended in its container: {reason_in(output)}")

    @property
    def container_id(self) -> str:
        """The id of the container."""
        return str(self._wrapped().id)

    def _wrapped(self) -> Any:
        if self._container is None:
            raise LabError("the docker broker does not run; start it first")
        return self._container.get_wrapped_container()

    def _create_container(self) -> None:
        image = _prepare_engine()
        port = self._port or free_ports(1)[0]
        require_free(port)
        self.bootstrap = f"{LOOPBACK}:{port}"
        properties = {**container_properties(port), **self._server_properties}
        self._container = KafkaContainer(image, port, properties, self._heap_mb)
        try:
            self._container.start()
        except APIError as error:
            raise LabError(f"Docker did not start {image}: {error.explanation}") from error


def container_properties(port: int) -> dict[str, str]:
    """`server.properties` of a single node in a container whose port is `port` outside.

    The node itself, which sends transactions their markers, cannot come by that port: it has a
    listener of its own.
    """
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": "1@localhost:9093",
        "log.dirs": "/tmp/kraft-combined-logs",
        **SINGLE_NODE,
        "listeners": "CLIENTS://:9092,PLAINTEXT://localhost:9094,CONTROLLER://localhost:9093",
        "advertised.listeners": f"CLIENTS://{LOOPBACK}:{port},PLAINTEXT://localhost:9094",
        "listener.security.protocol.map": (
            "CLIENTS:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
        ),
    }


def variable_name(property_name: str) -> str:
    """The environment variable by which the official image takes a property.

    Source: KafkaDockerWrapper, which reads `___` as `-`, `__` as `_` and `_` as `.`.
    """
    escaped = property_name.replace("_", "__").replace("-", "___").replace(".", "_")
    return f"KAFKA_{escaped.upper()}"


def _prepare_engine() -> str:
    """Set testcontainers up for this machine; returns the image to run."""
    engine = connect_engine()
    try:
        if testcontainers_config.tc_host_override is None:
            testcontainers_config.tc_host_override = "localhost"
        if "TESTCONTAINERS_RYUK_DISABLED" not in os.environ:
            reaper_image = testcontainers_config.ryuk_image
            testcontainers_config.ryuk_disabled = not can_have_image(engine, reaper_image)
        return find_image(engine)
    finally:
        engine.close()


async def _in_thread(call: Callable[[], T]) -> T:
    """The result of a blocking call, which is waited for even by a task that is cancelled."""
    task = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
    except NotFound as error:
        raise LabError(f"the container is gone: {error.explanation}") from error
    except DockerException as error:
        raise LabError(f"Docker failed: {error}") from error
