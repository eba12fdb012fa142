"""What a user names on the command line as `pkg.mod:name`: found, imported, or refused in one line.

What the thing is called with and what it must return is said by the command whose option names it.
"""

import importlib
import os
import sys
from collections.abc import Callable
from operator import attrgetter
from types import ModuleType
from typing import Any

from station_sim.errors import LabError


def load_callable(path: str, *, option: str, what: str) -> Callable[..., Any]:
    """The callable named `pkg.mod:name` or `pkg.mod:Class.name`, also from the current directory.

    Args:
        path: what the user wrote.
        option: the option it was written for, as in `--service`.
        what: what it stands for, as in `factory`; the form is shown as `pkg.mod:factory`.

    Raises:
        LabError: it has another form, is not there, cannot be imported or cannot be called.
    """
    module_name, name = split_name(path, option=option, what=what)
    module = _import(module_name, f"{option} {path}")
    try:
        found: Callable[..., Any] = attrgetter(name)(module)
    except AttributeError as error:
        raise LabError(f"{option} {path}: {module_name} has no {name!r}") from error
    if not callable(found):
        raise LabError(f"{option} {path}: {name} cannot be called, it is {type(found).__name__}")
    return found


def split_name(path: str, *, option: str, what: str) -> tuple[str, str]:
    """The module's name and the name in it, nothing imported; arguments and error as above."""
    module_name, _, name = path.partition(":")
    if not _is_dotted(module_name) or not _is_dotted(name):
        raise LabError(f"{option} wants pkg.mod:{what}, got {path!r}")
    return module_name, name


def _import(module_name: str, given: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever the user's module does when imported
        if isinstance(error, ModuleNotFoundError) and _is_within(module_name, error.name):
            raise LabError(
                f"{given}: there is no module {error.name!r}, neither installed nor in {here}"
            ) from error
        reason = " ".join(str(error).split())
        raise LabError(f"{given}: importing it failed: {type(error).__name__}: {reason}") from error


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _is_within(module_name: str, package: str | None) -> bool:
    return package is not None and f"{module_name}.".startswith(f"{package}.")
