"""Stores that were filled apart become one: what it has, what it lacks, how old it is."""

import random
from typing import Any

import pytest

from data_analysis import DataDispatcher
from data_analysis.filling import Shortage, joined, later, shortage_of
from tests.core import warm_story

DISPATCHER = DataDispatcher(600, config=warm_story.CONFIG)


def _items(topic: str, seed: int) -> list[tuple[float, Any]]:
    """Payloads with distinct times, late ones among them."""
    draws = random.Random(seed)
    times = [1000.0 + number for number in range(60)]
    items = [
        {"stationId": "S", "n": n, "text": f"t{n}", "storageCode": f"u{n % 3}", "date": str(n)}
        for n in range(60)
    ]
    if topic == warm_story.DAYS:
        items = [{"calendar": [item]} for item in items]
    timed = list(zip(times, items, strict=True))
    draws.shuffle(timed)
    return timed


def _filled(topic: str, timed: list[tuple[float, Any]]) -> Any:
    feed = DISPATCHER.feed(topic)
    store = feed.store()
    for number, (time, item) in enumerate(timed):
        store.add(feed.row(item), time, 5000.0 + number)
    return store


@pytest.mark.parametrize("topic", list(warm_story.PARTITIONS))
@pytest.mark.parametrize("seed", range(3))
def test_two_stores_become_the_one_that_all_would_have_made(topic: str, seed: int) -> None:
    timed = _items(topic, seed)
    cut = random.Random(seed).randrange(60)
    # What both have counts once.
    one, other = _filled(topic, timed[: cut + 5]), _filled(topic, timed[cut:])
    both = joined(DISPATCHER.feed(topic), one, other)
    whole = _filled(topic, timed)
    assert list(whole.view().rows()) == list(both.view().rows())
    assert max(one.arrived_at, other.arrived_at) == both.arrived_at


def test_an_empty_store_adds_nothing() -> None:
    feed = DISPATCHER.feed(warm_story.OWN)
    store = _filled(warm_story.OWN, _items(warm_story.OWN, 0))
    assert store is joined(feed, None, store)
    assert store is joined(feed, feed.store(), store)
    assert store is joined(feed, store, feed.store())


def test_a_window_that_is_short_says_of_what() -> None:
    timed = sorted(_items(warm_story.SPREAD, 0), key=lambda each: each[0])
    assert Shortage(40, 3, 1000.0) == shortage_of(_filled(warm_story.SPREAD, timed[:3]))
    assert shortage_of(_filled(warm_story.SPREAD, timed)) is None
    assert shortage_of(DISPATCHER.feed(warm_story.SPREAD).store()) is None
    assert shortage_of(_filled(warm_story.UNITS, timed[:1])) is None


def test_devices_that_came_later_expire_later() -> None:
    timed = [(float(n), {"stationId": "S", "n": n, "storageCode": f"u{n}"}) for n in range(2)]
    store = _filled(warm_story.UNITS, timed)
    later(store, 100.0)
    assert 5101.0 == store.arrived_at
    store.settle(5699.5, 600.0)
    assert [{"u0", "u1"}] == [set(row[0]) for row in store.view().rows()]
    store.settle(5700.5, 600.0)
    assert [{"u1"}] == [set(row[0]) for row in store.view().rows()]
