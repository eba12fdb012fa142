"""SCHEDULE-ENVIRONMENT-CALENDAR: holidays and weekends, the same for every station."""

from collections.abc import Sequence
from typing import Any

from data_analysis.messages import CALENDAR_KEY, Scope


class CalendarTopic:
    """One calendar, shown as parallel lists, one per configured field."""

    scopes: tuple[Scope, ...] = (Scope.EVERYONE,)
    flat = False

    def payloads(self, items: list[Any]) -> list[Any]:
        """Return the calendars as they came."""
        return items

    def columns(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Return every configured field."""
        return tuple(fields)

    def row(self, payload: Any, fields: Sequence[str]) -> Sequence[Any]:
        """Return one list per field, one value per day, in the order of the days on the wire."""
        days = [day for day in payload.get(CALENDAR_KEY, ()) if isinstance(day, dict)]
        return [[day.get(field) for day in days] for field in fields]

    def point(self, station_id: str, fields: Sequence[str], row: Sequence[Any]) -> Any:
        """Return the calendar as parallel lists."""
        return {field: list(values) for field, values in zip(fields, row, strict=True)}
