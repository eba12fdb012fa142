"""One topic as it is configured, with everything its records need looked up once."""

from collections.abc import Callable
from math import inf
from operator import itemgetter
from typing import Any

from data_analysis.flat_windows import LARGEST_SIZE, FlatWindow
from data_analysis.messages import Message
from data_analysis.settings import TopicSettings
from data_analysis.topics import TopicFamily, family_of
from data_analysis.topics.general import GeneralTopic
from data_analysis.topics.times import SEND_TIME_KEY
from data_analysis.windows import Window


class Feed:
    """A topic's settings, family and the functions that both make.

    `row` is the function from a payload to a row; `pick` does the same in one step where a payload
    has every field by its name, else it raises KeyError. `store` makes an empty store, `sift`
    refuses items, None where every item is good; `limit_s` is the age at which data expires.
    `single` is true where most records are one flat item of one station.

    Args:
        settings: of the topic.
        expire_seconds: age of expiry where the topic does not say.
        form: how windows are mostly read: small ones that become lists are kept in one list.
    """

    __slots__ = (
        "_flat",
        "_times_at",
        "family",
        "limit_s",
        "name",
        "pick",
        "row",
        "settings",
        "settles",
        "sift",
        "single",
        "store",
    )

    def __init__(self, settings: TopicSettings, expire_seconds: float, form: str) -> None:
        family: TopicFamily = family_of(settings)
        limit = settings.expire_seconds
        self.name = settings.name
        self.settings = settings
        self.family = family
        self.row = family.reader(settings)
        self.single = type(family) is GeneralTopic
        fields = family.columns(settings)
        columns = len(fields)
        self.pick: Callable[[Any], Any] = (
            itemgetter(*fields) if self.single and columns > 1 else self.row
        )
        self._times_at = fields.index(SEND_TIME_KEY) if SEND_TIME_KEY in fields else None
        small = 1 < settings.window_size <= LARGEST_SIZE
        self._flat = self.single and small and form == "list"
        self.store: Callable[[], Any] = (
            (lambda: FlatWindow(columns, settings.window_size, self._times_at))
            if self._flat
            else lambda: family.store(settings)
        )
        self.sift: Callable[[Message], None] | None = family.sift if family.sifts else None
        self.settles = family.settles
        self.limit_s = expire_seconds if isinstance(limit, str) else inf if limit is None else limit

    def adapted(self, store: Any, before: "Feed") -> Any:
        """Return what fits these settings of a store made by other ones; None if nothing does."""
        if self.family is not before.family:
            return None
        if self.settings == before.settings:
            return store
        if isinstance(store, FlatWindow):
            store = store.in_columns()
        store = self.family.adapted(store, before.settings, self.settings)
        if self._flat and isinstance(store, Window):
            return FlatWindow.of(store, self._times_at)
        return store
