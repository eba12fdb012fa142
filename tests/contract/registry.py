"""The registry of contract cases: names, request kinds put to the test, statements.

The cases themselves live in `cases/`, one file per family; what a family asks through clients may
have a file of its own, `FAMILY_by_clients.py`. How a case is run on a broker is in `worlds.py`.
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tests.contract import cases
from tests.contract.bench import Bench
from tests.contract.clients.client import Client
from tests.contract.clients.kinds import EVERY_CLIENT, WIRE

BY_CLIENTS = "_by_clients"

WireBody = Callable[[Bench], Awaitable[None]]
ClientBody = Callable[[Bench, Client], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """One statement about Kafka: `body` passes on every broker that deserves the name, through
    every client but those that it names a reason for.
    """

    name: str
    family: str
    requests: tuple[str, ...]
    states: str
    body: Callable[..., Awaitable[None]]
    clients: tuple[str, ...] = (WIRE,)
    without: Mapping[str, str] = field(default_factory=dict)
    """Why a client cannot be asked this, by client."""

    async def run(self, kafka: Bench, client: str) -> None:
        """Run the body, through a client unless that is `wire`."""
        if client == WIRE:
            await self.body(kafka)
        else:
            await self.body(kafka, kafka.client(client))


CASES: dict[str, Case] = {}


def case(*requests: str) -> Callable[[WireBody], WireBody]:
    """Register `case_xxx` as the case `xxx`, which notices when one of `requests` is answered
    wrongly. It sends bare requests, so it runs once per broker.

    The first paragraph of its docstring is the statement that the tables show.
    """

    def register(body: WireBody) -> WireBody:
        _register(body, requests, (WIRE,), {})
        return body

    return register


def client_case(
    *requests: str, without: Mapping[str, str] | None = None
) -> Callable[[ClientBody], ClientBody]:
    """Register a case as `case` does, to be run per broker and per client.

    `without` gives the reason why a client is left out.
    """

    def register(body: ClientBody) -> ClientBody:
        excused = without or {}
        clients = tuple(name for name in EVERY_CLIENT if name not in excused)
        _register(body, requests, clients, excused)
        return body

    return register


def _register(
    body: Callable[..., Awaitable[None]],
    requests: tuple[str, ...],
    clients: tuple[str, ...],
    without: Mapping[str, str],
) -> None:
    name = body.__name__.removeprefix("case_")
    family = body.__module__.rpartition(".")[2].removesuffix(BY_CLIENTS)
    states = " ".join((body.__doc__ or "").split("\n\n")[0].split())
    assert requests, f"{name}: name the request kinds"
    assert states, f"{name}: say what it states"
    assert name not in CASES, f"two cases are called {name}"
    CASES[name] = Case(name, family, requests, states.rstrip("."), body, clients, without)


def all_cases() -> tuple[Case, ...]:
    """Every case of every family, by family and in the order written."""
    for module in sorted(pkgutil.iter_modules(cases.__path__), key=lambda found: found.name):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return tuple(sorted(CASES.values(), key=lambda found: found.family))
