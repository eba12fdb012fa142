"""From views of windows to the input of a module: names, forms, and what is missing.

A plan says once which column becomes which name; a snapshot is the views of one instant and becomes
a dict on demand. Which points a window holds is decided in `data_analysis.windows`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_analysis.columns import Array
from data_analysis.padding import pad
from data_analysis.settings import OUTPUT_WINDOW_SIZE, Settings, TopicSettings
from data_analysis.topics import TopicFamily, family_of
from data_analysis.topics.general import STATION_FIELD
from data_analysis.windows import WindowView

QUALITY_FIELD = "_data_quality"
WINDOW_SUFFIX = "_window"

_NOTHING: Array = np.empty(0)
_NOTHING.flags.writeable = False


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How one topic shows in the inputs of one module.

    `names` holds, for each column, the names its newest value gets: the bare field, the field
    qualified by its topic, or both.
    """

    settings: TopicSettings
    family: TopicFamily
    columns: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    padding: str

    @property
    def windowed(self) -> bool:
        """Whether the series is shown beside the newest value."""
        return self.settings.window_size > 1 and not self.family.flat


@dataclass(frozen=True, slots=True)
class ModulePlan:
    """How the input of one module is put together."""

    module: str
    topics: tuple[TopicPlan, ...]
    dependencies: tuple[str, ...]


def plan_modules(settings: Settings, padding: str) -> dict[str, ModulePlan]:
    """Return the plan of every module the settings name."""
    return {
        module: ModulePlan(
            module,
            _plan_topics(settings, topics, padding),
            settings.dependencies.get(module, ()),
        )
        for module, topics in settings.modules.items()
    }


def _plan_topics(settings: Settings, topics: Sequence[str], padding: str) -> tuple[TopicPlan, ...]:
    columns = {name: family_of(name).columns(settings.topics[name].fields) for name in topics}
    owners: dict[str, list[str]] = {}
    for name, fields in columns.items():
        for field in fields:
            owners.setdefault(field, []).append(name)
    return tuple(
        TopicPlan(
            settings=settings.topics[name],
            family=family_of(name),
            columns=fields,
            names=tuple(_names(name, field, owners[field]) for field in fields),
            padding=settings.topics[name].padding or padding,
        )
        for name, fields in columns.items()
    )


def _names(topic: str, field: str, owners: list[str]) -> tuple[str, ...]:
    bare = (field,) if owners[0] == topic else ()
    qualified = (f"{topic}.{field}",) if len(owners) > 1 else ()
    return bare + qualified


class Snapshot:
    """The windows of one station at one instant, for one or all modules.

    Args:
        station_id: the station.
        views: topic name to its window's view, None for a topic without data.
        plans: the module whose input is wanted, or all.
        named: True to make `{module: input}` of it, False for the one input.
    """

    __slots__ = ("_named", "_plans", "_views", "station_id")

    def __init__(
        self,
        station_id: str,
        views: Mapping[str, WindowView | None],
        plans: Sequence[ModulePlan],
        named: bool,
    ) -> None:
        self.station_id = station_id
        self._views = views
        self._plans = plans
        self._named = named

    def assemble(self, window_form: str) -> dict[str, Any]:
        """Return the input as a new dict; `window_form` is "list" or "array"."""
        if not self._named:
            return self._module(self._plans[0], window_form == "array")
        return {plan.module: self._module(plan, window_form == "array") for plan in self._plans}

    def _module(self, plan: ModulePlan, as_arrays: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {STATION_FIELD: self.station_id}
        available: list[str] = []
        missing: list[str] = []
        for topic in plan.topics:
            name = topic.settings.name
            view = self._views.get(name)
            if view is None or not view.count:
                missing.append(name)
                _fill_missing(shown, topic, as_arrays)
            else:
                available.append(name)
                _fill(shown, topic, view, as_arrays)
        for dependency in plan.dependencies:
            nothing: Any = _NOTHING if as_arrays else [None] * OUTPUT_WINDOW_SIZE
            shown[f"{dependency}_output{WINDOW_SUFFIX}"] = nothing
        total = len(plan.topics)
        shown[QUALITY_FIELD] = {
            "available_topics": available,
            "missing_topics": missing,
            "total_topics": total,
            "availability_ratio": len(available) / total if total else 0.0,
        }
        return shown


def _fill(shown: dict[str, Any], topic: TopicPlan, view: WindowView, as_arrays: bool) -> None:
    size = topic.settings.window_size
    windowed = topic.windowed
    for column, names in enumerate(topic.names):
        for name in names:
            shown[name] = _fresh(view.latest(column))
            if not windowed:
                continue
            if as_arrays:
                shown[name + WINDOW_SUFFIX] = view.array(column)
            else:
                shown[name + WINDOW_SUFFIX] = pad(view.values(column), size, topic.padding)


def _fill_missing(shown: dict[str, Any], topic: TopicPlan, as_arrays: bool) -> None:
    for names in topic.names:
        for name in names:
            shown[name] = None
            if topic.windowed:
                nothing = _NOTHING if as_arrays else [None] * topic.settings.window_size
                shown[name + WINDOW_SUFFIX] = nothing


def _fresh(value: Any) -> Any:
    """Return a container's copy, so that a callback that edits its input edits nothing else."""
    if type(value) is list:
        return value.copy()
    if type(value) is dict:
        return {key: _fresh(each) for key, each in value.items()}
    return value
