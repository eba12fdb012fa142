"""A simulated broker in virtual time for tests: `in_virtual_time(story)`."""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from station_sim.clock import run_virtual
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.settings import BrokerSettings

T = TypeVar("T")


def in_virtual_time(
    story: Callable[[Cluster], Awaitable[T]],
    *,
    settings: BrokerSettings | None = None,
    users: Mapping[str, str] | None = None,
    seed: int = 1,
) -> T:
    """Run `story(broker)` with a started broker at kafka:9092; returns what it returns."""

    async def main() -> T:
        cluster = Cluster(
            rng=random.Random(seed), host="kafka", port=9092, settings=settings, users=users
        )
        await cluster.start()
        try:
            return await story(cluster)
        finally:
            await cluster.stop()

    return run_virtual(main, seed=seed)
