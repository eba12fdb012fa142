"""Links that are slow, jitter or are narrow, one way or both."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from station_sim.clock import VirtualLoop, run_virtual
from station_sim.links import Latency, Link
from station_sim.network import Network

PORT = 9092


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[attr-defined]  # a stream transport


def in_world(story: Callable[[Network, Callable[..., Awaitable[float]]], Awaitable[Any]]) -> Any:
    """Run a story with `there_and_back(*sizes)`, which tells how long that takes; no latency."""

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.network.latency = Latency(0, 0)
        await loop.create_server(Echo, "server", PORT)
        with loop.network.host("client"):
            reader, writer = await asyncio.open_connection("server", PORT)

        async def there_and_back(*sizes_bytes: int) -> float:
            began_s = loop.time()
            for size_bytes in sizes_bytes:
                writer.write(b"x" * size_bytes)
            await reader.readexactly(sum(sizes_bytes))
            return loop.time() - began_s

        return await story(loop.network, there_and_back)

    return run_virtual(main, seed=3)


def test_a_link_is_slow_for_as_long_as_it_is_said() -> None:
    async def story(network: Network, there_and_back: Any) -> list[float]:
        slow = Link(Latency(2, 2))
        times = [await there_and_back(1)]
        with network.slowed("client", "server", slow):
            times.append(await there_and_back(1))
        network.slow_down("server", "client", slow, one_way=True)
        times.append(await there_and_back(1))
        network.restore("server", "client", one_way=True)
        times.append(await there_and_back(1))
        return times

    assert pytest.approx([0, 4, 2, 0], abs=1e-3) == in_world(story)


def test_jitter_differs_and_keeps_the_order() -> None:
    async def story(network: Network, there_and_back: Any) -> list[float]:
        with network.slowed("client", "server", Link(Latency(1, 3))):
            return [await there_and_back(1) for _ in range(20)]

    times = in_world(story)
    assert all(2 <= each <= 6.001 for each in times)
    assert 20 == len(set(times))


def test_a_narrow_link_takes_time_for_bytes() -> None:
    async def story(network: Network, there_and_back: Any) -> float:
        narrow = Link(Latency(1, 1), bytes_per_s=1000)
        with network.slowed("client", "server", narrow, one_way=True):
            return await there_and_back(5000)

    assert pytest.approx(6, abs=1e-3) == in_world(story)


def test_what_follows_waits_for_the_link_to_be_free() -> None:
    async def story(network: Network, there_and_back: Any) -> float:
        with network.slowed(
            "client", "server", Link(Latency(0, 0), bytes_per_s=1000), one_way=True
        ):
            return await there_and_back(1000, 1000)

    assert pytest.approx(2, abs=1e-3) == in_world(story)


def test_another_pair_of_hosts_is_not_touched() -> None:
    async def story(network: Network, there_and_back: Any) -> float:
        with network.slowed("other", "server", Link(Latency(9, 9))):
            return await there_and_back(1)

    assert pytest.approx(0, abs=1e-3) == in_world(story)


@pytest.mark.parametrize("bytes_per_s", [0, -1, float("nan")])
def test_a_link_without_bandwidth_is_refused(bytes_per_s: float) -> None:
    with pytest.raises(ValueError, match="bytes_per_s"):
        Link(bytes_per_s=bytes_per_s)


def test_restoring_the_usual_is_refused() -> None:
    async def story(network: Network, _there_and_back: Any) -> None:
        network.restore("client", "server")

    with pytest.raises(ValueError, match="usual link already"):
        in_world(story)
