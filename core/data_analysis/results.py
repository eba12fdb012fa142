"""What a callback returned, as the bytes that go to Kafka."""

from typing import Any

import orjson

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


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
    return orjson.dumps(value, default=_plain, option=_OPTIONS)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_dict"):
        return value.to_dict("list")
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
