"""The registry of contract cases: names, request kinds put to the test, statements.


The cases themselves live in `cases/`, one file per family. How a case is run on a broker is in
`worlds.py`.
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.contract import cases
from tests.contract.bench import Bench

Body = Callable[[Bench], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """One statement about Kafka: `body` passes on every broker that deserves the name."""

    name: str
    family: str
    requests: tuple[str, ...]
    states: str
    body: Body


CASES: dict[str, Case] = {}


def case(*requests: str) -> Callable[[Body], Body]:
    """Register `case_xxx` as the case `xxx`, which notices when one of `requests` is answered
    wrongly.

    The first paragraph of its docstring is the statement that the tables show.
    """

    def register(body: Body) -> Body:
        name = body.__name__.removeprefix("case_")
        family = body.__module__.rpartition(".")[2]
        states = " ".join((body.__doc__ or "").split("\n\n")[0].split())
        assert requests, f"{name}: name the request kinds"
        assert states, f"{name}: say what it states"
        assert name not in CASES, f"two cases are called {name}"
        CASES[name] = Case(name, family, requests, states.rstrip("."), body)
        return body

    return register


def all_cases() -> tuple[Case, ...]:
    """Every case of every family, by family and in the order written."""
    for module in sorted(pkgutil.iter_modules(cases.__path__), key=lambda found: found.name):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return tuple(sorted(CASES.values(), key=lambda found: found.family))
