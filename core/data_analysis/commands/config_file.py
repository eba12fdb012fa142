"""A configuration file on the command line: Python or TOML, with the names of the configuration.

Names that the file does not give are those of `data_analysis.config`.
"""

import runpy
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from data_analysis import config as default_config
from data_analysis.config_source import NAMES
from data_analysis.errors import ConfigurationError


def read_config_file(path: Path | None) -> Any:
    """Return an object with the names of the configuration; the default one without a file.

    Raises:
        ConfigurationError: the file cannot be read, is not Python or TOML, or names none of them.
    """
    if path is None:
        return default_config
    found = _read(path)
    given = {name: found[name] for name in NAMES if name in found}
    if not given:
        raise ConfigurationError(
            f"{path} names none of {', '.join(NAMES)}; define at least one of them"
        )
    defaults = {name: getattr(default_config, name) for name in NAMES}
    return SimpleNamespace(**{**defaults, **given})


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.suffix == ".toml":
            return tomllib.loads(path.read_text(encoding="utf-8"))
        if path.suffix == ".py":
            return runpy.run_path(str(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}; mend the file") from error
    except (Exception, SystemExit) as error:  # whatever a user's Python does
        raise ConfigurationError(
            f"{path} cannot be run: {type(error).__name__}: {error}; mend the file"
        ) from error
    raise ConfigurationError(f"{path} must end with .py or .toml, got {path.name!r}; rename it")
