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
from tests.contract.clients.kinds import IN_VIRTUAL_TIME
from tests.contract.registry import Case

CASE_TIMEOUT_S = 90.0
"""Wall time on real brokers, virtual time on virtual ones."""

SOON_OLD = {
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "1000",
    "log.cleaner.backoff.ms": "1000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
}
"""Old and dirty segments, and transactions open for too long, are looked for every second, as
brokers of kind jvm and docker do from the start.
"""

SHORT_SESSIONS = {"group.min.session.timeout.ms": "300"}
"""Members may be silent for less time than Kafka's 6 s, so that cases need not wait so long."""

OPTIONS: dict[str, dict[str, Any]] = {
    "virtual": {"server_properties": {**SOON_OLD, **SHORT_SESSIONS}},
    "embedded": {"server_properties": {**SOON_OLD, **SHORT_SESSIONS}},
    "jvm": {"server_properties": SHORT_SESSIONS},
    "docker": {"server_properties": SHORT_SESSIONS},
}


USERS = {"alice": "alice-secret", "bob": "bob:s-secret"}

SOON_EXPIRED = {**SOON_OLD, "offsets.retention.check.interval.ms": "500"}
"""Old offsets are looked for so often that groups without any are soon gone."""

SMALL_GROUPS = {
    **SOON_OLD,
    "group.initial.rebalance.delay.ms": "1000",
    "group.max.size": "2",
}

MAX_IDLE_MS = 2_000

FAMILY_OPTIONS: dict[str, dict[str, Any]] = {
    "group_limits": {"server_properties": SMALL_GROUPS},
    "idle_connections": {"server_properties": {"connections.max.idle.ms": str(MAX_IDLE_MS)}},
    "offset_expiry": {"server_properties": SOON_EXPIRED},
    "sasl": {"users": USERS},
}
"""Families whose brokers are not like the others'; docker knows no such options."""


def options_of(case: Case, kind: str) -> dict[str, Any]:
    """How the broker of a case is opened."""
    return {**OPTIONS.get(kind, {}), **FAMILY_OPTIONS.get(case.family, {})}


def clients_on(case: Case, kind: str) -> tuple[str, ...]:
    """The clients through which a case is asked of such a broker; none if it cannot be opened."""
    if kind == "docker" and case.family in FAMILY_OPTIONS:
        return ()
    if kind == "virtual":
        return tuple(name for name in case.clients if name in IN_VIRTUAL_TIME)
    return case.clients


async def run_case(case: Case, broker: Broker, client: str) -> None:
    """Run one case at an open broker, through one client."""
    async with asyncio.timeout(CASE_TIMEOUT_S), open_bench(broker, case.name) as kafka:
        await case.run(kafka, client)


def run_in_virtual_world(case: Case, client: str, *, seed: int = 0) -> None:
    """Run one case through one client in a virtual world made for it, with a broker of its own."""

    async def world() -> None:
        async with open_broker("virtual", **options_of(case, "virtual")) as broker:
            await run_case(case, broker, client)

    run_virtual(world, seed=seed)


class RealTime:
    """Brokers in real time, each started when first asked for and ended by `close`."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._brokers: dict[str, Broker] = {}

    def run(self, case: Case, kind: str, client: str) -> None:
        """Run one case through one client at the session's broker of a kind."""
        key = f"{kind} {case.family if case.family in FAMILY_OPTIONS else ''}"
        if key not in self._brokers:
            opening = open_broker(kind, **options_of(case, kind))
            self._brokers[key] = self._runner.run(self._stack.enter_async_context(opening))
        self._runner.run(run_case(case, self._brokers[key], client))

    def close(self) -> None:
        """End all brokers."""
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()
