"""What a topic family must answer. No family lives here."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Protocol

from data_analysis.messages import Message, Scope
from data_analysis.settings import TopicSettings
from data_analysis.stores import Store, View


class Shown(Enum):
    """How a column stands in a module input."""

    POINT = "point"
    """Its newest value, under the field's name."""

    SERIES = "series"
    """The whole series, under the field's name."""

    BOTH = "both"
    """The newest value under the field's name, the series under `<field>_window`."""


class TopicFamily(Protocol):
    """How one kind of topic stores its payloads and shows them."""

    scopes: tuple[Scope, ...]
    """Whom a record may be for."""

    sifts: bool
    """Whether `sift` has anything to do."""

    settles: bool
    """Whether its stores change with time alone: they have `settle(now, limit_s)`."""

    def items(self, raw_data: Any) -> list[Any]:
        """Return the items of what `DataDispatcher.update_topic_data` was given."""

    def sift(self, message: Message) -> None:
        """Refuse items that cannot be used; leave what goes into the store, in order."""

    def columns(self, topic: TopicSettings) -> tuple[str, ...]:
        """Return the names of the columns that the configured fields become."""

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function from a payload to a row; it raises nothing for a sifted payload."""

    def store(self, topic: TopicSettings) -> Store:
        """Return an empty store for the topic of one station."""

    def adapted(self, store: Any, before: TopicSettings, after: TopicSettings) -> Store:
        """Return a store for other settings, with the newest of what fits them."""

    def shown(self, column: str, topic: TopicSettings) -> Shown:
        """Return how a column stands in a module input."""

    def points(self, station_id: str, topic: TopicSettings, view: View) -> list[Any]:
        """Return what `get_topic_window` shows."""
