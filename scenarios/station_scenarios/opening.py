"""Builds the stage of a story on a running broker: topics, gateway, world, ledger, checker."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from station_scenarios.checker.checker import Checker
from station_scenarios.checker.payloads import REAL
from station_scenarios.checker.plan import Plan
from station_scenarios.digest import Observables
from station_scenarios.scenario import Extent, Scenario
from station_scenarios.service import MODULE, OUTPUT_TOPIC, ServiceFactory, story_config
from station_scenarios.stage import Stage, on_host
from station_sim.brokers import Broker, TopicSpec
from station_sim.brokers.ports import is_loopback
from station_sim.brokers.remote import RemoteBroker
from station_sim.streams.driver import RecordDriver, StoryClock, told_ahead
from station_sim.streams.gateway import Gateway
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.ledger import Ledger
from station_sim.streams.telling import Telling
from station_sim.streams.uplinks import Producers
from station_sim.world.charging_network import Network
from station_sim.world.profile import Profile

KEYED_PARTITIONS = 3
GATEWAY_HOST = "site"
LINGER_STORY_S = 1.0
MS_PER_HOUR = 3_600_000

REMOTE_SKEW_S = 1.0
"""Results that a distant broker stored less than this after a commit accuse nobody."""


@dataclass(frozen=True)
class Options:
    """What the user may change about a run."""

    stations: int | None = None
    duration_h: float | None = None
    producers: Producers = "gateway"


@asynccontextmanager
async def open_stage(
    scenario: Scenario,
    broker: Broker,
    *,
    seed: int,
    options: Options,
    factory: ServiceFactory,
    progress: Callable[[float, float], None],
) -> AsyncIterator[Stage]:
    """A stage on a running broker: topics made, gateway connected, nothing started yet."""
    extent = chosen_extent(scenario, options, virtual=broker.is_virtual)
    profile = Profile(stations=extent.stations, seed=seed)
    stage = _build(scenario, extent, profile, broker, seed, options, factory, progress)
    async with AsyncExitStack() as stack:
        if broker.is_virtual:
            broker.simulated.observers.append(stage.observables)  # type: ignore[attr-defined]  # of virtual brokers
            stack.enter_context(stage.observables.log_lines())
        stack.push_async_callback(_remove_topics, broker, await _make_topics(stage))
        await stack.enter_async_context(stage.commits.on(broker))
        with on_host(GATEWAY_HOST):
            await stack.enter_async_context(stage.gateway)
        yield stage


def chosen_extent(scenario: Scenario, options: Options, *, virtual: bool) -> Extent:
    """The scenario's extent for this kind of time, with what the user changed."""
    stated = scenario.virtual if virtual else scenario.real
    return Extent(
        options.stations or stated.stations, options.duration_h or stated.duration_h, stated.pace
    )


def _build(
    scenario: Scenario,
    extent: Extent,
    profile: Profile,
    broker: Broker,
    seed: int,
    options: Options,
    factory: ServiceFactory,
    progress: Callable[[float, float], None],
) -> Stage:
    network = Network(profile)
    telling = Telling(
        list(network.stories()), profile, topics=scenario.topics, layer=Imperfections.none()
    )
    records = told_ahead(telling.records(round(extent.duration_h * MS_PER_HOUR)))
    clock = StoryClock(profile.epoch_s, extent.pace)
    ledger = Ledger()
    gateway = Gateway(
        broker.bootstrap,
        ledger,
        clock=clock,
        linger_ms=round(LINGER_STORY_S * 1000 / extent.pace),
        producers=options.producers,
    )
    checker = Checker(Plan.of(story_config(scenario.topics).TOPIC_DETAIL, MODULE))
    ledger.observe_sent(checker.sent)
    group = f"station-lab-{scenario.name}-{seed}"
    if not broker.is_virtual:
        group = f"{group}-{int(time.time())}"
    return Stage(
        scenario=scenario,
        extent=extent,
        seed=seed,
        broker=broker,
        profile=profile,
        clock=clock,
        network=network,
        driver=RecordDriver(records, clock, gateway.submit),
        gateway=gateway,
        ledger=ledger,
        checker=checker,
        observables=Observables(),
        group=group,
        began_at_s=time.time(),
        clock_skew_s=_clock_skew_s(broker),
        factory=factory,
        progress=progress,
    )


def story_topics(topics: tuple[str, ...]) -> list[TopicSpec]:
    """The topics of a story; the output topic's records tell when they were stored."""
    inputs = [TopicSpec(name, KEYED_PARTITIONS if name == REAL else 1) for name in topics]
    stamped = {"message.timestamp.type": "LogAppendTime"}
    return [*inputs, TopicSpec(OUTPUT_TOPIC, KEYED_PARTITIONS, config=stamped)]


def _clock_skew_s(broker: Broker) -> float:
    """A broker on this machine has this machine's clock; of others nothing is known."""
    return (
        0.0
        if broker.is_virtual or is_loopback(broker.bootstrap.rpartition(":")[0])
        else REMOTE_SKEW_S
    )


async def _make_topics(stage: Stage) -> list[str]:
    """Make the story's topics; answers those that were not there before.

    Where they were, what they hold is not the story's.
    """
    specs = story_topics(stage.scenario.topics)
    existing = set(await stage.broker.topic_names()) if _is_not_ours(stage.broker) else set()
    await stage.broker.make_topics(*specs)
    if existing:
        await _begin_behind(stage, [name for name in stage.scenario.topics if name in existing])
        stage.upload_starts = await _ends(stage.broker, OUTPUT_TOPIC)
    return [spec.name for spec in specs if spec.name not in existing]


async def _remove_topics(broker: Broker, names: list[str]) -> None:
    """Leave a broker that is not ours as it was, ready for the next run."""
    if _is_not_ours(broker):
        await broker.delete_topics(*names)


def _is_not_ours(broker: Broker) -> bool:
    return isinstance(broker, RemoteBroker)


async def _ends(broker: Broker, topic: str) -> dict[int, int]:
    return {partition: end for partition, (_, end) in (await broker.log_ranges(topic)).items()}


async def _begin_behind(stage: Stage, topics: list[str]) -> None:
    """Let the group begin behind records that were there before."""
    ends = {
        TopicPartition(topic, partition): end
        for topic in topics
        for partition, end in (await _ends(stage.broker, topic)).items()
    }
    if not ends:
        return
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stage.broker.bootstrap, group_id=stage.group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(list(ends))
        await consumer.commit(ends)
    finally:
        await consumer.stop()
