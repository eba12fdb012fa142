"""Which errors an answer tells: every field of its schema that is an error code, at any depth.

Where refusals put them is in `shapes.py`.
"""

from collections.abc import Iterable
from typing import Any

Path = tuple[str, ...]

_SUFFIX = "error_code"

_PATHS: dict[type, tuple[Path, ...]] = {}


def errors_in(response: Any) -> tuple[int, ...]:
    """The error codes of an answer, each once, in the order of its fields, without 0."""
    paths = _PATHS.get(type(response))
    if paths is None:
        paths = _PATHS[type(response)] = tuple(_paths(type(response)))
    found: dict[int, None] = {}
    for path in paths:
        holders = [response]
        for name in path[:-1]:
            holders = [one for holder in holders for one in getattr(holder, name) or ()]
        for holder in holders:
            code = getattr(holder, path[-1])
            if code:
                found[int(code)] = None
    return tuple(found)


def _paths(container: Any) -> Iterable[Path]:
    for name, field in container.fields.items():
        if field.is_struct_array():
            for path in _paths(getattr(container, field.type_str)):
                yield (name, *path)
        elif name.endswith(_SUFFIX):
            yield (name,)
