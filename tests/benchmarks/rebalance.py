"""What a rebalance costs in virtual time: from its trigger to the first fetch of every member.

    python -m tests.benchmarks.rebalance [--members N]... [--rounds N] [--client NAME]

A stable group of unmodified clients; in turn, one more joins and it leaves again. A round ends
when every member has asked for records in the new generation. Virtual seconds pass meanwhile, until
heartbeats tell the members; what these cost is counted too. Wall seconds are the targets' matter,
processor seconds are what other programs hardly change.
"""

import argparse
import asyncio
import gc
import logging
import statistics
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import kafka
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from kafka import KafkaConsumer
from kafka.protocol.consumer import FetchRequest

from station_sim.brokers import TopicSpec, open_broker
from station_sim.clock import run_virtual
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.requests.context import RequestContext
from tests.benchmarks.yardstick import REAL_CLOCKS, print_yardstick

TARGET_MS = 5.0
LINEAR_WITHIN = 2.0
"""What a member of the largest group may cost, as a multiple of one of the smallest."""

TOPIC, GROUP = "T", "g"
PARTITIONS_PER_MEMBER = 2
SIZES = (5, 20, 80)
DEADLINE_S = 600.0

MAX_POLL_INTERVAL_MS = 24 * 3_600_000
"""Members of aiokafka fetch without being polled; after this long the client would have left."""

POLL_MS = 500
"""How long a blocking member waits for records before it looks whether it is to leave."""


class Member(Protocol):
    """A client in the group; `assignments` counts how often it was told its partitions."""

    client_id: str
    assignments: int

    async def start(self) -> None:
        """Join."""

    async def stop(self) -> None:
        """Leave."""


class AiokafkaMember(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """A consumer of aiokafka with its defaults, but that it need not be polled."""

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self.client_id = client_id
        self.assignments = 0
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=GROUP,
            client_id=client_id,
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
        )
        self._consumer.subscribe([TOPIC], listener=self)

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Nothing to do."""

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Count it."""
        self.assignments += 1

    async def start(self) -> None:
        """Join."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Leave."""
        await self._consumer.stop()


class KafkaPythonMember(kafka.ConsumerRebalanceListener):  # type: ignore[misc]  # nor has it
    """A consumer of kafka-python with its defaults, polled in a virtual thread of its own."""

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self.client_id = client_id
        self.assignments = 0
        self._bootstrap = bootstrap
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._poll)

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Nothing to do."""

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Count it."""
        self.assignments += 1

    def _poll(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=GROUP, client_id=self.client_id
        )
        consumer.subscribe([TOPIC], listener=self)
        while not self._ends.is_set():
            consumer.poll(timeout_ms=POLL_MS)
        consumer.close()

    async def start(self) -> None:
        """Join."""
        self._thread.start()

    async def stop(self) -> None:
        """Leave."""
        self._ends.set()


CLIENTS: dict[str, Callable[[str, str], Member]] = {
    "aiokafka": AiokafkaMember,
    "kafka-python": KafkaPythonMember,
}
"""By name, what makes a member from the bootstrap address and its client id."""


class FirstFetches:
    """Waits until every member has been told its partitions and has then fetched."""

    def __init__(self, cluster: Cluster) -> None:
        self._missing: dict[str, tuple[Member, int]] = {}
        self._done: asyncio.Event = asyncio.Event()
        kind = cluster.kinds[FetchRequest.API_KEY]
        self._fetch = kind.handle
        watched = kind.handled_by(self._handle)
        cluster.kinds = {**cluster.kinds, kind.api_key: watched}

    def expect(self, members: Sequence[Member]) -> None:
        """From now on, these are waited for."""
        self._missing = {each.client_id: (each, each.assignments) for each in members}
        self._done.clear()

    async def wait(self) -> None:
        """Until nobody is missing. Raises: TimeoutError after minutes of virtual time."""
        async with asyncio.timeout(DEADLINE_S):
            await self._done.wait()

    def _handle(self, cluster: Cluster, request: Any, context: RequestContext) -> Any:
        member, before = self._missing.get(context.client_id or "", (None, 0))
        if member is not None and member.assignments > before:
            del self._missing[member.client_id]
            if not self._missing:
                self._done.set()
        return self._fetch(cluster, request, context)


