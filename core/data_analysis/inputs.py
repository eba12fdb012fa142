"""From views of windows to the input of a module: names, forms, and what is missing.

A plan says once which column becomes which name, and makes a dict of the views of one instant.
Which points a window holds is decided in `data_analysis.windows`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from data_analysis.columns import CONTAINERS, Array, fresh
from data_analysis.flat_windows import FlatView
from data_analysis.messages import STATION_KEY
from data_analysis.padding import pad
from data_analysis.settings import Settings, TopicSettings
from data_analysis.stores import View
from data_analysis.topics import Shown, family_of

QUALITY_FIELD = "_data_quality"
WINDOW_SUFFIX = "_window"
PLAIN_FIELD = "value"
"""Name of a dependency's result that is no dict."""

_NOTHING: Array = np.empty(0)
_NOTHING.flags.writeable = False


OfWindow = Callable[[str, FlatView], dict[str, Any]]
"""Makes a station's input from the view of the one topic that shows."""


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How one topic shows in the inputs of one module.

    `names` pairs the names of newest values, and `series` those of whole series, with the numbers
    of their columns. A column has the bare field's name, the one qualified by its topic, or both.
    Where each column has one name of either kind, in their order, `in_order` has all of them.
    """

    name: str
    names: tuple[tuple[str, int], ...]
    series: tuple[tuple[str, int], ...]
    size: int
    padding: str
    in_order: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """How the results of a module that this one depends on show in its inputs.

    `window` is the name of the list of results; each field of the newest is there with `prefix`
    before its name, those of `fields` always.
    """

    name: str
    window: str
    prefix: str
    fields: tuple[str, ...]
    size: int
    padding: str


@dataclass(frozen=True, slots=True)
class ModulePlan:
    """How the input of one module is put together; `counted` are the topics of its quality."""

    module: str
    topics: tuple[TopicPlan, ...]
    outputs: tuple[OutputPlan, ...]
    counted: tuple[str, ...]
    blank: dict[str, Any]
    """The names of the station and of what topics show, in their order: a copy of a dict that has
    its size is filled in half the time that a new one takes."""

    @property
    def seen(self) -> list[str]:
        """The topics that show in the input."""
        return [topic.name for topic in self.topics] + [output.name for output in self.outputs]

    def assemble(self, station_id: str, views: Mapping[str, View], form: str) -> dict[str, Any]:
        """Return the module's input; see `Inputs.assemble`."""
        as_arrays = form == "array"
        shown = self.blank.copy()
        shown[STATION_KEY] = station_id
        for topic in self.topics:
            view = views.get(topic.name)
            if view is None:
                _fill_missing(shown, topic, as_arrays)
            elif topic.in_order is not None and isinstance(view, FlatView) and not as_arrays:
                values = view.shown()
                if view.count < topic.size:
                    first = len(topic.names)
                    series = [pad(each, topic.size, topic.padding) for each in values[first:]]
                    values = [*values[:first], *series]
                shown.update(zip(topic.in_order, values))  # noqa: B905 - by the plan
            else:
                _fill(shown, topic, view, as_arrays)
        for output in self.outputs:
            _fill_output(shown, output, views.get(output.name), as_arrays)
        shown[QUALITY_FIELD] = _quality(self.counted, views)
        return shown

    def of_window(self, form: str) -> OfWindow | None:
        """Return what does the same, quickly, from the view of the one topic that shows.

        None where there are others, or where columns do not show in their order.
        """
        if form == "array" or self.outputs or len(self.topics) != 1:
            return None
        (topic,) = self.topics
        if topic.in_order is None or self.counted != (topic.name,):
            return None
        in_order, blank, size, name = topic.in_order, self.blank, topic.size, topic.name
        counted = self.counted

        def assemble(station_id: str, view: FlatView) -> dict[str, Any]:
            if view.count < size:
                return self.assemble(station_id, {name: view}, form)
            shown = blank.copy()
            shown[STATION_KEY] = station_id
            shown.update(zip(in_order, view.shown()))  # noqa: B905 - by the plan
            shown[QUALITY_FIELD] = _whole_quality(counted)
            return shown

        return assemble


@dataclass(frozen=True, slots=True)
class EveryPlan:
    """How the inputs of all modules are put together."""

    plans: tuple[ModulePlan, ...]

    def assemble(self, station_id: str, views: Mapping[str, View], form: str) -> dict[str, Any]:
        """Return `{module: input}`; see `Inputs.assemble`."""
        return {plan.module: plan.assemble(station_id, views, form) for plan in self.plans}


def plan_modules(settings: Settings, padding: str) -> dict[str, ModulePlan]:
    """Return the plan of every module the settings name."""
    return {
        module: _plan_module(settings, module, counted, padding)
        for module, counted in settings.modules.items()
    }


