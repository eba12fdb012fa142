"""The wire: bytes to JSON to envelope to what is meant for which station.

Whatever the bytes are, the answer is a `Message`: the good items and the reasons for those that are
not. Nothing is raised and nothing is stored. What a topic does with an item is in
`data_analysis.topics`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from operator import itemgetter, le
from typing import Any

import orjson

from data_analysis.refusals import (
    DEEPEST_NESTING,
    Reason,
    flaw_of,
    looks_shallow,
    read_leniently,
    too_deep,
)

LARGEST_VALUE_BYTES = 16 * 1024 * 1024
LONGEST_ID_CHARACTERS = 256
CALENDAR_KEY = "calendar"
STATION_KEY = "stationId"
_SEND_TIME = "sendTime"
_LIST = ord("[")
RESULT_STATION_KEY = "station_id"
"""The key of the station in results of modules, where `stationId` is accepted too."""

OUTPUT_KEY = "output"
RESULTS_KEYS = ("results", "stations")
"""Keys of the results of a batch, a list of results or a dict of station to output."""

ENVELOPES = {
    "realTimeData": STATION_KEY,
    "fee": STATION_KEY,
    "weather": STATION_KEY,
    "photovoltaicMessage": STATION_KEY,
    "results": RESULT_STATION_KEY,
}
"""Objects that wrap a list of items, and the key that names the station of an item."""

_WRAPPED = frozenset(ENVELOPES)

SORTED_ENVELOPES = ("realTimeData", "fee")
"""Those whose items come in any order, and go on by `sendTime`: local time as text, whose order is
the order of time."""


class Scope(Enum):
    """Whom an item is for."""

    STATION = "station"
    EVERYONE = "everyone"
    RESULT = "result"
    """One or many stations, as a module's results are sent."""


@dataclass(slots=True)
class Message:
    """What a record says.

    `stations` maps station ids, in the order of the record, to their items; `everyone` is an item
    for all stations; `reasons` says what was refused, one entry per record or item. `listed` are
    the items of a record that is a list, in its order, with those that were refused. `flat` says
    for sure that no item holds lists or dicts.
    """

    stations: dict[str, list[Any]] = field(default_factory=dict)
    everyone: Any = None
    reasons: list[Reason] = field(default_factory=list)
    listed: list[Any] | None = None
    flat: bool = False

    def sift(self, refusal: Callable[[Any], Reason | None]) -> None:
        """Leave the items, and the stations, that `refusal` has no reason against."""
        for station_id, items in list(self.stations.items()):
            reasons = [refusal(item) for item in items]
            refused = [reason for reason in reasons if reason is not None]
            if refused:
                self.reasons.extend(refused)
                kept = [item for item, reason in zip(items, reasons, strict=True) if reason is None]
                if kept:
                    self.stations[station_id] = kept
                else:
                    del self.stations[station_id]


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
            _rescue(value, scopes, message)
        else:
            levels = _open(content, scopes, message)
            message.flat = _holds_flat_items(value, levels, message)
            if not message.flat and not looks_shallow(value) and too_deep(content):
                _sift(message, DEEPEST_NESTING - levels)
    return message


def read_single(value: bytes | None) -> tuple[str, Any] | None:
    """Take apart, quickly, what most records are: one flat item of one station.

    None for whatever else it may be: `read_message` knows.
    """
    # Without a list there is no envelope; without a second object nothing is nested.
    if not value or value.rfind(b"{") or _LIST in value or len(value) > LARGEST_VALUE_BYTES:
        return None
    try:
        item = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    station = item.get(STATION_KEY)
    if type(station) is str and 0 < len(station) <= LONGEST_ID_CHARACTERS:
        return station, item
    return None


def _holds_flat_items(value: bytes, levels: int, message: Message) -> bool:
    """Return whether a list is the only one, and its items and what wraps it the only objects.

    Brackets in texts make it false.
    """
    if message.listed is None or message.reasons:
        return False
    first = value.find(b"[")
    return value.find(b"[", first + 1) < 0 and value.count(b"{") == len(message.listed) + levels - 1


def _rescue(value: bytes, scopes: tuple[Scope, ...], message: Message) -> None:
    """Use the good items of a record that the strict parser refuses."""
    try:
        content = read_leniently(value)
    except RecursionError:
        message.reasons.append(Reason.TOO_DEEP)
    except ValueError:
        message.reasons.append(Reason.NOT_JSON)
    else:
        levels = _open(content, scopes, message)
        _sift(message, DEEPEST_NESTING - levels)


