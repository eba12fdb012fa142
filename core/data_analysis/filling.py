"""Stores that were filled apart: what they lack, how they age, how two of them become one."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from typing import Any

from data_analysis.devices import Devices
from data_analysis.feeds import Feed
from data_analysis.stores import BEFORE_ALL


@dataclass(frozen=True, slots=True)
class Shortage:
    """A window of `size` has only `count` points, at least one; `oldest_s` in epoch seconds."""

    size: int
    count: int
    oldest_s: float


def shortage_of(store: Any) -> Shortage | None:
    """Return what a store lacks; None for a full one, an empty one, and one without a size."""
    size, count = getattr(store, "size", 0), len(store)
    return Shortage(size, count, store.times()[0]) if 0 < count < size else None


def later(store: Any, seconds: float) -> None:
    """Have everything in a store come in so much later."""
    store.arrived_at += seconds
    if isinstance(store, Devices):
        store.arrive_later(seconds)


def joined(feed: Feed, one: Any, other: Any) -> Any:
    """Return a store with the points of both, in the order of their times."""
    if one is None or not len(one):
        return other
    if not len(other):
        return one
    both = feed.store()
    for time, arrived_at, values in merge(_moments(one), _moments(other), key=itemgetter(0)):
        both.add(values, None if time == BEFORE_ALL else time, arrived_at)
    both.arrived_at = max(one.arrived_at, other.arrived_at)
    return both


def _moments(store: Any) -> Iterator[tuple[float, float, Any]]:
    """Yield the time, the arrival and the values of every point."""
    if isinstance(store, Devices):
        yield from sorted(store.moments(), key=itemgetter(0))
    else:
        for time, values in store.moments():
            yield time, store.arrived_at, values
