"""Why records and items are refused, and the look into one that is suspect.

Records that the strict parser refuses as a whole, although most of their items are good, are read
here once more, leniently: with NaN, infinities and lone surrogates, whose items are refused alone.
"""

import json
from enum import Enum
from math import isfinite
from typing import Any

DEEPEST_NESTING = 64
"""Levels of lists and objects in a record; deeper ones are refused, for callers recurse."""

_MOST_INTEGER_CHARACTERS = 20
"""Of what fits into 64 bits; longer integers become floats, as the strict parser makes them."""

_CONTAINERS = frozenset((dict, list))

_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))


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
    BAD_TEXT = "bad_text"
    BAD_TIME = "bad_time"
    NO_DEVICE = "no_device"


def read_leniently(value: bytes) -> Any:
    """Return what a record says, if it is JSON but for numbers and text that are none.

    Raises:
        ValueError: it is not.
        RecursionError: it is nested too deeply.
    """
    return json.loads(value.decode(), parse_int=_integer)


def looks_shallow(value: bytes, levels: int = DEEPEST_NESTING) -> bool:
    """Return whether JSON that can be parsed is nested in no more than `levels`, by its brackets.

    The larger a record, the more this saves against a look at its objects. False is no answer:
    texts may have brackets of their own.
    """
    if b"\\" in value:
        value = value.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Texts without brackets vanish; of those with some, a quote is left over.
    marks = value.translate(_ONE_KIND, _NO_MARKS).replace(b'""', b"")
    if len(marks) <= 2 * levels:
        return True
    if b'"' in marks:
        return False
    for _ in range(levels):
        marks = marks.replace(b"[]", b"")
        if not marks:
            return True
    return False


def too_deep(content: Any, levels: int = DEEPEST_NESTING) -> bool:
    """Return whether lists and dicts are nested in more than `levels`."""
    level = [content] if type(content) in _CONTAINERS else []
    for _ in range(levels):
        below: list[Any] = []
        for parent in level:
            children = parent.values() if type(parent) is dict else parent
            # Most lists hold numbers alone: one call, whatever their length.
            if not _CONTAINERS.isdisjoint(map(type, children)):
                below += [child for child in children if type(child) in _CONTAINERS]
        level = below
        if not level:
            break
    return bool(level)


def flaw_of(content: Any, levels: int) -> Reason | None:
    """Return why something that was read leniently cannot be used, None if it can."""
    if too_deep(content, levels):
        return Reason.TOO_DEEP
    waiting = [content]
    while waiting:
        each = waiting.pop()
        if type(each) is dict:
            waiting.extend(each)
            waiting.extend(each.values())
        elif type(each) is list:
            waiting.extend(each)
        elif type(each) is float and not isfinite(each):
            return Reason.NOT_A_NUMBER
        elif type(each) is str and not _encodable(each):
            return Reason.BAD_TEXT
    return None


def _integer(digits: str) -> int | float:
    if len(digits) <= _MOST_INTEGER_CHARACTERS and -(2**63) <= int(digits) < 2**64:
        return int(digits)
    return float(digits)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
