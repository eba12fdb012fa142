"""The fetcher is awake when there is something to fetch."""

import asyncio
from typing import Any

import pytest

from data_analysis.kafka import async_consumer
from tests.core.world import World, in_world

SOON_S = 2.0
"""A fetch waits half a second at the broker; the fetcher's tick is 10 s."""


def wake_in_the_iteration_in_which_it_ends(client: Any) -> None:
    """Let every fetch end just when a poll or a seek wakes the fetcher."""
    fetcher = client._fetcher
    fetch = fetcher._proc_fetch_request

    async def fetch_and_wake(*request: Any) -> Any:
        result = await fetch(*request)
        loop = asyncio.get_running_loop()
        end = loop.create_future()
        loop.call_soon(end.set_result, None)
        fetcher._notify(fetcher._wait_consume_future)
        await end
        return result

    fetcher._proc_fetch_request = fetch_and_wake


async def seconds_until_handled(world: World) -> float:
    service = world.service()
    await service.start(world.callback)
    wake_in_the_iteration_in_which_it_ends(service.consumer.get_consumer())
    await asyncio.sleep(3)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await world.send("A", 1.0)
    await world.until(lambda: len(world.calls) == 1)
    seconds = loop.time() - begin
    await service.stop()
    return seconds


def test_a_fetcher_that_is_woken_when_a_fetch_ends_goes_on() -> None:
    async def story(world: World) -> None:
        assert SOON_S > await seconds_until_handled(world)

    in_world(story)


def test_without_our_look_it_would_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_consumer, "keep_awake", lambda client: None)

    async def story(world: World) -> None:
        assert SOON_S < await seconds_until_handled(world)

    in_world(story)
