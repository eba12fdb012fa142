"""SCHEDULE-ENVIRONMENT-CALENDAR: holidays and weekends, the same for every station."""

from collections.abc import Callable, Sequence
from typing import Any

from data_analysis.messages import CALENDAR_KEY, Scope
from data_analysis.settings import TopicSettings
from data_analysis.stores import View
from data_analysis.topics.general import GeneralTopic


class CalendarTopic(GeneralTopic):
    """One calendar, shown as parallel lists, one per configured field."""

    def __init__(self) -> None:
        super().__init__(Scope.EVERYONE)

    def items(self, raw_data: Any) -> list[Any]:
        """Return the calendar, which may come as the list of its days, or as its only day."""
        if isinstance(raw_data, dict) and raw_data and CALENDAR_KEY not in raw_data:
            raw_data = [raw_data]
        return [{CALENDAR_KEY: raw_data} if isinstance(raw_data, list) else raw_data]

    def columns(self, topic: TopicSettings) -> tuple[str, ...]:
        """Return every configured field."""
        return topic.fields

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function to one list per field, one value per day as on the wire."""
        fields = topic.fields

        def read(payload: dict[str, Any]) -> Sequence[Any]:
            days = payload.get(CALENDAR_KEY)
            days = [day for day in days if type(day) is dict] if type(days) is list else []
            return [[day.get(field) for day in days] for field in fields]

        return read

    def points(self, station_id: str, topic: TopicSettings, view: View) -> list[Any]:
        """Return every calendar as parallel lists."""
        return [dict(zip(topic.fields, row, strict=True)) for row in view.rows()]
