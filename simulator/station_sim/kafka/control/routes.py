"""The paths of the HTTP control: which method of which path is which verb of `Control`.

The options of a route are the keyword arguments of its verb, so that HTTP and Python cannot drift
apart. How bytes become requests is in `http_server.py`, how options are read in `options.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from station_sim.kafka.control.control import Control
from station_sim.kafka.control.errors import UnknownThingError


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked for; `{name}` in the path stands for an argument of the verb."""

    method: str
    path: str
    verb: Callable[..., Any]

    def arguments(self, path: str) -> dict[str, str] | None:
        """What stands in the path for its `{names}`; None if it is another path."""
        wanted, given = self.path.split("/"), path.split("/")
        if len(wanted) != len(given):
            return None
        found = {}
        for expected, part in zip(wanted, given, strict=True):
            if expected.startswith("{"):
                found[expected.strip("{}")] = unquote(part)
            elif expected != part:
                return None
        return found


def routes_of(control: Control) -> list[Route]:
    """All routes of a control, in the order in which they are documented."""
    faults, topics, groups, nodes = control.faults, control.topics, control.groups, control.nodes
    return [
        Route("GET", "/cluster", control.cluster),
        Route("GET", "/settings", control.settings),
        Route("POST", "/settings", control.configure),
        Route("POST", "/stop", control.stop),
        Route("POST", "/start", control.start),
        Route("POST", "/restart", control.restart),
        Route("POST", "/wipe", control.wipe),
        Route("GET", "/nodes", nodes.all),
        Route("GET", "/nodes/{node_id}", nodes.get),
        Route("POST", "/nodes/{node_id}/stop", nodes.stop),
        Route("POST", "/nodes/{node_id}/shut-down", nodes.shut_down),
        Route("POST", "/nodes/{node_id}/start", nodes.start),
        Route("POST", "/nodes/{node_id}/pause", nodes.pause),
        Route("POST", "/nodes/{node_id}/resume", nodes.resume),
        Route("POST", "/nodes/{node_id}/slow", nodes.slow),
        Route("GET", "/topics", topics.all),
        Route("POST", "/topics", topics.make),
        Route("GET", "/topics/{topic}", topics.get),
        Route("DELETE", "/topics/{topic}", topics.delete),
        Route("POST", "/topics/{topic}/config", topics.configure),
        Route("POST", "/topics/{topic}/{partition}/cut", topics.cut),
        Route("POST", "/topics/{topic}/{partition}/leader", topics.move_leader),
        Route("GET", "/groups", groups.all),
        Route("GET", "/groups/{group}", groups.get),
        Route("DELETE", "/groups/{group}", groups.delete),
        Route("POST", "/groups/{group}/coordinator", groups.move_coordinator),
        Route("GET", "/transactions", control.transactions),
        Route("GET", "/connections", control.connections),
        Route("DELETE", "/connections", control.drop_connections),
        Route("GET", "/requests", control.requests),
        Route("DELETE", "/requests", control.forget_requests),
        Route("GET", "/faults", faults.all),
        Route("POST", "/faults", faults.install),
        Route("DELETE", "/faults", faults.clear),
        Route("GET", "/faults/{fault_id}", faults.get),
        Route("DELETE", "/faults/{fault_id}", faults.remove),
        Route("POST", "/faults/{fault_id}/release", faults.release),
        Route("POST", "/faults/{fault_id}/wait", faults.wait),
    ]


class WrongMethodError(Exception):
    """The path exists, for other methods; `allowed` are those."""

    def __init__(self, path: str, method: str, allowed: list[str]) -> None:
        super().__init__(f"{path} takes {' and '.join(allowed)}, not {method}")
        self.allowed = allowed


def find_route(routes: list[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route and what stands in its path.

    Raises: UnknownThingError for an unknown path, WrongMethodError for another method.
    """
    there = dict(_at(routes, path))
    if not there:
        known = ", ".join(sorted({f"/{route.path.split('/')[1]}" for route in routes}))
        raise UnknownThingError(f"no path {path}; there are {known}, and / lists all")
    for route, arguments in there.values():
        if route.method == method:
            return route, arguments
    raise WrongMethodError(path, method, sorted(there))


def _at(routes: list[Route], path: str) -> Iterator[tuple[str, tuple[Route, dict[str, str]]]]:
    for route in routes:
        arguments = route.arguments(path)
        if arguments is not None:
            yield route.method, (route, arguments)
