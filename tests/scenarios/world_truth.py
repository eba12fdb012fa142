"""What a service must know of the world: the sent records, read and assembled the obvious way.

The wire is read anew here, by the standard library; nothing of the service is used. Inputs are put
together by `tests.core.naive_inputs`.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from data_analysis import config
from station_sim.streams.ledger import Entry
from tests.core.naive_inputs import CALENDAR, PREFIX, NaiveInputs

GUN = "SCHEDULE-DEVICE-GUN"
LISTED = "SCHEDULE-STATION-PARAM"
ENVELOPES = {
    "SCHEDULE-STATION-REALTIME-DATA": "realTimeData",
    "SCHEDULE-CAR-PRICE": "fee",
    "SCHEDULE-ENVIRONMENT-WEATHER": "weather",
    "SCHEDULE-DEVICE-PV": "photovoltaicMessage",
}
EVERYONE = "everyone"
Items = dict[str, list[Any]]


def read(topic: str, wire: bytes) -> tuple[Items, list[str]]:
    """The items of each station in a record, and why some or all of it cannot be used."""
    try:
        content = json.loads(wire.decode())
    except ValueError:
        return {}, ["not_json"]
    if not content:
        return {}, ["empty"]
    if topic == CALENDAR:
        days = content.get("calendar")
        return ({EVERYONE: days}, []) if days else ({}, ["wrong_envelope"])
    items: Items = {}
    reasons = []
    for item in _items(topic, content):
        station = item.get("station_id" if topic.startswith(PREFIX) else "stationId")
        if station is None:
            reasons.append("no_station")
        else:
            items.setdefault(station, []).append(item)
    return items, reasons


def _items(topic: str, content: Any) -> list[Any]:
    """What is in a record's envelope; an object in another envelope is an item of nobody."""
    if isinstance(content, list):
        return content
    envelope = "results" if topic.startswith(PREFIX) else ENVELOPES.get(topic)
    found: list[Any] = content.get(envelope, [content])
    return found


class Truth:
    """All records that Kafka took so far, and what they tell a service with the default settings.

    `reasons` counts refused records and items, `spoilt` has the records of which nothing or not
    all can be used.
    """

    def __init__(self, expire_s: float) -> None:
        self.reasons: Counter[str] = Counter()
        self.spoilt: list[Entry] = []
        self.sent: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.calendars = 0
        self._inputs = NaiveInputs(config.TOPIC_DETAIL, config.MODULE_DEPENDENCIES, expire_s)

    def take(self, entries: Iterable[Entry], now: float) -> None:
        """Take records, those of each partition in its order, that arrive at `now`."""
        for entry in entries:
            items, reasons = read(entry.topic, entry.wire)
            self.sent[entry.topic] += 1
            self.reasons.update(reasons)
            if reasons:
                self.spoilt.append(entry)
            if items:
                self._inputs.put(entry.topic, items, entry.timestamp_ms / 1000, now)
            if entry.topic == CALENDAR:
                self.calendars += bool(items)
            elif entry.topic != GUN:
                self.calls.update(items.keys())

    def all_inputs(self, station: str, now: float) -> dict[str, Any]:
        """`{module: input}` of a station."""
        return self._inputs.all_inputs(station, now)

    def available(self, station: str, now: float) -> dict[str, list[str]]:
        """Each module's topics of which something was delivered that has not expired."""
        return {
            module: given["_data_quality"]["available_topics"]
            for module, given in self.all_inputs(station, now).items()
        }

    def guns(self, station: str, now: float) -> list[dict[str, Any]]:
        """The window of the topic that no module uses."""
        _, fields = self._inputs._fields(station, GUN, now)
        return [{"stationId": station, **fields}] if fields["status"] is not None else []
