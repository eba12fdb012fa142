"""What a module input must look like, read off a topic configuration (semantics 8).

The configuration is data the user writes; everything computed from it here is the checker's own.
Not here: records (`payloads.py`) and windows (`naive.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from station_scenarios.checker.naive import Row
from station_scenarios.checker.payloads import CALENDAR, PARAM, PRICE


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """Where one field of a topic stands in the input: `keys` are all the names it has there."""

    name: str
    keys: tuple[str, ...]
    window_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """One topic of the module: its fields in configuration order and its window in points."""

    name: str
    window_points: int
    fields: tuple[FieldPlan, ...]
    configured: tuple[str, ...]
    """The configuration's own field names."""

    @property
    def is_global(self) -> bool:
        """A record of it belongs to every station."""
        return self.name == CALENDAR

    @property
    def shows_windows(self) -> bool:
        """Its fields stand in the input as windows, too; parameters are flat at any size."""
        return self.window_points > 1 and self.name != PARAM

    def row(self, payload: Mapping[str, object]) -> Row:
        """The point that a payload becomes: configured fields, None where it has none."""
        if self.name == PRICE:
            return ({name: payload.get(name) for name in self.configured},)
        return tuple(payload.get(field.name) for field in self.fields)


@dataclass(frozen=True, slots=True)
class Plan:
    """The input of one module: its topics in configuration order."""

    module: str
    topics: tuple[TopicPlan, ...]

    def __contains__(self, topic: str) -> bool:
        return any(plan.name == topic for plan in self.topics)

    @classmethod
    def of(
        cls,
        topic_detail: Mapping[str, Mapping[str, Any]],
        module: str,
    ) -> "Plan":
        """The plan of `module` under a `TOPIC_DETAIL`; `stationId` is checked apart from fields."""
        used = {
            name: detail for name, detail in topic_detail.items() if module in detail["modules"]
        }
        names = {name: _fields(name, detail["fields"]) for name, detail in used.items()}
        holders: dict[str, list[str]] = {}
        for topic, fields in names.items():
            for field in fields:
                holders.setdefault(field, []).append(topic)
        return cls(
            module,
            tuple(
                TopicPlan(
                    topic,
                    int(detail["window_size"]),
                    tuple(_field(topic, f, holders[f]) for f in names[topic]),
                    tuple(detail["fields"]),
                )
                for topic, detail in used.items()
            ),
        )


def _fields(topic: str, configured: Iterable[str]) -> tuple[str, ...]:
    if topic == PRICE:
        return ("car_price",)
    return tuple(field for field in configured if field != "stationId")


def _field(topic: str, field: str, holders: list[str]) -> FieldPlan:
    """Shared names belong to the first topic, and stand under `<TOPIC>.<field>` for each."""
    keys = [field] if holders[0] == topic else []
    if len(holders) > 1:
        keys.append(f"{topic}.{field}")
    return FieldPlan(field, tuple(keys), tuple(f"{key}_window" for key in keys))
