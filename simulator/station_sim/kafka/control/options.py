"""What a request says, as the arguments of a verb: names checked, values of the right types.

The verb's own signature says what is allowed. A body is JSON and strict; what stands in a path or
a query is text, and is read as what the verb wants.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec


class BadOptionError(ValueError):
    """An option that is unknown, missing or of the wrong type; the text says what is allowed."""


def read_body(body: bytes) -> dict[str, Any]:
    """The options in a body, none in an empty one; raises `BadOptionError` for no object."""
    if not body.strip():
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadOptionError(f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadOptionError('the body must be an object, as in {"count": 1}')
    return found


def option_names(verb: Callable[..., Any]) -> list[str]:
    """The options that a verb takes."""
    parameters = inspect.signature(verb).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]


def arguments_for(
    verb: Callable[..., Any],
    in_path: Mapping[str, str],
    options: Mapping[str, Any],
    *,
    as_text: bool,
) -> dict[str, Any]:
    """All arguments for a verb; `as_text` says that the options are texts of a query.

    Raises: BadOptionError.
    """
    allowed = option_names(verb)
    for name in options:
        if name not in allowed:
            known = f"known are: {', '.join(allowed)}" if allowed else "there is none here"
            raise BadOptionError(f"unknown option {name!r}; {known}")
    hints = get_type_hints(verb)
    found = {name: _read(name, text, hints[name], as_text=True) for name, text in in_path.items()}
    for name, value in options.items():
        found[name] = _read(name, value, hints[name], as_text=as_text)
    for name, parameter in inspect.signature(verb).parameters.items():
        if parameter.default is parameter.empty and name not in found:
            raise BadOptionError(f"option {name!r} is missing; known are: {', '.join(allowed)}")
    return found


def _read(name: str, value: Any, hint: Any, *, as_text: bool) -> Any:
    try:
        return msgspec.convert(value, hint, strict=not as_text)
    except msgspec.ValidationError as error:
        shown = json.dumps(value)[:80]
        raise BadOptionError(f"{name}={shown} is not allowed: {_lowered(str(error))}") from error


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:].replace("`", "")