@dataclass(frozen=True)
class Round:
    """One rebalance of so many members: seconds of wall and processor, and of virtual time."""

    members: int
    wall_s: float
    cpu_s: float
    virtual_s: float

    @property
    def member_ms(self) -> float:
        """Wall milliseconds a member."""
        return 1000 * self.wall_s / self.members

    @property
    def member_cpu_ms(self) -> float:
        """Processor milliseconds a member."""
        return 1000 * self.cpu_s / self.members


async def timed(
    fetches: FirstFetches, members: Sequence[Member], trigger: Callable[[], Awaitable[None]]
) -> Round:
    """Pull the trigger and wait for the first fetch of all `members`."""
    wall, cpu = REAL_CLOCKS
    fetches.expect(members)
    gc.collect()
    virtual_s, wall_s, cpu_s = asyncio.get_running_loop().time(), wall(), cpu()
    await trigger()
    await fetches.wait()
    wall_s, cpu_s = wall() - wall_s, cpu() - cpu_s
    return Round(len(members), wall_s, cpu_s, asyncio.get_running_loop().time() - virtual_s)


async def rebalances(client: str, size: int, rounds: int) -> list[Round]:
    """Let one more member join a group of `size` and leave it, `rounds` times; each is a round."""
    make = CLIENTS[client]
    found = []
    async with open_broker("virtual") as broker:
        count = PARTITIONS_PER_MEMBER * (size + 1)
        await broker.make_topics(TopicSpec(TOPIC, partitions=count))
        fetches = FirstFetches(broker.simulated)  # type: ignore[attr-defined]  # virtual has it
        members = [make(broker.bootstrap, f"member-{number}") for number in range(size)]
        fetches.expect(members)
        await asyncio.gather(*(member.start() for member in members))
        await fetches.wait()
        for number in range(rounds + 1):
            more = make(broker.bootstrap, f"more-{number}")
            for those, trigger in (([*members, more], more.start), (members, more.stop)):
                taken = await timed(fetches, those, trigger)
                await asyncio.sleep(10)  # every fetch in flight has ended
                if number:  # the first is to get warm
                    found.append(taken)
        await asyncio.gather(*(member.stop() for member in members))
    return found


def row(client: str, size: int, found: Sequence[Round]) -> str:
    """One line of the table."""
    walls = [each.member_ms for each in found]
    cpu_ms = statistics.median(each.member_cpu_ms for each in found)
    virtual_s = statistics.median(each.virtual_s for each in found)
    return (
        f"{client:13}{size:8}{len(found):8}{statistics.median(walls):15.2f}"
        f"{min(walls):9.2f}-{max(walls):.2f}{cpu_ms:9.2f}{f'< {TARGET_MS:g}':>11}{virtual_s:11.2f}"
    )


def main() -> int:
    """Measure and print; 0 if every target was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--client", choices=list(CLIENTS), default="aiokafka")
    options = parser.parse_args()
    sizes = options.members or SIZES
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # it warns of every rebalance
    print(
        f"{'rebalance':13}{'members':>8}{'rounds':>8}{'ms a member':>15}{'spread ms':>14}"
        f"{'cpu ms':>9}{'target ms':>11}{'virtual s':>11}"
    )
    costs, cpu_costs = [], []
    for size in sizes:
        found = run_virtual(lambda: rebalances(options.client, size, options.rounds))  # noqa: B023
        print(row(options.client, size, found), flush=True)
        costs.append(statistics.median(each.member_ms for each in found))
        cpu_costs.append(statistics.median(each.member_cpu_ms for each in found))
    growth = cpu_costs[-1] / cpu_costs[0]
    print(
        f"a member of {sizes[-1]} costs {growth:.2f} x one of {sizes[0]} in processor time "
        f"(target <= {LINEAR_WITHIN:g} x)"
    )
    print_yardstick()
    return 1 if max(costs) >= TARGET_MS or growth > LINEAR_WITHIN else 0


if __name__ == "__main__":
    sys.exit(main())
