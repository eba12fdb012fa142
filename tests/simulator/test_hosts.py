"""Hosts that crash and come back: nothing of a crashed one goes on, others see what they would."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from station_sim.clock import VirtualLoop, run_virtual
from station_sim.errors import DeadlockError
from station_sim.hosts import current_life
from station_sim.network import Network

PORT = 9092


def in_world(story: Callable[[Network], Awaitable[Any]], seed: int = 0) -> Any:
    async def main() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return await story(loop.network)

    return run_virtual(main, seed=seed)


class Heard(asyncio.Protocol):
    """A server's end that keeps what it hears, and how it ended."""

    def __init__(self, heard: list[object]) -> None:
        self.heard = heard

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.heard.append("made")

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)
        self.transport.write(b"ack " + data)  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard.append("reset" if exc else "closed")


async def listening(heard: list[object]) -> None:
    await asyncio.get_running_loop().create_server(lambda: Heard(heard), "server", PORT)


def test_tasks_that_a_finally_makes_never_run_and_hold_nobody_back() -> None:
    lived: list[str] = []

    async def story(network: Network) -> None:
        async def last_words() -> None:
            lived.append("last words")

        async def program() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.gather(last_words(), last_words())

        network.start("service", program)
        await asyncio.sleep(1)
        network.crash("service")

    in_world(story)
    assert [] == lived


def test_nothing_of_a_crashed_program_goes_on() -> None:
    lived: list[str] = []

    async def story(network: Network) -> None:
        heard: list[object] = []
        await listening(heard)

        async def program() -> None:
            _reader, writer = await asyncio.open_connection("server", PORT)
            asyncio.get_running_loop().call_later(5, lived.append, "timer")
            try:
                while True:
                    writer.write(b"x")
                    await asyncio.sleep(1)
            except BaseException:
                lived.append("except")
                raise
            finally:
                lived.append("finally")
                writer.write(b"farewell")
                await asyncio.sleep(0)
                lived.append("after awaiting")

        network.start("service", program)
        await asyncio.sleep(2.5)
        network.crash("service")
        await asyncio.sleep(10)
        gc.collect()
        await asyncio.sleep(10)
        assert ["made", b"x", b"x", b"x", "reset"] == heard
        assert [] == lived

    in_world(story)


def test_what_was_sent_before_arrives() -> None:
    async def story(network: Network) -> list[object]:
        heard: list[object] = []
        await listening(heard)

        async def program() -> None:
            _reader, writer = await asyncio.open_connection("server", PORT)
            writer.write(b"last words")
            await asyncio.Event().wait()

        network.start("service", program)
        await asyncio.sleep(0.002)
        while not any(end.wire.bytes_under_way for end in network.transports_of("service")):
            await asyncio.sleep(0)
        network.crash("service")
        await asyncio.sleep(1)
        return heard

    assert ["made", b"last words", "reset"] == in_world(story)


def test_it_comes_back_with_the_same_program() -> None:
    async def story(network: Network) -> list[float]:
        began = []

        async def program() -> None:
            began.append(round(asyncio.get_running_loop().time(), 3))
            await asyncio.Event().wait()

        first = network.start("service", program)
        await asyncio.sleep(1)
        network.crash("service")
        assert first.cancelled()
        await asyncio.sleep(1)
        second = network.bounce("service")
        await asyncio.sleep(1)
        assert second is not None
        assert not second.done()
        return began

    assert [0.0, 2.0] == in_world(story)


def test_who_waits_for_a_crashed_task_finds_it_cancelled() -> None:
    async def story(network: Network) -> None:
        async def program() -> None:
            await asyncio.Event().wait()

        task = network.start("service", program)
        asyncio.get_running_loop().call_later(1, network.crash, "service")
        with pytest.raises(asyncio.CancelledError, match="host service has crashed"):
            await task

    in_world(story)


def test_tasks_that_it_started_end_too_and_others_do_not() -> None:
    async def story(network: Network) -> tuple[int, int]:
        ticks = {"service": 0, "other": 0}

        async def tick(name: str) -> None:
            while True:
                await asyncio.sleep(1)
                ticks[name] += 1

        async def program(name: str) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(tick(name))

        network.start("service", lambda: program("service"))
        network.start("other", lambda: program("other"))
        await asyncio.sleep(3.5)
        network.crash("service")
        await asyncio.sleep(3)
        return ticks["service"], ticks["other"]

    assert (3, 6) == in_world(story)


def test_its_listener_is_gone_until_it_listens_again() -> None:
    async def story(network: Network) -> list[object]:
        heard: list[object] = []

        async def program() -> None:
            server = await asyncio.get_running_loop().create_server(
                lambda: Heard(heard), "0.0.0.0", PORT
            )
            await server.serve_forever()

        network.start("server", program)
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection("server", PORT)
        writer.write(b"x")
        assert b"ack x" == await reader.readexactly(5)
        network.crash("server")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("server", PORT)
        network.bounce("server")
        await asyncio.sleep(0)
        await asyncio.open_connection("server", PORT)
        return heard

    assert ["made", b"x", "made"] == in_world(story)


