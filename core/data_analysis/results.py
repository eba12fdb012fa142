"""What a callback returned, as the bytes that go to Kafka."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

_WITH_ANY_KEYS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def write_result(station_id: str, module: str, output: Any, timestamp: float) -> bytes:
    """Return the value of a MODULE-OUTPUT record.

    Arrays become lists, pandas objects lists or dicts of lists, NaN and infinities null.

    Args:
        timestamp: epoch seconds.

    Raises:
        TypeError: something in `output` cannot be written as JSON.
    """
    try:
        # Most results have texts for keys, which is written in half the time.
        written = orjson.dumps(output, _plain, orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        written = orjson.dumps(output, _plain, _WITH_ANY_KEYS)
    return b'{"station_id":%b,"module":%b,"output":%b,"timestamp":%b}' % (
        orjson.dumps(station_id),
        _text(module),
        written,
        _number(timestamp),
    )


def result_writer(module: str, timestamp: float) -> Callable[[str, Any], bytes]:
    """Return `write_result` for results of one module and time."""
    middle = b',"module":%b,"output":' % orjson.dumps(module)
    end = b',"timestamp":%b}' % orjson.dumps(float(timestamp))
    dumps = orjson.dumps

    def write(station_id: str, output: Any) -> bytes:
        try:
            # Most results have texts for keys, which is written in half the time.
            written = dumps(output, _plain, orjson.OPT_SERIALIZE_NUMPY)
        except TypeError:
            written = dumps(output, _plain, _WITH_ANY_KEYS)
        return b'{"station_id":%b%b%b%b' % (dumps(station_id), middle, written, end)

    return write


@lru_cache(maxsize=64)
def _text(text: str) -> bytes:
    return orjson.dumps(text)


@lru_cache(maxsize=64)
def _number(number: float) -> bytes:
    return orjson.dumps(float(number))


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_dict"):
        return value.to_dict("list")
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
