"""The world on a broker, step by step, the services that read it, and what must hold of them.

A network of two stations; records go out as fast as they are taken, up to instants at which a story
clock stands still. So what a service must know then is exact: what the ledger says was taken.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import numpy as np
from aiokafka import AIOKafkaConsumer

from station_sim.brokers import Broker, TopicSpec, open_broker
from station_sim.clock import run_virtual
from station_sim.streams.driver import StoryClock
from station_sim.streams.gateway import Gateway
from station_sim.streams.imperfections import Cadence, Imperfections
from station_sim.streams.ledger import Entry, Ledger
from station_sim.streams.record import Fate, Record
from station_sim.streams.telling import Telling
from station_sim.streams.topics.registry import CADENCES, TOPICS
from station_sim.world.charging_network import Network
from station_sim.world.profile import STATION_TIMEZONE, Profile
from tests.core.naive_inputs import CALENDAR
from tests.scenarios.world_readers import DEAD_LETTERS, MODULES, HeldClock, Reader
from tests.scenarios.world_truth import GUN, Truth, read

PARTITIONS = 3
DEADLINE_S = 120.0
EXPIRE_S = 600.0
QUIET_S = 2.5
"""After it, a second of orders is complete."""

PROFILE = Profile(
    stations=2,
    guns_per_station=16,
    sessions_per_gun_day=1.0,
    start=datetime(2025, 12, 31, 22, 59, 30, tzinfo=STATION_TIMEZONE),
    pv_share=1.0,
    storage_share=1.0,
    seed=218,
)
"""Faults are rare: a seed that has one then. Three hosts and two storage units a station."""


@dataclass(frozen=True)
class Story:
    """What is told, and the story seconds between which everything comes to rest."""

    topics: tuple[str, ...]
    steps_s: tuple[int, ...]


NEW_YEAR = Story(
    TOPICS, (1, 20, 60, 302, 900, 1800, 3600, 3628, 3661, 3700, 3800, 3900, 4000, 4080)
)
"""Midnight is at 3630, the hourly push half a minute later; a fault begins at 3800."""

SLOW_WEEK = Story(
    tuple(name for name in TOPICS if CADENCES[name] in (Cadence.HOURLY, Cadence.FIVE_MINUTES)),
    (*range(7_300, 90_000, 20_000), 180_000, 500_000, 612_000, 640_000, 700_000),
)
"""More hours than the window of the hourly push has, without what speaks each second."""


def rough() -> Imperfections:
    """Far more goes wrong than in the field, so that an hour sees all of it."""
    usual = Imperfections().times(10)
    malformed = {Cadence.HOURLY: 0.15, Cadence.FIVE_MINUTES: 0.1, Cadence.QUARTER: 0.02}
    return replace(
        usual,
        rates={
            each: replace(rates, malformed=malformed.get(each, 0.01))
            for each, rates in usual.rates.items()
        },
        outage_every_days=0.03,
        far_skew_share=0.3,
    )


class Reading:
    """The world on a broker, step by step, and the services that read it."""

    def __init__(
        self,
        broker: Broker,
        story: Story,
        layer: Imperfections,
        readers: list[Reader],
        clock: HeldClock,
    ) -> None:
        self.broker = broker
        self.readers = readers
        self.clock = clock
        self.ledger = Ledger()
        self.told: list[Record] = []
        self.truth = Truth(EXPIRE_S)
        self.ratios: dict[str, set[float]] = {module: set() for module in MODULES}
        network = Network(PROFILE)
        self.stations = [site.station_id for site in network.sites]
        telling = Telling(list(network.stories()), PROFILE, topics=story.topics, layer=layer)
        self._records = telling.records(story.steps_s[-1] * 1000)
        self._next: list[Record] = []
        self.gateway = Gateway(broker.bootstrap, self.ledger, clock=cast("StoryClock", clock))

    async def step(self, until_s: float, *, is_last: bool) -> None:
        """Send what goes out before a story instant; returns when services have worked it off."""
        self.clock.move(until_s)
        now = self.clock.time()
        before = {each: self.truth.available(each, now) for each in self.stations}
        for reader in self.readers:
            reader.newest.clear()
            reader.available.clear()
        begin = len(self.told)
        for record in self._due(until_s, is_last):
            self.told.append(record)
            self.gateway.submit(record)
        await self.gateway.flush()
        await self._worked_off()
        self.truth.take(self._by_partition(begin), now)
        self._check_callbacks(before)

    def _due(self, until_s: float, is_last: bool) -> Iterator[Record]:
        waiting, self._next = self._next, []
        yield from waiting
        for record in self._records:
            if not is_last and record.sent_ms >= until_s * 1000:
                self._next = [record]
                return
            yield record

    def _by_partition(self, begin: int) -> list[Entry]:
        """The entries of a step, all of which Kafka took, in the order of their partitions."""
        entries = self.ledger.entries[begin:]
        assert all(entry.offset is not None for entry in entries)
        return sorted(entries, key=lambda each: (each.topic, each.partition or 0, each.offset or 0))

    async def _worked_off(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            for reader in self.readers:
                topics = set(reader.service.topics)
                count = sum(entry.topic in topics for entry in self.ledger.entries)
                while reader.counters["records_finished"] < count:
                    await asyncio.sleep(0.02)

    async def check(self) -> None:
        """Every service knows what it must, of every station and module."""
        now = self.clock.time()
        for station in self.stations:
            expected = self.truth.all_inputs(station, now)
            for reader in self.readers:
                await self._check_reader(reader, station, expected)
            for module, given in expected.items():
                self.ratios[module].add(given["_data_quality"]["availability_ratio"])

    async def _check_reader(self, reader: Reader, station: str, expected: dict[str, Any]) -> None:
        now = self.clock.time()
        inputs = await reader.all_inputs(station)
        window = reader.service.dispatcher.get_topic_window(station, GUN)
        assert self.truth.guns(station, now) == window
        if reader.module is None:
            assert set(MODULES) <= set(inputs)
            no_differences(expected, inputs)
        else:
            # It reads no topics but its own.
            own = {reader.module: expected[reader.module]}
            no_differences(own, {reader.module: inputs[reader.module]})

    def _check_callbacks(self, before: dict[str, dict[str, list[str]]]) -> None:
        """All callbacks of a step knew what came before it, and nothing that did not come.

        The newest one of each station had everything of the step.
        """
        now = self.clock.time()
        expected = {each: self.truth.all_inputs(each, now) for each in self.stations}
        for reader in self.readers:
            for station, module, available in reader.available:
                after = expected[station][module]["_data_quality"]["available_topics"]
                assert set(before[station][module]) <= set(available) <= set(after)
            for station, given in reader.newest.items():
                no_differences({each: expected[station][each] for each in given}, given)


def no_differences(expected: dict[str, Any], given: dict[str, Any]) -> None:
    """Raises `AssertionError` with what is not as expected, by module and name: both values."""
    found: dict[str, Any] = {}
    for module, fields in expected.items():
        for name in fields.keys() | given[module].keys():
            one, other = fields.get(name, "nothing"), given[module].get(name, "nothing")
            if isinstance(other, np.ndarray):
                one, other = [each for each in one if each is not None], other.tolist()
            if repr(one) != repr(other):  # 1 is not 1.0
                found[f"{module}.{name}"] = one, other
    assert not found, found


@asynccontextmanager
async def reading(
    broker: Broker,
    story: Story,
    layer: Imperfections,
    modules: Sequence[str | None],
    *,
    blocking: bool,
) -> AsyncIterator[Reading]:
    """Topics, services that have begun, and the world before its first record."""
    await broker.make_topics(*(TopicSpec(name, PARTITIONS) for name in (*TOPICS, DEAD_LETTERS)))
    clock = HeldClock(PROFILE.epoch_s)
    readers = [Reader(broker, clock, module, blocking=blocking) for module in modules]
    async with AsyncExitStack() as stack:
        found = Reading(broker, story, layer, readers, clock)
        await stack.enter_async_context(found.gateway)
        stack.push_async_callback(_each, Reader.stop, readers)
        await _each(Reader.start, readers)
        yield found


async def _each(do: Callable[[Reader], Awaitable[None]], readers: list[Reader]) -> None:
    async with asyncio.TaskGroup() as group:
        for reader in readers:
            group.create_task(do(reader))


async def live(
    broker: Broker,
    story: Story,
    layer: Imperfections,
    modules: Sequence[str | None],
    *,
    blocking: bool,
) -> Reading:
    """The whole story, judged at each step; returns it when everything has ended."""
    async with reading(broker, story, layer, modules, blocking=blocking) as found:
        for until_s in story.steps_s:
            await found.step(until_s, is_last=until_s == story.steps_s[-1])
            await found.check()
            found.clock.move(until_s + QUIET_S)
            await found.check()
        found.clock.move(story.steps_s[-1] + EXPIRE_S + 1)
        await found.check()
    await committed_to_the_end(found)
    await refused_what_was_spoilt(found)
    return found


async def committed_to_the_end(found: Reading) -> None:
    """Of every topic every record was taken and worked off."""
    sent = Counter(entry.topic for entry in found.ledger.entries)
    assert found.truth.sent == sent
    for reader in found.readers:
        committed: Counter[str] = Counter()
        for (topic, _), kept in (await found.broker.committed(reader.group)).items():
            committed[topic] += kept.offset
        assert {name: sent[name] for name in reader.service.topics} == dict(committed)
        assert 0 == reader.counters["callback_errors"]


async def refused_what_was_spoilt(found: Reading) -> None:
    """Refusals are those of the records that the imperfections spoilt, whole and by reason."""
    reader = found.readers[0]
    assert dict(found.truth.reasons) == reader.counters["records_refused"]
    malformed = [record for record in found.told if record.fate == Fate.MALFORMED]
    # A calendar names no station, so that it cannot lose one.
    harmless = [each for each in malformed if not read(each.topic, each.value)[1]]
    assert {CALENDAR} >= {each.topic for each in harmless}
    spoilt = sorted(entry.wire for entry in found.truth.spoilt)
    assert sorted(each.value for each in malformed if each not in harmless) == spoilt
    assert spoilt == sorted(await values_of(found.broker, DEAD_LETTERS))


async def values_of(broker: Broker, topic: str) -> list[bytes]:
    """The values of all records of a topic."""
    left = sum(end - start for start, end in (await broker.log_ranges(topic)).values())
    found: list[bytes] = []
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        while len(found) < left:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += [record.value for record in records]
    return found


def called_for_each(found: Reading) -> None:
    """The service of all modules was called once per record and station.

    A calendar is for the stations that are known when it comes, which polls decide.
    """
    calls, due = found.readers[0].calls, found.truth.calls
    for station in found.stations:
        assert due[station] <= calls[station] <= due[station] + found.truth.calendars


def on(
    kind: str,
    layer: Imperfections,
    modules: Sequence[str | None] = (None, *MODULES),
    *,
    story: Story = NEW_YEAR,
    blocking: bool = False,
) -> Reading:
    """The story on a broker of this kind, in its time, for services of these modules."""

    async def main() -> Reading:
        async with open_broker(kind) as broker:
            return await live(broker, story, layer, modules, blocking=blocking)

    if kind == "virtual":
        return run_virtual(main, seed=1, epoch_s=PROFILE.epoch_s)
    return asyncio.run(main())
