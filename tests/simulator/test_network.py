"""The virtual network: order, delay, rules in pairs, ends of connections."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from station_sim.clock import VirtualLoop, run_virtual
from station_sim.errors import VirtualTimeError
from station_sim.network import Latency, Network

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PORT = 9092


class Echo(asyncio.Protocol):
    """Says back what it hears."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[attr-defined]  # a stream transport


def in_world(story: Callable[[Network], Awaitable[object]], seed: int = 0):
    """Run a story with an echo server at `server:9092`; the client is host `client`."""

    async def main() -> object:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        await loop.create_server(Echo, "server", PORT)
        with loop.network.host("client"):
            return await story(loop.network)

    return run_virtual(main, seed=seed)


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_bytes_arrive_in_order_and_later() -> None:
    async def talk(_network: Network) -> tuple[bytes, float]:
        reader, writer = await asyncio.open_connection("server", PORT)
        sent = b"".join(b"%04d" % number for number in range(500))
        began_s = now_s()
        for number in range(500):
            writer.write(b"%04d" % number)
        got = await reader.readexactly(len(sent))
        assert got == sent
        return got[:4], now_s() - began_s

    first, took_s = in_world(talk)
    assert first == b"0000"
    assert 0.001 <= took_s <= 0.01


def delays(seed: int) -> list[float]:
    async def talk(_network: Network) -> list[float]:
        times = []
        reader, writer = await asyncio.open_connection("server", PORT)
        for _ in range(5):
            writer.write(b"x")
            await reader.readexactly(1)
            times.append(now_s())
        return times

    return in_world(talk, seed)


def test_the_seed_decides_delays() -> None:
    assert delays(1) == delays(1)
    assert delays(1) != delays(2)


def test_a_delay_depends_on_its_own_connection_only() -> None:
    async def first_answer_at(others: int) -> float:
        readers = [await asyncio.open_connection("server", PORT) for _ in range(2)]
        for _ in range(others):
            readers[1][1].write(b"y")
        began_s = now_s()
        readers[0][1].write(b"x")
        await readers[0][0].readexactly(1)
        return now_s() - began_s

    alone = in_world(lambda _network: first_answer_at(0))
    in_company = in_world(lambda _network: first_answer_at(50))
    assert alone == pytest.approx(in_company, abs=1e-4)


def test_latency_is_adjustable() -> None:
    async def talk(network: Network) -> float:
        network.latency = Latency(2.0, 2.0)
        reader, writer = await asyncio.open_connection("server", PORT)
        began_s = now_s()
        writer.write(b"x")
        await reader.readexactly(1)
        return now_s() - began_s

    assert in_world(talk) == pytest.approx(4.0, abs=0.001)


def test_impossible_latency_is_refused() -> None:
    with pytest.raises(ValueError, match="min_s <= max_s"):
        Latency(2.0, 1.0)


def test_nobody_listens() -> None:
    async def knock(_network: Network) -> None:
        await asyncio.open_connection("server", 1)

    with pytest.raises(ConnectionRefusedError, match="nobody listens at virtual server:1"):
        in_world(knock)


def test_a_port_is_taken_once() -> None:
    async def listen_twice(_network: Network) -> None:
        await asyncio.get_running_loop().create_server(Echo, "server", PORT)

    with pytest.raises(OSError, match="in use"):
        in_world(listen_twice)


def test_a_closed_server_frees_its_port_and_keeps_its_connections() -> None:
    async def restart(_network: Network) -> bytes:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "other", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("other", port)
        server.close()
        await server.wait_closed()
        await loop.create_server(Echo, "other", port)
        writer.write(b"still here")
        return await reader.readexactly(10)

    assert in_world(restart) == b"still here"


async def send_through(rule_on, rule_off, after_s: float) -> float:
    """When an echo sent under a rule arrives, if the rule ends `after_s` later."""
    reader, writer = await asyncio.open_connection("server", PORT)
    rule_on()
    began_s = now_s()
    writer.write(b"x")
    asyncio.get_running_loop().call_later(after_s, rule_off)
    await reader.readexactly(1)
    return now_s() - began_s


def test_a_partition_delays_until_repaired_and_retransmitted() -> None:
    def story(network: Network) -> Awaitable[float]:
        ends = ("client", "server")
        return send_through(lambda: network.partition(*ends), lambda: network.repair(*ends), 30)

    assert 30 <= in_world(story) <= 31.1


def test_held_bytes_arrive_at_once_when_released() -> None:
    def story(network: Network) -> Awaitable[float]:
        ends = ("client", "server")
        return send_through(lambda: network.hold(*ends), lambda: network.release(*ends), 30)

    assert in_world(story) == pytest.approx(30, abs=0.01)


def test_a_one_way_partition_lets_the_other_way_pass() -> None:
    async def story(network: Network) -> float:
        reader, writer = await asyncio.open_connection("server", PORT)
        with network.partitioned("server", "client", one_way=True):
            writer.write(b"x")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10):
                    await reader.readexactly(1)
        await reader.readexactly(1)
        return now_s()

    assert 10 <= in_world(story) <= 11.1


def test_a_new_connection_finds_no_answer_through_a_partition() -> None:
    async def story(network: Network) -> bool:
        with network.partitioned("client", "server"), pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.open_connection("server", PORT)
        await asyncio.open_connection("server", PORT)
        return True

    assert in_world(story)


def test_a_rule_twice_or_ended_twice_is_refused() -> None:
    async def story(network: Network) -> None:
        network.partition("client", "server")
        with pytest.raises(ValueError, match="under a partition already"):
            network.hold("server", "client")
        network.repair("client", "server")
        with pytest.raises(ValueError, match="no rule"):
            network.repair("client", "server")

    in_world(story)


def test_a_cut_resets_both_ends() -> None:
    async def story(network: Network) -> int:
        reader, _writer = await asyncio.open_connection("server", PORT)
        broken = network.cut("client", "server")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        return broken

    assert in_world(story) == 1


def test_what_was_written_before_a_close_arrives() -> None:
    got: list[bytes] = []

    class Collect(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            got.append(data)

        def eof_received(self) -> None:
            got.append(b"<end>")

    async def story(_network: Network) -> None:
        await asyncio.get_running_loop().create_server(Collect, "sink", 1)
        _reader, writer = await asyncio.open_connection("sink", 1)
        writer.write(b"last words")
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(1)

    in_world(story)
    assert got == [b"last words", b"<end>"]


def test_a_paused_reader_gets_everything_later_in_order() -> None:
    async def story(_network: Network) -> bytes:
        reader, writer = await asyncio.open_connection("server", PORT)
        writer.transport.pause_reading()
        writer.write(b"one")
        writer.write(b"two")
        await asyncio.sleep(1)
        assert reader._buffer == b""  # type: ignore[attr-defined]  # nothing has come through
        writer.transport.resume_reading()
        return await reader.readexactly(6)

    assert in_world(story) == b"onetwo"


def test_a_writer_is_paused_while_too_much_is_under_way() -> None:
    async def story(network: Network) -> float:
        _reader, writer = await asyncio.open_connection("server", PORT)
        writer.transport.set_write_buffer_limits(high=1000)
        network.latency = Latency(5.0, 5.0)
        writer.write(b"x" * 2000)
        began_s = now_s()
        await writer.drain()
        return now_s() - began_s

    assert in_world(story) == pytest.approx(5.0, abs=0.01)


def test_tls_is_refused_by_name() -> None:
    async def story(_network: Network) -> None:
        await asyncio.open_connection("server", PORT, ssl=True)

    with pytest.raises(VirtualTimeError, match="no TLS"):
        in_world(story)
