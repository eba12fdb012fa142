"""The simulated Kafka in this very process, in virtual time: host `kafka` of the virtual network.

`station_sim.kafka` is the simulation, `station_sim.clock` the time it lives in.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import ClassVar

from station_sim.brokers.broker import Broker
from station_sim.clock import VirtualLoop
from station_sim.errors import LabError
from station_sim.kafka.cluster import Cluster as SimulatedKafka
from station_sim.kafka.settings import BrokerSettings

HOST = "kafka"
PORT = 9092


class VirtualBroker(Broker):
    """The simulated Kafka on the running `VirtualLoop`.

    `server_properties` are Kafka's own names and texts, as far as the simulation knows them; `host`
    and `port` are its address on the virtual network; only `users`, if there are any, may connect.
    Of several `nodes` each has a host of its own, `kafka-0`, `kafka-1` and so on. `as_version` lets
    them look like an older release, as in `"2.8"`.
    """

    kind: ClassVar[str] = "virtual"
    is_virtual: ClassVar[bool] = True

    def __init__(
        self,
        *,
        server_properties: Mapping[str, str] | None = None,
        host: str = HOST,
        port: int = PORT,
        nodes: int = 1,
        as_version: str | None = None,
        users: Mapping[str, str] | None = None,
    ) -> None:
        loop = _virtual_loop()
        self._network = loop.network
        hosts = [host] if nodes == 1 else [f"{host}-{number}" for number in range(nodes)]
        self._host = hosts[0] if hosts else host
        self.users = dict(users or {})
        self.simulated = SimulatedKafka(
            rng=random.Random(f"{loop.seed}/{host}:{port}"),
            nodes=nodes,
            host=hosts,
            port=port,
            settings=BrokerSettings.from_kafka(dict(server_properties or {})),
            users=self.users,
            as_version=as_version,
            entering=self._network.host,
        )
        self.bootstrap = self.simulated.bootstrap

    async def start(self) -> None:
        """Listen; timers of the broker start."""
        with self._network.host(self._host):
            await self.simulated.start()
        self.bootstrap = self.simulated.bootstrap

    async def stop(self) -> None:
        """Close the listener and every connection at once; logs and groups stay."""
        await self.simulated.stop()

    async def kill(self) -> None:
        """The same as `stop`: the simulated Kafka always ends without goodbye."""
        await self.simulated.stop()

    async def close(self) -> None:
        """Close the listener and every connection."""
        await self.simulated.stop()


def _virtual_loop() -> VirtualLoop:
    loop: asyncio.AbstractEventLoop | None
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    if not isinstance(loop, VirtualLoop):
        raise LabError(
            "the virtual broker lives in virtual time only; open it inside run_virtual(),"
            " or take the embedded broker"
        )
    return loop
