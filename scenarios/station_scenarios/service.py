"""The service under test: how one is made, and its configuration for a story.

A factory takes the keyword arguments of `data_analysis.AsyncDataAnalysisService` and returns an
object with its `start` and `stop`. The user names another one by `pkg.mod:factory`.
"""

import copy
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, Protocol

from data_analysis import config as default_config
from station_sim.errors import LabError
from station_sim.named_object import load_callable

MODULE = "load_prediction"
OUTPUT_TOPIC = f"MODULE-OUTPUT-{MODULE.upper()}"
DEFAULT_SERVICE = "data_analysis:AsyncDataAnalysisService"


class Service(Protocol):
    """What a story needs of a service."""

    def start(self, callback: Callable[[str, dict[str, Any]], Any]) -> Awaitable[None]:
        """Connect and begin to work."""

    def stop(self) -> Awaitable[None]:
        """Finish what is in work, commit, disconnect."""


ServiceFactory = Callable[..., Service]


def load_factory(path: str = DEFAULT_SERVICE) -> ServiceFactory:
    """The factory named `pkg.mod:factory`, also from the current directory.

    Raises `LabError` when there is no such thing, or importing it fails.
    """
    return load_callable(path, option="--service", what="factory")


def require_service(made: Any) -> Service:
    """What a factory made; raises `LabError` when it lacks a method that a story needs."""
    for method in ("start", "stop"):
        if not callable(getattr(made, method, None)):
            found = type(made).__name__
            raise LabError(
                f"the factory returned {found}, which has no {method}(); return a service"
            )
    service: Service = made
    return service


def story_config(topics: tuple[str, ...], module: str = MODULE) -> SimpleNamespace:
    """The default configuration for one module that uses all `topics`, and no others.

    Fields and windows are the defaults; every record of every topic calls back.
    """
    detail = {name: copy.deepcopy(default_config.TOPIC_DETAIL[name]) for name in topics}
    for each in detail.values():
        each["modules"] = [module]
    return SimpleNamespace(
        KAFKA_CONFIG=default_config.KAFKA_CONFIG,
        TOPIC_DETAIL=detail,
        MODULE_DEPENDENCIES={},
        OFFSET_COMMIT_CONFIG=default_config.OFFSET_COMMIT_CONFIG,
        STATION_TIMEZONE=default_config.STATION_TIMEZONE,
    )


def kafka_config(bootstrap: str, group: str, consumer_options: Mapping[str, Any]) -> dict[str, Any]:
    """`kafka_config` for a service that begins at the beginning and owns the group `group`."""
    return {
        "bootstrap_servers": [bootstrap],
        "consumer": {
            "bootstrap_servers": [bootstrap],
            "group_id": group,
            "auto_offset_reset": "earliest",
            **consumer_options,
        },
        "producer": {"bootstrap_servers": [bootstrap], "acks": "all"},
    }
