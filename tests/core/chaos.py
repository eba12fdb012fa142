"""A world in which everything fails at random, and what must hold in it whatever happens.

Everything is drawn from a seed: faults of the broker, of the network, of callbacks, restarts. After
a time all is healed, and the services have to get to the end of the log. What holds at every
instant: an offset is committed only when every record below it was handed over and uploaded, or
lies in a declared gap.
"""

import asyncio
import json
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.record.memory_records import MemoryRecords

from data_analysis import AsyncDataAnalysisService, DataAnalysisError, GapEvent
from station_sim.brokers import Broker, TopicSpec, open_broker
from station_sim.clock import VirtualLoop, run_virtual
from station_sim.kafka.batches import Batch
from station_sim.kafka.error_codes import ErrorCode as E

GROUP = "chaos"
TOPIC = "OWN-DATA"
OUTPUT = "MODULE-OUTPUT-M"
PARTITIONS = 4
STATIONS = 12
KEEP = {"retention.ms": "-1"}

TROUBLES_S = 240.0
"""How long things go wrong."""

HEALED_WITHIN_S = 900.0
"""How long the services may then take to get to the end: several session and request timeouts."""

ANSWERS: dict[str, tuple[E, ...]] = {
    "Produce": (
        E.NOT_LEADER_OR_FOLLOWER,
        E.REQUEST_TIMED_OUT,
        E.NOT_ENOUGH_REPLICAS,
        E.UNKNOWN_TOPIC_OR_PARTITION,
        E.OUT_OF_ORDER_SEQUENCE_NUMBER,
        E.LEADER_NOT_AVAILABLE,
        E.PRODUCER_FENCED,
        E.UNKNOWN_PRODUCER_ID,
        E.UNKNOWN_SERVER_ERROR,
        E.CORRUPT_MESSAGE,
        E.NETWORK_EXCEPTION,
        E.INVALID_PRODUCER_EPOCH,
    ),
    "Fetch": (
        E.NOT_LEADER_OR_FOLLOWER,
        E.UNKNOWN_TOPIC_OR_PARTITION,
        E.OFFSET_OUT_OF_RANGE,
        E.UNKNOWN_SERVER_ERROR,
        E.LEADER_NOT_AVAILABLE,
    ),
    "ListOffsets": (
        E.NOT_LEADER_OR_FOLLOWER,
        E.UNKNOWN_TOPIC_OR_PARTITION,
        E.UNKNOWN_SERVER_ERROR,
        E.LEADER_NOT_AVAILABLE,
    ),
    "OffsetCommit": (
        E.COORDINATOR_LOAD_IN_PROGRESS,
        E.COORDINATOR_NOT_AVAILABLE,
        E.NOT_COORDINATOR,
        E.ILLEGAL_GENERATION,
        E.UNKNOWN_MEMBER_ID,
        E.REBALANCE_IN_PROGRESS,
        E.UNKNOWN_SERVER_ERROR,
        E.GROUP_AUTHORIZATION_FAILED,
        E.REQUEST_TIMED_OUT,
    ),
    "OffsetFetch": (
        E.COORDINATOR_LOAD_IN_PROGRESS,
        E.NOT_COORDINATOR,
        E.UNKNOWN_SERVER_ERROR,
        E.GROUP_AUTHORIZATION_FAILED,
    ),
    "JoinGroup": (
        E.COORDINATOR_LOAD_IN_PROGRESS,
        E.NOT_COORDINATOR,
        E.UNKNOWN_MEMBER_ID,
        E.GROUP_AUTHORIZATION_FAILED,
        E.UNKNOWN_SERVER_ERROR,
    ),
    "SyncGroup": (
        E.NOT_COORDINATOR,
        E.UNKNOWN_MEMBER_ID,
        E.ILLEGAL_GENERATION,
        E.REBALANCE_IN_PROGRESS,
        E.UNKNOWN_SERVER_ERROR,
    ),
    "Heartbeat": (
        E.NOT_COORDINATOR,
        E.UNKNOWN_MEMBER_ID,
        E.ILLEGAL_GENERATION,
        E.REBALANCE_IN_PROGRESS,
        E.UNKNOWN_SERVER_ERROR,
    ),
    "FindCoordinator": (E.COORDINATOR_NOT_AVAILABLE, E.GROUP_AUTHORIZATION_FAILED),
    "InitProducerId": (E.COORDINATOR_LOAD_IN_PROGRESS, E.NOT_COORDINATOR),
    "Metadata": (E.LEADER_NOT_AVAILABLE,),
    "LeaveGroup": (E.UNKNOWN_MEMBER_ID,),
}
"""Errors by request kind; those that make a result lost for good are left out."""


