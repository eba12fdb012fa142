"""The wire: bytes to JSON to envelope to what is meant for which station.

Whatever the bytes are, the answer is a `Message`: the good items and the reasons for those that are
not. Nothing is raised and nothing is stored. What a topic does with an item is in
`data_analysis.topics`.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import orjson

DEEPEST_NESTING = 64
"""Levels of lists and objects in a record; deeper ones are refused, for callers recurse."""

LARGEST_VALUE_BYTES = 16 * 1024 * 1024
LONGEST_ID_CHARACTERS = 256
CALENDAR_KEY = "calendar"
STATION_KEY = "stationId"

ENVELOPES = {
    "realTimeData": STATION_KEY,
    "fee": STATION_KEY,
    "weather": STATION_KEY,
    "photovoltaicMessage": STATION_KEY,
    "results": "station_id",
}
"""Objects that wrap a list of items, and the key that names the station of an item."""

SORTED_ENVELOPES = ("realTimeData", "fee")
"""Those whose items come in any order, and go on by `sendTime`: local time as text, whose order is
the order of time."""


class Scope(Enum):
    """Whom an item is for."""

    STATION = "station"
    EVERYONE = "everyone"


class Reason(Enum):
    """Why a record, or an item of it, is not used."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_A_NUMBER = "not_a_number"
    TOO_DEEP = "too_deep"
    WRONG_ENVELOPE = "wrong_envelope"
    NO_STATION = "no_station"
    BAD_ID = "bad_id"
    BAD_ITEM = "bad_item"


@dataclass(slots=True)
class Message:
    """What a record says.

    `stations` maps station ids, in the order of the record, to their items; `everyone` is an item
    for all stations; `reasons` says what was refused, one entry per record or item.
    """

    stations: dict[str, list[Any]] = field(default_factory=dict)
    everyone: Any = None
    reasons: list[Reason] = field(default_factory=list)


def read_message(value: bytes | None, scopes: tuple[Scope, ...]) -> Message:
    """Take a record's value apart.

    Args:
        value: the bytes of the record, None for a tombstone.
        scopes: whom records of this topic may be for.
    """
    message = Message()
    if not value:
        message.reasons.append(Reason.EMPTY)
    elif len(value) > LARGEST_VALUE_BYTES:
        message.reasons.append(Reason.TOO_LARGE)
    else:
        try:
            content = orjson.loads(value)
        except orjson.JSONDecodeError:
            message.reasons.append(_why_not_json(value))
        else:
            if _too_deep(value, content):
                message.reasons.append(Reason.TOO_DEEP)
            else:
                _open(content, scopes, message)
    return message


def _why_not_json(value: bytes) -> Reason:
    if b"NaN" in value or b"Infinity" in value:
        return Reason.NOT_A_NUMBER
    # The parser's own limit on nesting is far above ours.
    if value.count(b"[") + value.count(b"{") > 1000:
        return Reason.TOO_DEEP
    return Reason.NOT_JSON


def _too_deep(value: bytes, content: Any) -> bool:
    if value.count(b"[") + value.count(b"{") <= DEEPEST_NESTING:
        return False
    level = [content]
    for _ in range(DEEPEST_NESTING):
        level = [
            child
            for parent in level
            if type(parent) is dict or type(parent) is list
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _open(content: Any, scopes: tuple[Scope, ...], message: Message) -> None:
    if Scope.STATION in scopes:
        if type(content) is list:
            _take_all(content, STATION_KEY, message)
            return
        if type(content) is dict:
            for key, station_key in ENVELOPES.items():
                if type(content.get(key)) is list:
                    _take_all(content[key], station_key, message)
                    if key in SORTED_ENVELOPES:
                        for items in message.stations.values():
                            items.sort(key=_send_time)
                    return
            if STATION_KEY in content:
                _take(content, STATION_KEY, message)
                return
    if not content and type(content) in (dict, list):
        message.reasons.append(Reason.EMPTY)
    elif type(content) is not dict:
        message.reasons.append(Reason.WRONG_ENVELOPE)
    elif type(content.get(CALENDAR_KEY)) is list and Scope.EVERYONE in scopes:
        days = content[CALENDAR_KEY]
        bad = sum(type(day) is not dict for day in days)
        message.reasons.extend([Reason.BAD_ITEM] * bad if days else [Reason.EMPTY])
        if len(days) > bad:
            message.everyone = content
    elif Scope.STATION in scopes and CALENDAR_KEY not in content:
        message.reasons.append(Reason.NO_STATION)
    else:
        message.reasons.append(Reason.WRONG_ENVELOPE)


def _send_time(item: dict[str, Any]) -> str:
    time = item.get("sendTime")
    return time if isinstance(time, str) else ""


def _take_all(items: list[Any], station_key: str, message: Message) -> None:
    if not items:
        message.reasons.append(Reason.EMPTY)
    for item in items:
        if type(item) is dict:
            _take(item, station_key, message)
        else:
            message.reasons.append(Reason.BAD_ITEM)


def _take(item: dict[str, Any], station_key: str, message: Message) -> None:
    station = item.get(station_key)
    if type(station) is int:
        station = str(station)
    if type(station) is str and 0 < len(station) <= LONGEST_ID_CHARACTERS:
        if station in message.stations:
            message.stations[station].append(item)
        else:
            message.stations[station] = [item]
    elif station is None or station == "":
        message.reasons.append(Reason.NO_STATION)
    else:
        message.reasons.append(Reason.BAD_ID)
