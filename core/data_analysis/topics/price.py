"""SCHEDULE-CAR-PRICE: one tariff per station, shown as one dict `car_price`."""

from collections.abc import Callable, Sequence
from typing import Any

from data_analysis.messages import Message
from data_analysis.refusals import Reason
from data_analysis.settings import TopicSettings
from data_analysis.stores import View
from data_analysis.topics.general import GeneralTopic
from data_analysis.topics.spellings import picker
from data_analysis.topics.times import SEND_TIME_KEY, local_seconds

HALF_HOURS = 48
CODES_FIELD = "feeNo"
CODE_KEYS = tuple(f"{CODES_FIELD}{number}" for number in range(1, HALF_HOURS + 1))
"""`feeNo1` (00:00 to 00:30) to `feeNo48`: 00 sharp, 01 peak, 02 flat, 03 valley, 04 other."""


class PriceTopic(GeneralTopic):
    """Of a record's tariffs of one station the newest counts; its 48 codes become `feeNo`."""

    sifts = True

    def sift(self, message: Message) -> None:
        """Leave the tariff with the newest sendTime, the last of equals; one without is oldest."""
        message.sift(_impossible)
        for station_id, items in message.stations.items():
            if len(items) > 1:
                # `max` takes the first of equals.
                message.stations[station_id] = [max(reversed(items), key=_age)]

    def columns(self, topic: TopicSettings) -> tuple[str, ...]:
        """Return the one column."""
        return ("car_price",)

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function to the tariff as a dict of the configured fields."""
        fields = topic.fields
        pick = picker(fields)
        pick_codes = picker(CODE_KEYS)
        codes = CODES_FIELD in fields

        def read(payload: dict[str, Any]) -> Sequence[Any]:
            price = dict(zip(fields, pick(payload), strict=True))
            if codes and CODES_FIELD not in payload:
                price[CODES_FIELD] = list(pick_codes(payload))
            return (price,)

        return read

    def points(self, station_id: str, topic: TopicSettings, view: View) -> list[Any]:
        """Return the tariffs."""
        return [row[0] for row in view.rows()]

    def _change(
        self, before: TopicSettings, after: TopicSettings
    ) -> Callable[[Sequence[Any]], Sequence[Any]]:
        pick = picker(after.fields)
        return lambda row: (dict(zip(after.fields, pick(row[0]), strict=True)),)


def _impossible(item: dict[str, Any]) -> Reason | None:
    time = item.get(SEND_TIME_KEY)
    return None if time is None or local_seconds(time) is not None else Reason.BAD_TIME


def _age(item: dict[str, Any]) -> int:
    time = local_seconds(item.get(SEND_TIME_KEY))
    return -1 if time is None else time
