"""Takes a sent record apart: its bytes in, one payload per station out.

The checker's own reading of the wire (wire-formats 5.1, 5.2, 5.4, 5.9), by the standard library's
JSON. A record that cannot be read belongs to nobody: nobody must be called for it.
"""

import json
from collections.abc import Iterator
from typing import Any

REAL = "REAL-STATION-DATA"
PARAM = "SCHEDULE-STATION-PARAM"
PRICE = "SCHEDULE-CAR-PRICE"
CALENDAR = "SCHEDULE-ENVIRONMENT-CALENDAR"

EVERYONE = "*"
"""Stands for the station of a record that belongs to all of them."""

TARIFF_CODES = tuple(f"feeNo{number}" for number in range(1, 49))
CALENDAR_COLUMNS = ("date", "isHoliday", "isWeekend")


def split(topic: str, value: bytes) -> list[tuple[str, dict[str, Any]]]:
    """`(station, payload)` for every station a record speaks of, in the record's own order."""
    try:
        body = json.loads(value)
    except ValueError:
        return []
    return list(_READERS.get(topic, _single)(body))


def _single(body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(body, dict) and isinstance(body.get("stationId"), str):
        yield body["stationId"], body


def _many(body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in body if isinstance(body, list) else []:
        yield from _single(item)


def _price(body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The newest tariff of each station, its 48 codes folded into the list `feeNo`."""
    newest: dict[str, dict[str, Any]] = {}
    for station, item in _many(body.get("fee") if isinstance(body, dict) else None):
        if station not in newest or _send_time(item) >= _send_time(newest[station]):
            newest[station] = item
    for station, item in newest.items():
        yield station, {**item, "feeNo": [item.get(code) for code in TARIFF_CODES]}


def _send_time(item: dict[str, Any]) -> str:
    """Local time as text: its order is the order of time."""
    return str(item.get("sendTime", ""))


def _calendar(body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    days = body.get("calendar") if isinstance(body, dict) else None
    if isinstance(days, list):
        yield EVERYONE, {name: [day.get(name) for day in days] for name in CALENDAR_COLUMNS}


_READERS = {REAL: _single, PARAM: _many, PRICE: _price, CALENDAR: _calendar}