def _sift(message: Message, levels: int) -> None:
    """Look into every item; `levels` is how deep one may be nested."""
    message.sift(lambda item: flaw_of(item, levels))
    flawed = [station_id for station_id in message.stations if flaw_of(station_id, 1)]
    for station_id in flawed:
        del message.stations[station_id]
        message.reasons.append(Reason.BAD_TEXT)
    if message.everyone is not None:
        flaws = [flaw_of(day, levels) for day in message.everyone[CALENDAR_KEY]]
        days = zip(message.everyone[CALENDAR_KEY], flaws, strict=True)
        message.reasons.extend(flaw for flaw in flaws if flaw is not None)
        message.everyone = {
            **message.everyone,
            CALENDAR_KEY: [day for day, flaw in days if flaw is None],
        }
        flaw = flaw_of(message.everyone, levels + 1)
        if flaw is not None:
            message.reasons.append(flaw)
        if flaw is not None or not message.everyone[CALENDAR_KEY]:
            message.everyone = None


def _open(content: Any, scopes: tuple[Scope, ...], message: Message) -> int:
    """Find the items; return how many levels of lists and dicts are around each."""
    if not content and type(content) in (dict, list):
        message.reasons.append(Reason.EMPTY)
    elif Scope.RESULT in scopes:
        return _open_results(content, message)
    elif Scope.STATION in scopes and type(content) is list:
        _take_all(content, STATION_KEY, message)
        return 1
    elif type(content) is not dict:
        message.reasons.append(Reason.WRONG_ENVELOPE)
    elif Scope.STATION in scopes and (key := _wrapping(content)) is not None:
        _take_all(content[key], ENVELOPES[key], message)
        if key in SORTED_ENVELOPES and not _in_time(content[key]):
            for items in message.stations.values():
                items.sort(key=_send_time)
        return 2
    elif Scope.STATION in scopes and STATION_KEY in content:
        _take(content, STATION_KEY, message)
    elif Scope.EVERYONE in scopes and type(content.get(CALENDAR_KEY)) is list:
        _take_days(content, message)
        return 2
    elif Scope.STATION in scopes and CALENDAR_KEY not in content:
        message.reasons.append(Reason.NO_STATION)
    else:
        message.reasons.append(Reason.WRONG_ENVELOPE)
    return 0


def _wrapping(content: dict[str, Any]) -> str | None:
    """Return the key of the list of items in an object that wraps one."""
    if not _WRAPPED.isdisjoint(content):
        for key in ENVELOPES:
            if type(content.get(key)) is list:
                return key
    return None


def _open_results(content: Any, message: Message) -> int:
    if type(content) is list:
        _take_all(content, RESULT_STATION_KEY, message)
        return 1
    if type(content) is not dict:
        message.reasons.append(Reason.WRONG_ENVELOPE)
        return 0
    for key in RESULTS_KEYS:
        results = content.get(key)
        if type(results) is dict:
            made = [
                {RESULT_STATION_KEY: station, OUTPUT_KEY: output}
                for station, output in results.items()
            ]
            _take_all(made, RESULT_STATION_KEY, message)
            message.listed = None
            return 2
        if type(results) is list:
            _take_all(results, RESULT_STATION_KEY, message)
            return 2
    _take(content, RESULT_STATION_KEY, message)
    return 0


def _take_days(content: dict[str, Any], message: Message) -> None:
    days = content[CALENDAR_KEY]
    good = [day for day in days if type(day) is dict]
    message.reasons.extend([Reason.BAD_ITEM] * (len(days) - len(good)) if days else [Reason.EMPTY])
    if good:
        message.everyone = content if len(good) == len(days) else {**content, CALENDAR_KEY: good}


def _in_time(items: list[Any]) -> bool:
    """Return whether items come with texts as times, in their order: they are sorted already."""
    try:
        times = [*map(itemgetter(_SEND_TIME), items)]
    except (KeyError, TypeError):
        return False
    return set(map(type, times)) == {str} and all(map(le, times, islice(times, 1, None)))


def _send_time(item: dict[str, Any]) -> str:
    time = item.get(_SEND_TIME)
    return time if isinstance(time, str) else ""


def _take_all(items: list[Any], station_key: str, message: Message) -> None:
    if not items:
        message.reasons.append(Reason.EMPTY)
    message.listed = items
    known = message.stations
    for item in items:
        if type(item) is dict:
            station = item.get(station_key)
            if type(station) is str and station in known:
                known[station].append(item)
            elif type(station) is str and 0 < len(station) <= LONGEST_ID_CHARACTERS:
                known[station] = [item]
            else:
                _take(item, station_key, message)
        else:
            message.reasons.append(Reason.BAD_ITEM)


def _take(item: dict[str, Any], station_key: str, message: Message) -> None:
    station = item.get(station_key)
    if station is None:
        station = item.get(STATION_KEY)
    if type(station) is int:
        station = str(station)
        if station_key == STATION_KEY:
            item[STATION_KEY] = station
    if type(station) is str and 0 < len(station) <= LONGEST_ID_CHARACTERS:
        if station in message.stations:
            message.stations[station].append(item)
        else:
            message.stations[station] = [item]
    elif station is None or station == "":
        message.reasons.append(Reason.NO_STATION)
    else:
        message.reasons.append(Reason.BAD_ID)
