"""What a callback returned, as the bytes that go to Kafka."""

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
    value = {
        "station_id": station_id,
        "module": module,
        "output": output,
        "timestamp": float(timestamp),
    }
    try:
        # Most results have texts for keys, which is written in half the time.
        return orjson.dumps(value, _plain, orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        return orjson.dumps(value, _plain, _WITH_ANY_KEYS)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_dict"):
        return value.to_dict("list")
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
