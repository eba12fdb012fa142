"""Apache Kafka on a JVM of ours, without Docker: one node that is broker and controller.

It lives in a temporary folder, which holds its data, its configuration and its output, and ends
with the program that started it.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from station_sim.brokers.jars import find_jars
from station_sim.brokers.java import find_java
from station_sim.brokers.kafka_log import why_it_ended
from station_sim.brokers.ports import LOOPBACK, free_ports, require_free
from station_sim.brokers.process_broker import ProcessBroker
from station_sim.brokers.sasl import sasl_properties, scram_arguments
from station_sim.errors import LabError

START_TIMEOUT_S = 120.0
"""A quiet machine needs 3 s; one with every core taken many times that."""

CLUSTER_ID = "c3RhdGlvbi1sYWItY2x1cw"
"""Any 16 bytes in URL-safe base64 do; this is "station-lab-clus"."""

QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
LOGGING = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dlog4j2.level=WARN")


class JvmBroker(ProcessBroker):
    """Apache Kafka from its jars.

    `port` is a port on loopback (default: a free one), `server_properties` go over ours, `heap_mb`
    is the JVM's largest heap in MiB; only `users`, if there are any, may connect.
    """

    kind: ClassVar[str] = "jvm"
    program: ClassVar[str] = "Kafka"

    def __init__(
        self,
        *,
        port: int | None = None,
        server_properties: Mapping[str, str] | None = None,
        heap_mb: int = 768,
        users: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(port, server_properties, users)
        self._heap_mb = heap_mb
        self._java: list[str] = []

    async def start(self) -> None:
        """Start Kafka and wait until it answers; the first time, format its storage before."""
        if self._process is not None:
            raise LabError(f"the broker at {self.bootstrap} runs already")
        if self._folder is None:
            await self._prepare()
        require_free(int(self.bootstrap.rpartition(":")[2]))
        self._process = await self._launch(
            [*self._java, "kafka.Kafka", str(self.directory / "server.properties")]
        )
        await self.wait_until_ready(within_s=START_TIMEOUT_S)

    async def stop(self) -> None:
        """Shut Kafka down in order."""
        await self._running().stop()
        self._process = None

    async def kill(self) -> None:
        """End Kafka at once, with SIGKILL."""
        await self._running().kill()
        self._process = None

    async def _prepare(self) -> None:
        java = await asyncio.to_thread(find_java)
        jars = await asyncio.to_thread(find_jars)
        self._java = [java, *QUICK_START, *LOGGING, f"-Xmx{self._heap_mb}m", "-cp", f"{jars}/*"]
        own_port, controller_port, inner_port = free_ports(3)
        port = self._port or own_port
        require_free(port)
        self.bootstrap = f"{LOOPBACK}:{port}"
        self._make_folder()
        properties = node_properties(port, controller_port, self.directory / "data")
        if self.users:
            properties |= sasl_properties(self.users, port, controller_port, inner_port)
        path = self.directory / "server.properties"
        path.write_text(properties_text({**properties, **self._server_properties}))
        await self._format(path)

    async def _format(self, properties: Path) -> None:
        command = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties)]
        command += scram_arguments(self.users)
        self._process = await self._launch([*self._java, *command])
        exit_code = await self._process.wait()
        self._process = None
        if exit_code != 0:
            raise LabError(f"Kafka's storage was not formatted: {why_it_ended(self.log_path)}")


def node_properties(port: int, controller_port: int, data: Path) -> dict[str, str]:
    """`server.properties` of a single node on loopback, made for tests.

    Everything Kafka keeps for itself has one replica, rebalances do not wait for more members, and
    retention, compaction and open transactions are checked every second.
    """
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "log.dirs": str(data),
        **SINGLE_NODE,
    }


SINGLE_NODE: Mapping[str, str] = {
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "5",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "log.retention.check.interval.ms": "1000",
    "log.segment.delete.delay.ms": "0",
    "log.initial.task.delay.ms": "1000",
    "log.cleaner.backoff.ms": "1000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
}
"""What a node alone needs, in Docker as well."""


def properties_text(properties: Mapping[str, str]) -> str:
    """A Java properties file."""
    return "".join(f"{name}={value}\n" for name, value in properties.items())
