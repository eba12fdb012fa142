"""What a topic family must answer. No family lives here."""

from collections.abc import Sequence
from typing import Any, Protocol

from data_analysis.messages import Scope


class TopicFamily(Protocol):
    """How one kind of topic stores its payloads."""

    scopes: tuple[Scope, ...]
    """Whom a record may be for: one station, everyone, or either."""

    flat: bool
    """True where only the newest point is shown, whatever the size of the window."""

    def payloads(self, items: list[Any]) -> list[Any]:
        """Return what one record's items of one station put into the window, in order."""

    def columns(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the columns that the configured fields become."""

    def row(self, payload: Any, fields: Sequence[str]) -> Sequence[Any]:
        """Return the values of one payload, one per column; missing keys are None."""

    def point(self, station_id: str, fields: Sequence[str], row: Sequence[Any]) -> Any:
        """Return one stored row as `get_topic_window` shows it."""
