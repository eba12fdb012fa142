"""What a callback returned, as the bytes that go to Kafka."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

_WITH_ANY_KEYS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def key_of(station_id: str) -> bytes:
    """Return the key of a station's results, which decides their partition."""
    return station_id.encode("utf-8", "replace")


def write_result(station_id: str, module: str, output: Any, timestamp: float) -> bytes:
    """Return the value of a MODULE-OUTPUT record.

    Arrays become lists, pandas objects lists or dicts of lists, NaN, infinities and what pandas
    has for missing values null.

    Args:
        timestamp: epoch seconds.

    Raises:
        TypeError: something in `output` cannot be written as JSON.
    """
    return result_writer(module, timestamp)(station_id, output)


def result_writer(module: str, timestamp: float) -> Callable[[str, Any], bytes]:
    """Return `write_result` for results of one module and time."""
    middle = b',"module":%b,"output":' % orjson.dumps(module)
    end = b',"timestamp":%b}' % orjson.dumps(float(timestamp))
    dumps, plain, option = orjson.dumps, _plain, orjson.OPT_SERIALIZE_NUMPY

    def write(station_id: str, output: Any) -> bytes:
        try:
            # Most results have texts for keys, which is written in half the time.
            written = dumps(output, plain, option)
        except TypeError:
            written = _written_with_any_keys(output)
        return b'{"station_id":%b%b%b%b' % (dumps(station_id), middle, written, end)

    return write


def _written_with_any_keys(output: Any) -> bytes:
    try:
        return orjson.dumps(_with_plain_keys(output), _plain, _WITH_ANY_KEYS)
    except RecursionError:
        raise TypeError("cannot write what is in itself, or nested as deep, as JSON") from None


def _with_plain_keys(value: Any) -> Any:
    """Return dicts, at any depth of dicts and lists, with Python's own values for keys."""
    if isinstance(value, dict):
        return {_plain_key(key): _with_plain_keys(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return [_with_plain_keys(each) for each in value]
    return value


def _plain_key(key: Any) -> Any:
    if isinstance(key, datetime):
        return key.isoformat()
    return key.tolist() if hasattr(key, "tolist") else key


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):  # of pandas, as its NaT is, which does not equal itself
        return value.isoformat() if value == value else None
    if type(value).__name__ == "NAType":
        return None
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_dict"):
        return value.to_dict("list")
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