def test_a_power_cut_is_silent_until_the_host_is_back() -> None:
    async def story(network: Network) -> None:
        async def program() -> None:
            server = await asyncio.get_running_loop().create_server(
                lambda: Heard([]), "0.0.0.0", PORT
            )
            await server.serve_forever()

        network.start("server", program)
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection("server", PORT)
        idle_reader, _idle = await asyncio.open_connection("server", PORT)
        network.crash("server", silently=True)
        writer.write(b"x")
        knocking = asyncio.create_task(asyncio.open_connection("server", PORT))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 60)
        assert not knocking.done()
        network.bounce("server")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await knocking
        with pytest.raises(TimeoutError):  # nothing was under way: as TCP, it does not know
            await asyncio.wait_for(idle_reader.read(), 60)

    in_world(story)


def test_its_cleanup_is_run_in_the_end_and_changes_nothing() -> None:
    order: list[str] = []
    heard: list[object] = []

    async def story(network: Network) -> None:
        await listening(heard)

        async def numbers() -> AsyncIterator[int]:
            try:
                while True:
                    yield 1
                    await asyncio.sleep(1)
            finally:
                order.append("generator")

        async def program() -> None:
            _reader, writer = await asyncio.open_connection("server", PORT)
            try:
                async for _ in numbers():
                    writer.write(b"x")
            finally:
                order.append("finally")
                writer.write(b"y")
                writer.close()
                asyncio.get_running_loop().call_soon(order.append, "soon")
                try:
                    await asyncio.open_connection("server", PORT)
                finally:
                    await asyncio.get_running_loop().create_server(lambda: Heard([]), port=1)
                    order.append("listens")

        network.start("service", program)
        await asyncio.sleep(0.5)
        network.crash("service")
        await asyncio.sleep(0.5)
        order.append("story over")

    in_world(story)
    assert ["made", b"x", "reset"] == heard
    assert "story over" == order[0]
    assert not {"soon", "listens"} & set(order)


def test_a_world_whose_all_have_crashed_is_deadlocked_and_no_more() -> None:
    async def story(network: Network) -> None:
        async def program() -> None:
            while True:
                await asyncio.sleep(1)

        network.start("service", program)
        await asyncio.sleep(1)
        network.crash("service")
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError, match=r"deadlock at 1\.0"):
        in_world(story)


def test_what_threads_suspend_is_closed_at_the_end() -> None:
    closed: list[str] = []

    async def story(network: Network) -> None:
        async def program() -> None:
            life = current_life()
            assert life is not None
            life.close_at_end(lambda: closed.append(life.host))
            await asyncio.Event().wait()

        network.start("service", program)
        network.start("other", program)
        await asyncio.sleep(1)
        network.crash("service")
        await asyncio.sleep(1)
        assert [] == closed

    in_world(story)
    assert ["service"] == closed


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (lambda network: network.crash("nobody"), "nothing runs on host nobody; there are: a"),
        (lambda network: network.crash("localhost"), "cannot crash"),
        (lambda network: network.crash("127.0.0.1"), "cannot crash"),
        (lambda network: network.bounce("a"), "has not crashed"),
        (lambda network: [network.crash("a"), network.crash("a")], "already"),
        (lambda network: [network.crash("a"), network.start("a", asyncio.Event().wait)], "bounce"),
    ],
)
def test_what_makes_no_sense_is_refused(deed: Callable[[Network], Any], said: str) -> None:
    async def story(network: Network) -> None:
        with network.host("a"):
            pass
        deed(network)

    with pytest.raises(ValueError, match=said):
        in_world(story)


def test_a_program_may_not_crash_itself() -> None:
    async def story(network: Network) -> None:
        async def program() -> None:
            network.crash("service")

        with pytest.raises(ValueError, match="do it from outside"):
            await network.start("service", program)

    in_world(story)


def test_a_crash_for_a_while() -> None:
    async def story(network: Network) -> None:
        with network.host("a"):
            pass
        with network.crashed("a"), pytest.raises(ValueError, match="bounce it first"):
            network.host("a").__enter__()
        with network.host("a"):
            pass

    in_world(story)


def test_the_seed_decides_a_story_with_crashes() -> None:
    async def story(network: Network) -> list[float]:
        heard: list[object] = []
        times: list[float] = []
        await listening(heard)

        async def program() -> None:
            reader, writer = await asyncio.open_connection("server", PORT)
            while True:
                writer.write(b"x")
                await reader.readexactly(5)
                times.append(asyncio.get_running_loop().time())
                await asyncio.sleep(0.3)

        network.start("service", program)
        for _ in range(3):
            await asyncio.sleep(1)
            network.crash("service")
            await asyncio.sleep(1)
            network.bounce("service")
        return times

    assert in_world(story, 1) == in_world(story, 1)
    assert in_world(story, 1) != in_world(story, 2)
