"""What asyncio has only in real time raises on a virtual loop and names itself."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from station_sim.clock import VirtualLoop, run_virtual
from station_sim.errors import VirtualTimeError
from station_sim.refusals import REFUSED

Attempt = Callable[[asyncio.AbstractEventLoop], Any]

ATTEMPTS: dict[str, Attempt] = {
    "subprocess_exec": lambda _: asyncio.create_subprocess_exec("true"),
    "subprocess_shell": lambda _: asyncio.create_subprocess_shell("true"),
    "create_unix_connection": lambda _: asyncio.open_unix_connection("/nowhere"),
    "create_unix_server": lambda _: asyncio.start_unix_server(lambda *_: None, "/nowhere"),
    "sock_connect": lambda loop: loop.sock_connect(None, ("a", 1)),  # type: ignore[arg-type]  # refused before it matters
    "add_reader": lambda loop: loop.add_reader(0, print),
    "getaddrinfo": lambda loop: loop.getaddrinfo("a", 1),
    "create_datagram_endpoint": lambda loop: loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    ),
    "add_signal_handler": lambda loop: loop.add_signal_handler(signal.SIGTERM, print),
    r"create_connection\(ssl": lambda _: asyncio.open_connection("a", 1, ssl=True),
}


@pytest.mark.parametrize("named", ATTEMPTS)
def test_it_is_refused_by_name(named: str) -> None:
    async def attempt() -> None:
        answer = ATTEMPTS[named](asyncio.get_running_loop())
        if isinstance(answer, Awaitable):
            await answer

    with pytest.raises(VirtualTimeError, match=named):
        run_virtual(attempt)


def test_nothing_of_asyncio_is_left_unsaid() -> None:
    """A method that a bare loop does not have is offered by the virtual loop or refused."""
    abstract = {name for name in vars(asyncio.AbstractEventLoop) if not name.startswith("_")}
    bare = {
        name
        for name in abstract
        if name not in vars(asyncio.BaseEventLoop) and name not in vars(VirtualLoop)
    }
    assert set() == bare - set(REFUSED)


def test_a_real_thread_may_not_act_on_a_virtual_world() -> None:
    errors: list[VirtualTimeError] = []
    acted: list[str] = []
    begin, end = threading.Event(), threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def act() -> None:
        begin.wait()
        try:
            loops[0].call_soon_threadsafe(acted.append, "from outside")
        except VirtualTimeError as error:
            errors.append(error)
        end.set()

    async def let_it_act() -> None:
        loop = asyncio.get_running_loop()
        loops.append(loop)
        begin.set()
        end.wait()
        loop.call_soon_threadsafe(acted.append, "from inside")
        await asyncio.sleep(1)

    thread = threading.Thread(target=act)
    thread.start()
    run_virtual(let_it_act)
    thread.join()
    assert ["from inside"] == acted
    assert "call_soon_threadsafe(append)" in str(errors[0])
