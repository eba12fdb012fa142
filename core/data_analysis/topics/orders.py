"""SCHEDULE-CAR-ORDER: one record per open order and second, shown as the list `car_order`.

A second is one of record time. `car_order` holds all records of the newest complete second, so that
the orders of a station are seen together; see `data_analysis.seconds` for when one is complete.
"""

from collections.abc import Callable, Sequence
from typing import Any

from data_analysis.seconds import Seconds
from data_analysis.settings import TopicSettings
from data_analysis.stores import Store, View
from data_analysis.topics.family import Shown
from data_analysis.topics.general import GeneralTopic
from data_analysis.topics.spellings import picker


class OrderTopic(GeneralTopic):
    """Orders by second; a window of two seconds holds the complete one and the newest."""

    settles = True

    def columns(self, topic: TopicSettings) -> tuple[str, ...]:
        """Return the one column."""
        return ("car_order",)

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function to the order as a dict of the configured fields."""
        order = _order(topic)
        return lambda payload: (order(payload),)

    def store(self, topic: TopicSettings) -> Store:
        """Return room for `window_size` seconds."""
        return Seconds(topic.window_size)

    def adapted(self, store: Any, before: TopicSettings, after: TopicSettings) -> Store:
        """Return the newest seconds, their orders with the fields of `after`."""
        adapted: Store = store.changed(after.window_size, _order(after))
        return adapted

    def shown(self, column: str, topic: TopicSettings) -> Shown:
        """Return that one list is shown."""
        return Shown.POINT

    def points(self, station_id: str, topic: TopicSettings, view: View) -> list[Any]:
        """Return the list of orders of each second."""
        return [row[0] for row in view.rows()]


def _order(topic: TopicSettings) -> Callable[[Any], dict[str, Any]]:
    fields, pick = topic.fields, picker(topic.fields)
    return lambda payload: dict(zip(fields, pick(payload), strict=True))
