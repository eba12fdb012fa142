"""Requests with random contents, of any kind and version, made by their schemas."""

import random
import string
import uuid
from typing import Any

_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}


def random_request(request_class: Any, version: int, rng: random.Random) -> Any:
    """A request with every field of the version filled, null where that is allowed."""
    return request_class(**_fields(request_class, version, rng))


def _fields(holder: Any, version: int, rng: random.Random) -> dict[str, Any]:
    return {
        name: _value(holder, field, version, rng)
        for name, field in holder.fields.items()
        if field.for_version_q(version)
    }


def _value(holder: Any, field: Any, version: int, rng: random.Random) -> Any:
    if field.nullable_for_version_q(version) and rng.random() < 0.3:
        return None
    if field.is_array():
        return [_element(holder, field, version, rng) for _ in range(rng.randrange(4))]
    if field.is_struct():
        element = getattr(holder, field.type_str)
        return element(**_fields(element, version, rng))
    return _simple(field.type_str, rng)


def _element(holder: Any, field: Any, version: int, rng: random.Random) -> Any:
    if not field.is_struct_array():
        return _simple(field.type_str.removeprefix("[]"), rng)
    element = getattr(holder, field.type_str)
    return element(**_fields(element, version, rng))


def _simple(kind: str, rng: random.Random) -> Any:
    if kind in _BITS:
        return rng.getrandbits(_BITS[kind]) - (1 << _BITS[kind] - 1)
    if kind == "string":
        return "".join(rng.choices(string.ascii_letters + "äß€", k=rng.choice((0, 3, 200))))
    if kind in ("bytes", "records"):
        return rng.randbytes(rng.choice((0, 5, 300)))
    if kind == "uuid":
        return uuid.UUID(bytes=rng.randbytes(16))
    return {"bool": rng.random() < 0.5, "uint16": rng.getrandbits(16), "float64": rng.random()}[
        kind
    ]
