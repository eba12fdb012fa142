"""Requests with random contents, of any kind and version, made by their schemas."""

import random
import string
import uuid
from collections.abc import Sequence
from typing import Any

_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}


def random_request(
    request_class: Any, version: int, rng: random.Random, *, words: Sequence[str] = ()
) -> Any:
    """A request with every field of the version filled, null where that is allowed.

    Texts are often one of `words`, if there are any.
    """
    return _Making(version, rng, words).holder(request_class)


class _Making:
    def __init__(self, version: int, rng: random.Random, words: Sequence[str]) -> None:
        self._version = version
        self._rng = rng
        self._words = words

    def holder(self, holder: Any) -> Any:
        """One of a class, a request's or that of a structure in it."""
        return holder(
            **{
                name: self._value(holder, field)
                for name, field in holder.fields.items()
                if field.for_version_q(self._version)
            }
        )

    def _value(self, holder: Any, field: Any) -> Any:
        if field.nullable_for_version_q(self._version) and self._rng.random() < 0.3:
            return None
        if field.is_array():
            return [self._element(holder, field) for _ in range(self._rng.randrange(4))]
        if field.is_struct():
            return self.holder(getattr(holder, field.type_str))
        return self._simple(field.type_str)

    def _element(self, holder: Any, field: Any) -> Any:
        if field.is_struct_array():
            return self.holder(getattr(holder, field.type_str))
        return self._simple(field.type_str.removeprefix("[]"))

    def _simple(self, kind: str) -> Any:
        rng = self._rng
        if kind in _BITS:
            return self._number(_BITS[kind])
        if kind == "string":
            if self._words and rng.random() < 0.7:
                return rng.choice(self._words)
            return "".join(rng.choices(string.ascii_letters + "äß€", k=rng.choice((0, 3, 200))))
        if kind in ("bytes", "records"):
            return rng.randbytes(rng.choice((0, 5, 300)))
        if kind == "uuid":
            return uuid.UUID(bytes=rng.randbytes(16))
        others = {"bool": rng.random() < 0.5, "uint16": rng.getrandbits(16)}
        return others.get(kind, rng.random())

    def _number(self, bits: int) -> int:
        if self._rng.random() < 0.5:
            return self._rng.randrange(-2, 5)
        return self._rng.getrandbits(bits) - (1 << bits - 1)
