"""Ends of connections behave as asyncio's transports: streams, slow readers, resets, failures."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from station_sim.clock import VirtualLoop, run_virtual
from station_sim.wire import HIGH_WATER_BYTES

PORT = 9000
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def loop_of_world() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


async def connect_to(handler: Handler) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    await asyncio.start_server(handler, "server", PORT)
    return await asyncio.open_connection("server", PORT)


def test_a_writer_may_end_and_still_read() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read())[::-1])
        await writer.drain()
        writer.close()

    async def story() -> bytes:
        reader, writer = await connect_to(answer)
        writer.write(b"abc")
        writer.write_eof()
        with pytest.raises(RuntimeError, match="write_eof"):
            writer.write(b"more")
        answered = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answered

    assert b"cba" == run_virtual(story)


def test_a_reader_that_does_not_read_stops_the_writer() -> None:
    async def story() -> tuple[int, int]:
        may_read = asyncio.Event()
        read = written = 0
        done = asyncio.Event()

        async def read_late(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            nonlocal read
            await may_read.wait()
            while data := await reader.read(1 << 16):
                read += len(data)
            done.set()

        async def write(writer: asyncio.StreamWriter) -> None:
            nonlocal written
            for _ in range(1000):
                writer.write(bytes(1 << 16))
                await writer.drain()
                written += 1 << 16
            writer.close()

        _, writer = await connect_to(read_late)
        task = asyncio.create_task(write(writer))
        await asyncio.sleep(60)
        under_way = written
        may_read.set()
        await task
        await done.wait()
        return under_way, read

    under_way, read = run_virtual(story)
    assert 0 < under_way <= HIGH_WATER_BYTES + (1 << 17)
    assert 1000 << 16 == read


def test_writing_to_an_end_that_has_closed_is_answered_by_a_reset() -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def story() -> None:
        reader, writer = await connect_to(close)
        assert b"" == await reader.read()
        for _ in range(10):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)

    with pytest.raises(ConnectionResetError):
        run_virtual(story)


def test_a_reset_does_not_pass_a_partition() -> None:
    lost_at: list[float] = []

    class Client(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            assert isinstance(exc, ConnectionResetError)
            lost_at.append(asyncio.get_running_loop().time())

    async def story() -> None:
        loop = loop_of_world()
        transports: list[Any] = []

        async def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            transports.append(writer.transport)

        await asyncio.start_server(keep, "server", PORT)
        with loop.network.host("client"):
            await loop.create_connection(Client, "server", PORT)
        await asyncio.sleep(1)
        with loop.network.partitioned("client", "server"):
            transports[0].abort()
            await asyncio.sleep(9)
            assert [] == lost_at
        await asyncio.sleep(9)

    run_virtual(story)
    assert 10 <= lost_at[0] <= 12


@pytest.mark.parametrize("fails_at", ["factory", "connection_made", "data_received"])
def test_a_server_that_fails_loses_the_connection_and_nobody_else(fails_at: str) -> None:
    class Server(asyncio.Protocol):
        def __init__(self) -> None:
            self.fail_at("factory")

        def fail_at(self, place: str) -> None:
            if place == fails_at:
                raise ValueError("on purpose")

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.fail_at("connection_made")

        def data_received(self, data: bytes) -> None:
            self.fail_at("data_received")

    async def story() -> list[str]:
        told: list[str] = []
        loop = loop_of_world()
        loop.set_exception_handler(lambda _, context: told.append(repr(context["exception"])))
        await loop.create_server(Server, "server", PORT)
        reader, writer = await asyncio.open_connection("server", PORT)
        writer.write(b"x")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        return told

    assert ["ValueError('on purpose')"] == run_virtual(story)


def test_a_buffered_protocol_gets_everything() -> None:
    received = bytearray()

    class Buffered(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.buffer = bytearray(3)

        def get_buffer(self, sizehint: int) -> bytearray:
            return self.buffer

        def buffer_updated(self, nbytes: int) -> None:
            received.extend(self.buffer[:nbytes])

    async def story() -> None:
        await loop_of_world().create_server(Buffered, "server", PORT)
        _, writer = await asyncio.open_connection("server", PORT)
        writer.write(b"hello world")
        await asyncio.sleep(1)

    run_virtual(story)
    assert b"hello world" == bytes(received)


def test_all_interfaces_are_those_of_the_listening_host() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")

    async def story() -> bytes:
        with loop_of_world().network.host("server"):
            await asyncio.start_server(greet, "0.0.0.0", PORT)
        reader, _ = await asyncio.open_connection("server", PORT)
        return await reader.read(5)

    assert b"hello" == run_virtual(story)


def test_connections_that_are_over_are_forgotten() -> None:
    async def wait_for_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def story() -> tuple[int, int, int]:
        await asyncio.start_server(wait_for_the_end, "server", PORT)
        highest = 0
        for _ in range(20_000):
            _, writer = await asyncio.open_connection("server", PORT)
            highest = max(highest, writer.get_extra_info("sockname")[1])
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(1)
        network = loop_of_world().network
        return highest, len(network._connections), sum(map(len, network._wires.values()))

    assert (65_535, 0, 0) == run_virtual(story)
