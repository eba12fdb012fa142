"""What a scenario is: a story with a world, an extent, and what must hold. The stories themselves
are in `stories/`, what they act on is `stage.py`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from station_scenarios.stage import Stage


STORY_TOPICS = (
    "SCHEDULE-STATION-PARAM",
    "SCHEDULE-ENVIRONMENT-CALENDAR",
    "SCHEDULE-CAR-PRICE",
    "REAL-STATION-DATA",
)
"""What a story tells unless it says otherwise: one topic of each kind."""


@dataclass(frozen=True)
class Extent:
    """How big a story is told: stations, story hours, and story seconds per second."""

    stations: int
    duration_h: float
    pace: float = 1.0


@dataclass(frozen=True)
class Scenario:
    """A story.

    `tell` lives through it on a stage; `virtual` is its extent in virtual time, `real` on brokers
    in real time, shortened and at a stated pace (semantics 43). `service_options` go to the
    service under test, `consumer_options` into its `kafka_config`. `invariants` are those that the
    story can break; all are checked. `topics` are those that the world tells.
    """

    name: str
    summary: str
    tell: Callable[["Stage"], Awaitable[None]]
    virtual: Extent
    real: Extent
    invariants: tuple[str, ...]
    service_options: Mapping[str, Any] = field(default_factory=dict)
    consumer_options: Mapping[str, Any] = field(default_factory=dict)
    caught_up_within_s: float = 60.0
    topics: tuple[str, ...] = STORY_TOPICS
