"""The general family: one dict per station and record, one column per configured field.

Topics of the user's own, and those of the default configuration whose items are points by
themselves: REAL-STATION-DATA, weather, PV forecast, meter, gun, device errors, and parameters.
"""

from collections.abc import Callable, Sequence
from typing import Any

from data_analysis.latest import Latest
from data_analysis.messages import STATION_KEY, Message, Scope
from data_analysis.settings import TopicSettings
from data_analysis.stores import Store, View
from data_analysis.topics.family import Shown
from data_analysis.topics.spellings import SPELLINGS, picker
from data_analysis.windows import Window


class GeneralTopic:
    """Every item is a point.

    Args:
        scopes: whom a record may be for; an item for everyone is one that every station takes.
        flat: whether only the newest point is shown, whatever the size of the window.
    """

    sifts = False
    settles = False

    def __init__(self, *scopes: Scope, flat: bool = False) -> None:
        self.scopes = scopes or (Scope.STATION,)
        self._flat = flat

    def items(self, raw_data: Any) -> list[Any]:
        """Return the item, or the items of a list."""
        return raw_data if isinstance(raw_data, list) else [raw_data]

    def sift(self, message: Message) -> None:
        """Leave every item."""

    def columns(self, topic: TopicSettings) -> tuple[str, ...]:
        """Return every configured field but the station's, which every input carries."""
        return tuple(field for field in topic.fields if field != STATION_KEY)

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function to the configured values of one item; other keys are left out."""
        return picker(self.columns(topic))

    def store(self, topic: TopicSettings) -> Store:
        """Return a window, or room for the newest point where that is all."""
        if topic.window_size == 1:
            return Latest()
        return Window(len(self.columns(topic)), topic.window_size)

    def adapted(self, store: Any, before: TopicSettings, after: TopicSettings) -> Store:
        """Return a store with the newest points, None where a column is new."""
        if self.columns(before) != self.columns(after) or before.fields != after.fields:
            change = self._change(before, after)
            if isinstance(store, Window):
                store = store.changed(len(self.columns(after)), change)
            elif len(store):
                store = store.changed(change(store.view().newest))
        return _sized(store, len(self.columns(after)), after.window_size)

    def shown(self, column: str, topic: TopicSettings) -> Shown:
        """Return the newest value, and the series where there is more than one point."""
        return Shown.POINT if self._flat or topic.window_size == 1 else Shown.BOTH

    def points(self, station_id: str, topic: TopicSettings, view: View) -> list[Any]:
        """Return every point as a dict of its configured fields."""
        columns = self.columns(topic)
        begin = {STATION_KEY: station_id} if STATION_KEY in topic.fields else {}
        return [{**begin, **dict(zip(columns, row, strict=True))} for row in view.rows()]

    def _change(
        self, before: TopicSettings, after: TopicSettings
    ) -> Callable[[Sequence[Any]], Sequence[Any]]:
        """Return the function from a row of the one configuration to one of the other."""
        old, new = self.columns(before), self.columns(after)
        places = [_place(old, name) for name in new]
        return lambda row: [None if at is None else row[at] for at in places]


def _place(columns: Sequence[str], name: str) -> int | None:
    for spelling in (name, *SPELLINGS.get(name, ())):
        if spelling in columns:
            return columns.index(spelling)
    return None


def _sized(store: Any, columns: int, size: int) -> Store:
    """Return a store of another size with the newest points of this one."""
    if isinstance(store, Window):
        if size > 1:
            return store if store.size == size else store.resized(size)
        latest = Latest()
        if len(store):
            latest.add(store.view().newest, store.times()[-1], store.arrived_at)
        return latest
    if size == 1:
        assert isinstance(store, Latest)
        return store
    window = Window(columns, size)
    if len(store):
        window.add(store.view().newest, store.time, store.arrived_at)
    return window
