"""The general family: one dict per station and record, one column per configured field."""

from collections.abc import Sequence
from typing import Any

from data_analysis.messages import Scope

STATION_FIELD = "stationId"
"""Known without a column: every input carries it."""


class GeneralTopic:
    """REAL-STATION-DATA, and every topic of the user's own.

    Args:
        everyone: whether a record may be for all stations (`{"calendar": [...]}`); then it is one
            payload that every station's window takes.
    """

    flat = False

    def __init__(self, *, everyone: bool) -> None:
        self.scopes: tuple[Scope, ...] = (
            (Scope.STATION, Scope.EVERYONE) if everyone else (Scope.STATION,)
        )

    def payloads(self, items: list[Any]) -> list[Any]:
        """Return every item: each is a point."""
        return items

    def columns(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Return every configured field but the station's."""
        return tuple(field for field in fields if field != STATION_FIELD)

    def row(self, payload: Any, fields: Sequence[str]) -> Sequence[Any]:
        """Return the configured values of one item; other keys are left out."""
        return [payload.get(field) for field in fields if field != STATION_FIELD]

    def point(self, station_id: str, fields: Sequence[str], row: Sequence[Any]) -> Any:
        """Return the item as a dict of its configured fields."""
        shown = dict(zip(self.columns(fields), row, strict=True))
        return {STATION_FIELD: station_id, **shown} if STATION_FIELD in fields else shown
