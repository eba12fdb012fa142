"""aiokafka on hosts that crash: others take over, nothing is lost, nothing is committed from the
grave."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from station_sim.brokers import TopicSpec, open_broker
from station_sim.brokers.virtual import VirtualBroker
from station_sim.clock import VirtualLoop, run_virtual
from station_sim.network import Network

TOPIC = "T"
RECORDS = 60
SESSION_S = 10.0
DEADLINE_S = 120.0


class Story:
    """Ten records a second, and a service that handles each in 50 ms and then commits."""

    def __init__(self, broker: VirtualBroker, network: Network) -> None:
        self.broker = broker
        self.network = network
        self.handled: list[tuple[int, str]] = []
        self.cleaned_up: list[str] = []
        self.commits: list[tuple[int, float]] = []
        broker.simulated.observers.append(self)

    def appended(self, *_what: Any) -> None:
        return

    def committed(self, _g: str, _t: str, _p: int, offset: int, _m: str, _at: float) -> None:
        self.commits.append((offset, asyncio.get_running_loop().time()))

    async def serve(self, name: str) -> None:
        consumer = AIOKafkaConsumer(
            TOPIC,
            bootstrap_servers=self.broker.bootstrap,
            group_id="g",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=int(SESSION_S * 1000),
            heartbeat_interval_ms=1000,
        )
        await consumer.start()
        try:
            async for record in consumer:
                await asyncio.sleep(0.05)
                self.handled.append((record.offset, name))
                await consumer.commit()
        finally:
            self.cleaned_up.append(name)
            await consumer.stop()

    async def send(self) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.broker.bootstrap) as producer:
            for number in range(RECORDS):
                await producer.send_and_wait(TOPIC, b"%d" % number)
                await asyncio.sleep(0.1)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not holds():
                await asyncio.sleep(0.01)

    def everything_is_handled(self) -> bool:
        return set(range(RECORDS)) == {offset for offset, _ in self.handled}


def live_through(tell: Callable[[Story], Awaitable[Any]], seed: int) -> Story:
    async def main() -> Story:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        async with open_broker("virtual") as broker:
            assert isinstance(broker, VirtualBroker)
            await broker.make_topics(TopicSpec(TOPIC))
            story = Story(broker, loop.network)
            await tell(story)
            return story

    return run_virtual(main, seed=seed)


@pytest.mark.parametrize("silently", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("seed", range(5))
def test_another_host_takes_over_after_the_session(seed: int, silently: bool) -> None:
    crashed_at = 0.0

    async def tell(story: Story) -> None:
        nonlocal crashed_at
        story.network.start("first", lambda: story.serve("first"))
        sending = asyncio.create_task(story.send())
        await story.until(lambda: len(story.handled) >= 10 + seed)
        await asyncio.sleep(0.02 + 0.01 * seed)  # amid a record or a poll, as the seed has it
        crashed_at = asyncio.get_running_loop().time()
        story.network.crash("first", silently=silently)
        story.network.start("second", lambda: story.serve("second"))
        await sending
        await story.until(story.everything_is_handled)
        assert [] == story.cleaned_up

    story = live_through(tell, seed)
    by_second = [offset for offset, name in story.handled if name == "second"]
    by_first = [offset for offset, name in story.handled if name == "first"]
    committed_before = max(offset for offset, at in story.commits if at <= crashed_at + 0.01)
    assert list(range(len(by_first))) == by_first
    assert committed_before == by_second[0]
    assert committed_before in (len(by_first), len(by_first) - 1)
    since = [at for _, at in story.commits if at > crashed_at + 0.01]
    assert min(since) >= crashed_at + SESSION_S - 1.5  # less the heartbeat before the crash


@pytest.mark.parametrize("seed", range(3))
def test_the_same_host_comes_back_again_and_again(seed: int) -> None:
    async def tell(story: Story) -> None:
        story.network.start("service", lambda: story.serve("service"))
        sending = asyncio.create_task(story.send())
        for _ in range(3):
            await asyncio.sleep(1.234)
            with story.network.crashed("service"):
                await asyncio.sleep(1)
        await sending
        await story.until(story.everything_is_handled)

    story = live_through(tell, seed)
    offsets = [offset for offset, _ in story.commits]
    assert sorted(offsets) == offsets


def test_a_seed_tells_one_story() -> None:
    async def tell(story: Story) -> None:
        story.network.start("service", lambda: story.serve("service"))
        sending = asyncio.create_task(story.send())
        await asyncio.sleep(2.5)
        with story.network.crashed("service", silently=True):
            await asyncio.sleep(1)
        await sending
        await story.until(story.everything_is_handled)

    assert live_through(tell, 1).commits == live_through(tell, 1).commits
    assert live_through(tell, 1).commits != live_through(tell, 2).commits
