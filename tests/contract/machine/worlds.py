"""Where programs run: on the simulated and the real Kafka in real time, or on two simulated ones in
virtual time, one of which may be broken.
"""

import asyncio
import uuid
from contextlib import AsyncExitStack

from station_sim.brokers import open_broker
from station_sim.brokers.virtual import VirtualBroker
from station_sim.clock import run_virtual
from station_sim.kafka.requests.registry import KINDS_BY_NAME
from tests.contract.beside import OFFSETS_PARTITIONS
from tests.contract.breakages import Breakage
from tests.contract.machine.duel import Disagreement, Duel, Program
from tests.contract.worlds import SOON_OLD

PATIENCE_S = 0.03
"""A broker on loopback answers in a few milliseconds what it does not let wait."""

AS_KAFKA = {**SOON_OLD, "offsets.topic.num.partitions": str(OFFSETS_PARTITIONS)}
"""Settings that let the simulated Kafka be like brokers of kind jvm."""

KEPT = {"log.retention.ms": "-1"}
"""Records of programs are old, and topics made by the way have no settings of their own."""

REAL = ("embedded", "jvm")


class RealDuel:
    """The simulated Kafka in its own process and Apache Kafka, until closed."""

    def __init__(self, kinds: tuple[str, str] = REAL) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._duel = self._runner.run(self._open(kinds))
        self.tally = self._duel.tally

    def run(self, program: Program) -> Disagreement | None:
        """Run one program on both."""
        return self._runner.run(self._duel.run(program))

    def close(self) -> None:
        """End both brokers."""
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()

    async def _open(self, kinds: tuple[str, str]) -> Duel:
        brokers = []
        for kind in kinds:
            properties = {**AS_KAFKA, **KEPT} if kind == "embedded" else KEPT
            broker = await self._stack.enter_async_context(
                open_broker(kind, server_properties=properties)
            )
            brokers.append((kind, broker.bootstrap))
        return Duel(brokers, f"machine-{uuid.uuid4().hex[:8]}", patience_s=PATIENCE_S)


def run_on_two_simulated(program: Program, breakage: Breakage | None = None) -> Disagreement | None:
    """Run one program on two simulated brokers in a virtual world, the second one broken."""

    async def world() -> Disagreement | None:
        async with AsyncExitStack() as stack:
            brokers = []
            for name in ("right", "broken"):
                broker = VirtualBroker(host=name, server_properties=AS_KAFKA)
                await broker.start()
                stack.push_async_callback(broker.close)
                brokers.append(broker)
            if breakage is not None:
                break_one(brokers[1], breakage)
            names = [(broker.bootstrap, broker.bootstrap) for broker in brokers]
            return await Duel(names, "machine", patience_s=PATIENCE_S).run(program)

    return run_virtual(world, seed=0)


def break_one(broker: VirtualBroker, breakage: Breakage) -> None:
    """Let one broker, and no other, get one request kind wrong."""
    right = KINDS_BY_NAME[breakage.kind]
    broken = right.handled_by(breakage.breaking(right.handle))
    broker.simulated.kinds = {**broker.simulated.kinds, right.api_key: broken}
