"""How a record is spoilt: cut off, not JSON, in a wrong envelope, without its station, empty.

How often is `imperfections`'.
"""

from collections.abc import Callable
from typing import Any

import orjson


def spoil(value: bytes, draw: int) -> bytes:
    """The value spoilt in one of a few ways; `draw` is any number, and decides."""
    return SPOILS[draw % len(SPOILS)](value)


def _cut_off(value: bytes) -> bytes:
    return value[: max(1, len(value) // 2)]


def _not_json(value: bytes) -> bytes:
    return b"<html><body>502 Bad Gateway</body></html>"


def _not_utf8(value: bytes) -> bytes:
    return b"\xff\xfe" + value


def _empty_list(value: bytes) -> bytes:
    return b"[]"


def _empty(value: bytes) -> bytes:
    return b"{}"


def _wrong_envelope(value: bytes) -> bytes:
    return b'{"data":' + value + b"}"


def _without_station(value: bytes) -> bytes:
    found: Any = orjson.loads(value)
    return orjson.dumps(_stripped(found))


def _stripped(found: Any) -> Any:
    if isinstance(found, dict):
        names = ("stationId", "station_id")
        return {name: _stripped(each) for name, each in found.items() if name not in names}
    if isinstance(found, list):
        return [_stripped(each) for each in found]
    return found


SPOILS: tuple[Callable[[bytes], bytes], ...] = (
    _cut_off,
    _not_json,
    _not_utf8,
    _empty_list,
    _empty,
    _wrong_envelope,
    _without_station,
)
