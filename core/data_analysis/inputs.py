"""From views of windows to the input of a module: names, forms, and what is missing.

A plan says once which column becomes which name; a snapshot is the views of one instant and becomes
a dict on demand. Which points a window holds is decided in `data_analysis.windows`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_analysis.columns import CONTAINERS, Array, fresh
from data_analysis.padding import pad
from data_analysis.settings import OUTPUT_WINDOW_SIZE, Settings, TopicSettings
from data_analysis.topics import family_of
from data_analysis.topics.general import STATION_FIELD
from data_analysis.windows import WindowView

QUALITY_FIELD = "_data_quality"
WINDOW_SUFFIX = "_window"

_NOTHING: Array = np.empty(0)
_NOTHING.flags.writeable = False


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How one topic shows in the inputs of one module.

    `names` pairs the names of newest values, and `series` those of whole windows, with the numbers
    of their columns. A column has the bare field's name, the one qualified by its topic, or both.
    """

    settings: TopicSettings
    names: tuple[tuple[str, int], ...]
    series: tuple[tuple[str, int], ...]
    padding: str


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
        _plan_topic(settings.topics[name], fields, owners, padding)
        for name, fields in columns.items()
    )


def _plan_topic(
    topic: TopicSettings,
    columns: Sequence[str],
    owners: Mapping[str, list[str]],
    padding: str,
) -> TopicPlan:
    names = tuple(
        (name, column)
        for column, field in enumerate(columns)
        for name in _names(topic.name, field, owners[field])
    )
    windowed = topic.window_size > 1 and not family_of(topic.name).flat
    return TopicPlan(
        settings=topic,
        names=names,
        series=tuple((name + WINDOW_SUFFIX, at) for name, at in names) if windowed else (),
        padding=topic.padding or padding,
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
    newest = view.newest
    for name, column in topic.names:
        value = newest[column]
        shown[name] = fresh(value) if type(value) in CONTAINERS else value
    if as_arrays:
        for name, column in topic.series:
            shown[name] = view.array(column)
    else:
        size = topic.settings.window_size
        for name, column in topic.series:
            shown[name] = pad(view.values(column), size, topic.padding)


def _fill_missing(shown: dict[str, Any], topic: TopicPlan, as_arrays: bool) -> None:
    for name, _ in topic.names:
        shown[name] = None
    for name, _ in topic.series:
        shown[name] = _NOTHING if as_arrays else [None] * topic.settings.window_size
