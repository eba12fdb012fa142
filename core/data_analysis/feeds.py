"""One topic as it is configured, with everything its records need looked up once."""

from collections.abc import Callable
from math import inf
from typing import Any

from data_analysis.messages import Message
from data_analysis.rows import MOST_ROWS, RowWindow
from data_analysis.settings import TopicSettings
from data_analysis.topics import TopicFamily, family_of
from data_analysis.topics.general import GeneralTopic
from data_analysis.windows import Window


class Feed:
    """A topic's settings, family and the functions that both make.

    `row` is the function from a payload to a row, `store` makes an empty store, `sift` refuses
    items, None where every item is good; `limit_s` is the age at which data expires. `single` is
    true where most records are one flat item of one station.

    Args:
        settings: of the topic.
        expire_seconds: age of expiry where the topic does not say.
        form: how windows are mostly read: small ones that become lists are kept as rows.
    """

    __slots__ = (
        "_as_rows",
        "family",
        "limit_s",
        "name",
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
        small = 1 < settings.window_size <= MOST_ROWS
        self._as_rows = self.single and small and form == "list"
        self.store: Callable[[], Any] = (
            (lambda: RowWindow(settings.window_size))
            if self._as_rows
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
        if isinstance(store, RowWindow):
            store = store.in_columns(len(before.family.columns(before.settings)))
        store = self.family.adapted(store, before.settings, self.settings)
        return RowWindow.of(store) if self._as_rows and isinstance(store, Window) else store