class Witness:
    """Sees every append, commit and callback, and notes what may not be."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[int, int], int] = {}
        self.ends: dict[int, int] = dict.fromkeys(range(PARTITIONS), 0)
        self.handed: dict[int, int] = {}
        self.uploaded: dict[int, int] = {}
        self.late: set[tuple[int, int]] = set()
        """Records that are older than one before them: a producer's request that was held up. A
        callback shows the newest point, so nobody can tell that it was called for one of these."""
        self.gaps: list[GapEvent] = []
        self._newest_ms: dict[str, int] = {}
        self.wrong: list[str] = []
        self._checked: dict[int, int] = {}

    def appended(
        self, topic: str, partition: int, base_offset: int, batch: Batch, at: float
    ) -> None:
        """Note what was written."""
        for index, record in enumerate(_records(batch)):
            value = json.loads(record.value)
            if topic == TOPIC:
                self.numbers[partition, base_offset + index] = value["n"]
                newest_ms = self._newest_ms.setdefault(value["stationId"], record.timestamp)
                if record.timestamp < newest_ms:
                    self.late.add((partition, base_offset + index))
                self._newest_ms[value["stationId"]] = max(newest_ms, record.timestamp)
                self.ends[partition] = base_offset + index + 1
            elif topic == OUTPUT:
                number = value["output"]["n"]
                self.uploaded[number] = self.uploaded.get(number, 0) + 1

    def committed(
        self, group: str, topic: str, partition: int, offset: int, metadata: str, at: float
    ) -> None:
        """Check that everything below a commit is done."""
        if topic != TOPIC:
            return
        if offset > self.ends[partition]:
            self.wrong.append(f"{at}: {partition} committed {offset} > {self.ends[partition]}")
        for below in range(self._checked.get(partition, 0), offset):
            if not self.explained(partition, below):
                self.wrong.append(f"{at}: {partition} committed {offset}, {below} is not done")
                return
            self._checked[partition] = below + 1

    def explained(self, partition: int, offset: int) -> bool:
        """Whether a record was handed over and uploaded, came late, or lies in a declared gap."""
        number = self.numbers[partition, offset]
        if (number in self.handed and number in self.uploaded) or (partition, offset) in self.late:
            return True
        return any(
            gap.partition == partition and gap.start_offset <= offset < gap.end_offset
            for gap in self.gaps
        )


def _records(batch: Batch) -> list[Any]:
    records = MemoryRecords(batch.data)
    found: list[Any] = []
    while records.has_next():
        found.extend(records.next_batch())
    return found


class Chaos:
    """One seed's world."""

    def __init__(self, broker: Broker, seed: int) -> None:
        self.broker: Any = broker
        self.witness = Witness()
        self.said: list[str] = []
        self._seed = seed
        self._draw = self._stream("world")
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.network = loop.network
        self._members = self._draw.choice((1, 1, 2, 3))
        self._static = self._draw.random() < 0.3
        self._cuts = self._draw.random() < 0.4
        self._slowest_s = self._draw.choice((0.0, 0.05, 0.5, 3.0))
        self._pending = self._draw.choice((3, 50, 10_000))
        self.services: dict[int, AsyncDataAnalysisService] = {}
        self._partitioned: set[int] = set()
        self._sent = 0
        self._quiet = False

    def _stream(self, name: str) -> random.Random:
        """Draws of one's own: what one part of the world does shifts no other."""
        return random.Random(f"chaos/{self._seed}/{name}")

    def say(self, text: str) -> None:
        """Remember what happened, for a failure's message."""
        self.said.append(f"{asyncio.get_running_loop().time():8.2f} {text}")

    async def run(self) -> None:
        """Trouble, healing, and the wait for the end."""
        self.broker.simulated.observers.append(self.witness)
        await self.broker.make_topics(
            TopicSpec(TOPIC, partitions=PARTITIONS, config=KEEP),
            TopicSpec(OUTPUT, partitions=2, config=KEEP),
        )
        loop = asyncio.get_running_loop()
        end = loop.time() + TROUBLES_S
        sending = asyncio.create_task(self._send_until(end))
        keeping = [asyncio.create_task(self._keep(at, end)) for at in range(self._members)]
        draws = [self._stream(f"trouble/{number}") for number in range(2)]
        await asyncio.gather(*(self._trouble_until(end, draw) for draw in draws))
        self.say("healed")
        await asyncio.gather(sending, *keeping)
        self._quiet = True
        try:
            async with asyncio.timeout(HEALED_WITHIN_S):
                while not await self._caught_up():
                    await asyncio.sleep(1)
        except TimeoutError:
            self.witness.wrong.append(f"not at the end: {await self._positions()}")
        self.say("stopping")
        for service in self.services.values():
            await service.stop()

    def check(self) -> None:
        """Assert what must hold at the end."""
        witness = self.witness
        story = "\n".join(self.said)
        assert [] == witness.wrong, story
        missing = [place for place in witness.numbers if not witness.explained(*place)]
        assert [] == missing, story

    # What goes on.

    def _service(self, at: int, draw: random.Random) -> AsyncDataAnalysisService:
        detail = {TOPIC: {"fields": ["n"], "modules": ["m"], "window_size": 3}}
        commits = {"commit_interval_seconds": 1.0, "commit_batch_size": 7}
        config = SimpleNamespace(
            TOPIC_DETAIL=detail, MODULE_DEPENDENCIES={}, OFFSET_COMMIT_CONFIG=commits
        )
        kafka = {
            "bootstrap_servers": [self.broker.bootstrap],
            "group_id": GROUP,
            "auto_offset_reset": "earliest",
            "compression_type": "none",
            "session_timeout_ms": 6000,
            "heartbeat_interval_ms": 1000,
            "request_timeout_ms": 8000,
            "rebalance_timeout_ms": 20000,
        }
        return AsyncDataAnalysisService(
            "m",
            kafka_config=kafka,
            config=config,
            on_gap=self._note_gap,
            max_pending_records=self._pending,
            instance_id=f"member-{at}" if self._static else None,
            stop_timeout_seconds=draw.choice((0.0, 5.0)),
        )

    def _note_gap(self, gap: GapEvent) -> None:
        self.say(f"gap {gap.partition}: {gap.start_offset} to {gap.end_offset} {gap.cause}")
        self.witness.gaps.append(gap)

    async def _callback(self, station_id: str, given: dict[str, Any]) -> dict[str, Any]:
        if self._slowest_s and not self._quiet:
            await asyncio.sleep(self._stream(f"call/{given['n']}").random() * self._slowest_s)
        self.witness.handed[given["n"]] = self.witness.handed.get(given["n"], 0) + 1
        return {"n": given["n"]}

    async def _keep(self, at: int, end: float) -> None:
        """Keep one member going: start it, and now and then stop it."""
        loop = asyncio.get_running_loop()
        draw = self._stream(f"keep/{at}")
        while True:
            service = self._service(at, draw)
            with self.network.host(f"service-{at}"):
                try:
                    await service.start(self._callback)
                except DataAnalysisError as error:
                    self.say(f"service {at} did not start: {error}")
                    await asyncio.sleep(1)
                    continue
            self.say(f"service {at} started")
            self.services[at] = service
            left = end - loop.time()
            await asyncio.sleep(min(left, draw.uniform(5, 200)))
            if loop.time() >= end - 1:
                return
            self.say(f"service {at} stops")
            await service.stop()
            del self.services[at]
            await asyncio.sleep(draw.uniform(0, 20))
            if loop.time() >= end:
                end = loop.time()

    async def _send_until(self, end: float) -> None:
        loop = asyncio.get_running_loop()
        draw = self._stream("send")
        while loop.time() < end:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.broker.bootstrap, request_timeout_ms=5000
            )
            try:
                await producer.start()
                while loop.time() < end:
                    await asyncio.sleep(draw.choice((0.0, 0.1, 1.0)))
                    self._sent += 1
                    number = self._sent
                    station = number % STATIONS
                    value = json.dumps({"stationId": f"S{station}", "n": number}).encode()
                    await producer.send(TOPIC, value, partition=station % PARTITIONS)
            except (KafkaError, OSError):
                await asyncio.sleep(1)
            finally:
                await producer.stop()

    # What goes wrong.

    async def _trouble_until(self, end: float, draw: random.Random) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < end:
            await asyncio.sleep(draw.uniform(0, 15))
            left = end - loop.time()
            if left <= 0:
                return
            trouble = draw.choice(
                (
                    self._outage,
                    self._fault,
                    self._fault,
                    self._fault,
                    self._fault,
                    self._break,
                    self._partition,
                    self._cut_head,
                )
            )
            await trouble(left, draw)

    async def _outage(self, left: float, draw: random.Random) -> None:
        if not self.broker.simulated.is_running:
            return
        seconds = min(left, draw.uniform(0, 40))
        self.say(f"broker away for {seconds:.1f} s")
        await self.broker.stop()
        await asyncio.sleep(seconds)
        await self.broker.start()

    async def _fault(self, left: float, draw: random.Random) -> None:
        kind = draw.choice(tuple(ANSWERS))
        seconds = min(left, draw.uniform(1, 30))
        count = draw.choice((1, 1, 2, 5, None))
        what = draw.choice(("answer", "answer", "delay", "before", "after"))
        given: dict[str, Any] = {}
        if what == "answer":
            given["answer"] = draw.choice(ANSWERS[kind])
        elif what == "delay":
            given["delay_s"] = draw.uniform(0.1, 12)
        else:
            given["drop"] = what
        if kind in ("Fetch", "ListOffsets") and draw.random() < 0.5:
            given["topic"], given["partition"] = TOPIC, draw.randrange(PARTITIONS)
        self.say(f"fault {kind} x {count} for {seconds:.1f} s: {given}")
        with self.broker.simulated.faults.inject(kind, count=count, **given):
            await asyncio.sleep(seconds)

    async def _break(self, left: float, draw: random.Random) -> None:
        at = draw.randrange(self._members)
        self.say(f"connections of service {at} cut")
        self.network.cut(f"service-{at}", "kafka")

    async def _partition(self, left: float, draw: random.Random) -> None:
        at = draw.randrange(self._members)
        if at in self._partitioned:
            return
        self._partitioned.add(at)
        seconds = min(left, draw.uniform(0, 40))
        one_way = draw.random() < 0.4
        self.say(f"service {at} partitioned for {seconds:.1f} s, one way {one_way}")
        ways = (f"service-{at}", "kafka")
        if draw.random() < 0.5:
            ways = (ways[1], ways[0])
        with self.network.partitioned(*ways, one_way=one_way):
            await asyncio.sleep(seconds)
        self._partitioned.remove(at)

    async def _cut_head(self, left: float, draw: random.Random) -> None:
        if not self._cuts:
            return
        partition = draw.randrange(PARTITIONS)
        end = self.witness.ends[partition]
        before = max(0, end - draw.choice((0, 0, 1, 5, 30)))
        log = self.broker.simulated.topics.partition(TOPIC, partition)
        if before > log.log_start_offset and before <= log.high_watermark:
            self.say(f"partition {partition} cut to {before}")
            log.delete_records(before)

    # How far it is.

    async def _positions(self) -> dict[int, tuple[int, int]]:
        committed = await self.broker.committed(GROUP)
        return {
            at: (committed[TOPIC, at].offset if (TOPIC, at) in committed else 0, end)
            for at, end in self.witness.ends.items()
        }

    async def _caught_up(self) -> bool:
        return all(offset == end for offset, end in (await self._positions()).values())


def run_chaos(seed: int, report: Callable[[Chaos], None] | None = None) -> None:
    """Run one seed; raise what must not be, with the story that led to it."""

    async def main() -> None:
        async with open_broker("virtual") as broker:
            chaos = Chaos(broker, seed)
            await chaos.run()
            if report is not None:
                report(chaos)
            chaos.check()

    run_virtual(main, seed=seed)
