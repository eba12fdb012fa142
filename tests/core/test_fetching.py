"""The fetcher is awake when there is something to fetch, and makes what is asked for."""

import asyncio
from typing import Any

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.structs import TopicPartition

from data_analysis import AsyncKafkaConsumerClient
from data_analysis.kafka import async_consumer, async_fetching
from data_analysis.kafka.async_consumer import DECODED_AT_ONCE
from tests.core.world import CALENDAR, DATA, GROUP, World, in_world

SOON_S = 2.0
"""A fetch waits half a second at the broker; the fetcher's tick is 10 s."""

TP = TopicPartition(DATA, 0)


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
    class Asleep:
        def __init__(self, client: Any) -> None:
            pass

        def lighten(self, light: bool) -> None:
            pass

    monkeypatch.setattr(async_consumer, "Fetching", Asleep)

    async def story(world: World) -> None:
        assert SOON_S < await seconds_until_handled(world)

    in_world(story)


async def longest_poll_of_two_topics(world: World) -> float:
    """Poll a topic that has many fetches of records, and one that has none; return seconds."""
    await world.send("A", *range(40))
    config = {
        "bootstrap_servers": [world.broker.bootstrap],
        "group_id": GROUP,
        "auto_offset_reset": "earliest",
        "max_partition_fetch_bytes": 1000,
        "fetch_max_wait_ms": 5000,
    }
    client = AsyncKafkaConsumerClient([DATA, CALENDAR], config)
    await client.start()
    (member,) = client.members
    loop = asyncio.get_running_loop()
    longest_s = 0.0
    for number in range(40):
        begin_s = loop.time()
        records, errors = await member.drain(20_000, (), 1)
        assert ([number], []) == (records[TP].offsets, errors)
        longest_s = max(longest_s, loop.time() - begin_s)
        # Work: the other topic is asked for meanwhile.
        await asyncio.sleep(0.2)
    await client.stop()
    return longest_s


def test_a_topic_without_records_does_not_stop_one_that_has_many() -> None:
    async def story(world: World) -> None:
        assert await longest_poll_of_two_topics(world) < 0.1

    in_world(story)


def test_with_questions_that_wait_for_long_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_fetching, "PARTIAL_WAIT_MS", 5000)

    async def story(world: World) -> None:
        assert await longest_poll_of_two_topics(world) > 1

    in_world(story)


def test_a_drain_takes_what_the_parser_made_and_a_poll_returns_whole_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, made = PartitionRecords._consumer_record, []

    def making(*arguments: Any) -> Any:
        made.append(make(*arguments))
        return made[-1]

    monkeypatch.setattr(PartitionRecords, "_consumer_record", making)

    async def story(world: World) -> None:
        await world.send("A", *range(6))
        config = {"bootstrap_servers": [world.broker.bootstrap], "group_id": GROUP}
        client = AsyncKafkaConsumerClient([DATA], {**config, "auto_offset_reset": "earliest"})
        await client.start()
        (member,) = client.members
        drained = (await member.drain(20_000, (), 2))[0][TP]
        got = (await client.getmany(max_records=2))[TP]
        again = (await member.drain(20_000, (), 1))[0][TP]
        last = await client.getone()
        await client.stop()
        assert ([0, 1], [4]) == (drained.offsets, again.offsets)
        assert [2, 3, 5] == [record.offset for record in made]
        assert [*got, last] == made
        assert [(DATA, 0)] * 3 == [(record.topic, record.partition) for record in [*got, last]]
        assert got[0].value.replace(b"2}", b"1}") == drained.values[1]
        assert got[0].timestamp - drained.times_ms[1] == 15_000

    in_world(story)


def test_a_drain_takes_as_many_as_it_may_whatever_is_decoded_at_once() -> None:
    async def story(world: World) -> None:
        await world.send("A", *range(3 * DECODED_AT_ONCE))
        config = {"bootstrap_servers": [world.broker.bootstrap], "group_id": GROUP}
        client = AsyncKafkaConsumerClient([DATA], {**config, "auto_offset_reset": "earliest"})
        await client.start()
        (member,) = client.members
        most = 2 * DECODED_AT_ONCE + 1
        first = (await member.drain(20_000, (), most))[0][TP]
        rest = (await member.drain(20_000, (), most))[0][TP]
        await client.stop()
        assert [*range(3 * DECODED_AT_ONCE)] == first.offsets + rest.offsets
        assert most == len(first)

    in_world(story)
