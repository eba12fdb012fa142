"""One topic as it is configured, with everything its records need looked up once."""

from collections.abc import Callable
from math import inf
from typing import Any

from data_analysis.messages import Message
from data_analysis.settings import TopicSettings
from data_analysis.topics import TopicFamily, family_of


class Feed:
    """A topic's settings, family and the functions that both make.

    `row` is the function from a payload to a row, `store` makes an empty store, `sift` refuses
    items, None where every item is good; `limit_s` is the age at which data expires.
    """

    __slots__ = ("family", "limit_s", "row", "settings", "settles", "sift", "store")

    def __init__(self, settings: TopicSettings, expire_seconds: float) -> None:
        family: TopicFamily = family_of(settings)
        limit = settings.expire_seconds
        self.settings = settings
        self.family = family
        self.row = family.reader(settings)
        self.store: Callable[[], Any] = lambda: family.store(settings)
        self.sift: Callable[[Message], None] | None = family.sift if family.sifts else None
        self.settles = family.settles
        self.limit_s = expire_seconds if isinstance(limit, str) else inf if limit is None else limit

    def adapted(self, store: Any, before: "Feed") -> Any:
        """Return what fits these settings of a store made by other ones; None if nothing does."""
        if self.family is not before.family:
            return None
        if self.settings == before.settings:
            return store
        return self.family.adapted(store, before.settings, self.settings)
