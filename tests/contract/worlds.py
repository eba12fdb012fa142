"""Where a case runs: in a virtual world of its own, or on a broker that lives as long as the
session.

Which cases there are is in `registry.py`; which of them pytest runs where, in `test_contract.py`.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from station_sim.brokers import Broker, open_broker
from station_sim.clock import run_virtual
from tests.contract.bench import open_bench
from tests.contract.registry import Case

CASE_TIMEOUT_S = 180.0
"""Wall time on real brokers, virtual time on virtual ones."""

SOON_OLD = {"log.retention.check.interval.ms": "1000", "log.initial.task.delay.ms": "1000"}
"""Old segments are looked for every second, as brokers of kind jvm and docker do from the start."""

OPTIONS: dict[str, dict[str, Any]] = {
    "virtual": {"server_properties": SOON_OLD},
    "embedded": {"server_properties": SOON_OLD},
}


async def run_case(case: Case, broker: Broker) -> None:
    """Run one case at an open broker."""
    async with asyncio.timeout(CASE_TIMEOUT_S), open_bench(broker, case.name) as kafka:
        await case.body(kafka)


def run_in_virtual_world(case: Case, *, seed: int = 0) -> None:
    """Run one case in a virtual world made for it, with a broker of its own."""

    async def world() -> None:
        async with open_broker("virtual", **OPTIONS["virtual"]) as broker:
            await run_case(case, broker)

    run_virtual(world, seed=seed)


class RealTime:
    """Brokers in real time, each started when first asked for and ended by `close`."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._brokers: dict[str, Broker] = {}

    def run(self, case: Case, kind: str) -> None:
        """Run one case at the session's broker of a kind."""
        if kind not in self._brokers:
            opening = self._stack.enter_async_context(open_broker(kind, **OPTIONS.get(kind, {})))
            self._brokers[kind] = self._runner.run(opening)
        self._runner.run(run_case(case, self._brokers[kind]))

    def close(self) -> None:
        """End all brokers."""
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()
