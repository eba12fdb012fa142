"""Where a service's configuration comes from: an object, or a module whose file may be edited.

An edited file is run beside the module that is in use: what it says takes the module's place only
when the service has accepted it as a whole.
"""

from pathlib import Path
from types import ModuleType
from typing import Any

from data_analysis.errors import ConfigurationError

NAMES = (
    "KAFKA_CONFIG",
    "TOPIC_DETAIL",
    "MODULE_DEPENDENCIES",
    "OFFSET_COMMIT_CONFIG",
    "STATION_TIMEZONE",
)
"""What a configuration may say."""


class ConfigSource:
    """A configuration that can be read again.

    Args:
        config: a module, or any object with the names of a configuration.
    """

    def __init__(self, config: Any) -> None:
        self.config = config
        self._path = _file_of(config)
        self._text = b"" if self._path is None else self._path.read_bytes()
        self._found: tuple[Any, bytes] = (None, b"")

    def read(self) -> Any:
        """Return what the configuration says now, as an object with its names.

        That is the object itself, with what has been changed in it, unless it is a module whose
        file has been edited: then what the file says.

        Raises:
            ConfigurationError: the file cannot be read or run.
        """
        if self._path is None:
            return self.config
        try:
            text = self._path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{self._path} cannot be read: {error.strerror}; put it back"
            ) from error
        if text == self._text:
            return self.config
        found = _run(self.config, self._path, text)
        self._found = (found, text)
        return found

    def accept(self, found: Any) -> None:
        """Have the module say what `read` found in its file."""
        if found is not self._found[0]:
            return
        said = {name: value for name, value in vars(found).items() if not name.startswith("__")}
        vars(self.config).update(said)
        for name in NAMES:
            if name not in said:
                vars(self.config).pop(name, None)
        self._text = self._found[1]


def _file_of(config: Any) -> Path | None:
    """Return the file of a module of Python source, None for anything else."""
    name = getattr(config, "__file__", None) if isinstance(config, ModuleType) else None
    path = Path(name) if isinstance(name, str) and name.endswith(".py") else None
    return path if path is not None and path.is_file() else None


def _run(module: ModuleType, path: Path, text: bytes) -> ModuleType:
    """Return a module that the file makes, and that nobody else sees."""
    fresh = ModuleType(module.__name__)
    for name in ("__file__", "__package__", "__spec__", "__loader__", "__path__"):
        if hasattr(module, name):
            setattr(fresh, name, getattr(module, name))
    try:
        exec(compile(text, str(path), "exec"), vars(fresh))
    except (Exception, SystemExit) as error:  # whatever a user's Python does
        raise ConfigurationError(
            f"{path} cannot be run: {type(error).__name__}: {error}; mend the file"
        ) from error
    return fresh
