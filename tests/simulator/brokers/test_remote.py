"""A Kafka that is not ours is treated with care."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from tests.simulator.brokers.living import live, produce

from station_sim.brokers import Broker, TopicSpec, open_broker, remote
from station_sim.brokers.ports import is_loopback
from station_sim.errors import LabError


def at_remote(body: Callable[[Broker, Broker], Awaitable[Any]], **options: Any) -> Any:
    """Run `body(owner, remote)`: the same Kafka as its owner sees it and as a stranger does."""

    async def with_owner(owner: Broker) -> Any:
        async with open_broker(owner.bootstrap, **options) as stranger:
            return await body(owner, stranger)

    return live("embedded", with_owner)


def line_of(kind: str, **options: Any) -> str:
    async def main() -> None:
        async with open_broker(kind, **options):
            pytest.fail("it opened")

    with pytest.raises(LabError) as caught:
        asyncio.run(main())
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("address", ["192.0.2.1:9092", "[2001:db8::1]:9092", "0.0.0.0:9092"])
def test_far_away_needs_permission(address: str) -> None:
    assert f"{address} is not on this machine; allow it with --allow-remote" in line_of(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


def test_nobody_listens(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "ANSWER_WITHIN_S", 0.2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        line = line_of(address)
    assert f"could not reach Kafka at {address} within 0.2 s: [Errno 111]" in line


def test_nobody_answers(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "ANSWER_WITHIN_S", 0.2)
    line = line_of(f"127.0.0.1:{silent_port}")
    assert line.startswith(
        f"could not reach Kafka at 127.0.0.1:{silent_port} within 0.2 s: no answer"
    )
    assert "start Kafka there" in line


def test_what_it_made_is_its_own() -> None:
    async def body(owner: Broker, stranger: Broker) -> None:
        await stranger.make_topics(TopicSpec("mine", partitions=2))
        await produce(stranger, "mine", 3)
        assert 2 == await stranger.cut_head("mine", 0, before_offset=2)
        assert {0: (2, 3), 1: (0, 0)} == await owner.log_ranges("mine")
        await stranger.delete_topics("mine")
        assert "mine" not in await owner.topic_names()

    at_remote(body)


def test_existing_topics_need_permission() -> None:
    async def body(owner: Broker, stranger: Broker) -> None:
        await owner.make_topics(TopicSpec("theirs"))
        with pytest.raises(LabError, match="has theirs already; allow their use with --use-ex"):
            await stranger.make_topics(TopicSpec("new"), TopicSpec("theirs"))
        assert "new" not in await owner.topic_names()

    at_remote(body)


def test_existing_topics_are_used_and_not_harmed() -> None:
    async def body(owner: Broker, stranger: Broker) -> None:
        await owner.make_topics(TopicSpec("theirs"))
        await produce(owner, "theirs", 3)

        await stranger.make_topics(TopicSpec("theirs"))

        with pytest.raises(LabError, match="will not cut theirs: not made by this run"):
            await stranger.cut_head("theirs", 0, before_offset=2)
        with pytest.raises(LabError, match="will not delete theirs: not made by this run"):
            await stranger.delete_topics("theirs")
        assert {0: (0, 3)} == await owner.log_ranges("theirs")

    at_remote(body, use_existing_topics=True)


def test_existing_topics_must_fit() -> None:
    async def body(owner: Broker, stranger: Broker) -> None:
        await owner.make_topics(TopicSpec("theirs", partitions=2))
        with pytest.raises(LabError, match="has 2 partitions, 3 are needed"):
            await stranger.make_topics(TopicSpec("theirs", partitions=3))

    at_remote(body, use_existing_topics=True)


def test_it_is_not_stopped() -> None:
    async def body(_owner: Broker, stranger: Broker) -> None:
        with pytest.raises(LabError, match="is not ours to stop"):
            await stranger.stop()
        with pytest.raises(LabError, match="cannot be killed"):
            await stranger.kill()

    at_remote(body)