def _plan_module(
    settings: Settings, module: str, counted: tuple[str, ...], padding: str
) -> ModulePlan:
    topics = [settings.topics[name] for name in counted]
    columns = {
        topic: family_of(topic).columns(topic) for topic in topics if topic.output_of is None
    }
    owners: dict[str, list[str]] = {}
    for topic, fields in columns.items():
        for field in fields:
            owners.setdefault(field, []).append(topic.name)
    plans = tuple(_plan_topic(topic, fields, owners, padding) for topic, fields in columns.items())
    return ModulePlan(
        module,
        plans,
        tuple(
            _plan_output(topic, topic.output_of, padding)
            for topic in settings.topics.values()
            if topic.output_of is not None and module in topic.modules
        ),
        counted,
        dict.fromkeys(
            [STATION_KEY, *(name for plan in plans for name, _ in plan.names + plan.series)]
        ),
    )


def _plan_topic(
    topic: TopicSettings,
    columns: Sequence[str],
    owners: Mapping[str, list[str]],
    padding: str,
) -> TopicPlan:
    names: list[tuple[str, int]] = []
    series: list[tuple[str, int]] = []
    family = family_of(topic)
    for at, column in enumerate(columns):
        shown = family.shown(column, topic)
        for name in _names(topic.name, column, owners[column]):
            if shown is not Shown.SERIES:
                names.append((name, at))
            if shown is not Shown.POINT:
                series.append((name if shown is Shown.SERIES else name + WINDOW_SUFFIX, at))
    own = topic.padding or padding
    places = list(range(len(columns)))
    plain = places == [at for _, at in names] == [at for _, at in series]
    return TopicPlan(
        name=topic.name,
        names=tuple(names),
        series=tuple(series),
        size=topic.window_size,
        padding=own,
        in_order=tuple(name for name, _ in names + series) if plain else None,
    )


def _plan_output(topic: TopicSettings, module: str, padding: str) -> OutputPlan:
    return OutputPlan(
        name=topic.name,
        window=f"{module}_output{WINDOW_SUFFIX}",
        prefix=f"{module}_",
        fields=topic.fields,
        size=topic.window_size,
        padding=topic.padding or padding,
    )


def _names(topic: str, field: str, owners: list[str]) -> tuple[str, ...]:
    bare = (field,) if owners[0] == topic else ()
    qualified = (f"{topic}.{field}",) if len(owners) > 1 else ()
    return bare + qualified


class Inputs(Protocol):
    """Makes an input of the views of one station at one instant."""

    def assemble(self, station_id: str, views: Mapping[str, View], form: str) -> dict[str, Any]:
        """Return the input as a new dict.

        Args:
            station_id: the station.
            views: topic name to the view of its data; a topic without data has none.
            form: "list" or "array".
        """


def _whole_quality(counted: tuple[str, ...]) -> dict[str, Any]:
    return {
        "available_topics": [*counted],
        "missing_topics": [],
        "total_topics": len(counted),
        "availability_ratio": 1.0,
    }


def _quality(counted: tuple[str, ...], views: Mapping[str, View]) -> dict[str, Any]:
    total = len(counted)
    if total and all(map(views.__contains__, counted)):
        return _whole_quality(counted)
    available = [name for name in counted if name in views]
    return {
        "available_topics": available,
        "missing_topics": [name for name in counted if name not in views],
        "total_topics": total,
        "availability_ratio": len(available) / total if total else 0.0,
    }


def _fill(shown: dict[str, Any], topic: TopicPlan, view: View, as_arrays: bool) -> None:
    newest = view.newest
    for name, column in topic.names:
        value = newest[column]
        shown[name] = fresh(value) if type(value) in CONTAINERS else value
    if as_arrays:
        for name, column in topic.series:
            shown[name] = view.array(column)
    else:
        for name, column in topic.series:
            shown[name] = pad(view.values(column), topic.size, topic.padding)


def _fill_missing(shown: dict[str, Any], topic: TopicPlan, as_arrays: bool) -> None:
    for name, _ in topic.names:
        shown[name] = None
    for name, _ in topic.series:
        shown[name] = _NOTHING if as_arrays else [None] * topic.size


def _fill_output(
    shown: dict[str, Any], output: OutputPlan, view: View | None, as_arrays: bool
) -> None:
    """Add the results of a dependency; names that topics have are not taken from them."""
    if view is None:
        results: Any = _NOTHING if as_arrays else [None] * output.size
        newest: Any = {}
    else:
        results = view.array(0) if as_arrays else pad(view.values(0), output.size, output.padding)
        newest = view.newest[0]
    shown[output.window] = results
    if type(newest) is not dict:
        newest = {PLAIN_FIELD: newest}
    for field, value in newest.items():
        shown.setdefault(output.prefix + field, fresh(value))
    for field in output.fields:
        shown.setdefault(output.prefix + field, None)
