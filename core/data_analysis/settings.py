"""From a configuration module to validated, frozen settings.

Topics, windows, modules, dependencies and commit intervals live here, and what a reload may change.
Kafka's own connection settings are in `data_analysis.kafka.options`. A refusal names the key, the
value, what is allowed and the next move.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from data_analysis.config import STATION_TIMEZONE
from data_analysis.errors import ConfigurationError

PADDINGS = ("none", "zero", "linear", "forward")
WINDOW_FORMS = ("list", "array")
RESERVED_FIELDS = ("_data_quality",)
OUTPUT_TOPIC_PREFIX = "MODULE-OUTPUT-"
TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
"""What Kafka takes, but for `.` and `..`; clients would ask for anything else without end."""

TOPIC_KEYS = ("fields", "modules", "window_size", "frequency", "expire_seconds", "padding")
"""What an entry of `TOPIC_DETAIL` may say."""

OUTPUT_WINDOW_SIZE = 1
"""Points kept of a dependency's output without an entry, as the 2025-11 edition keeps them."""


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """One entry of `TOPIC_DETAIL`.

    `expire_seconds` is "inherit" where the entry does not say, None where the window never expires;
    `padding` is None where the service's own choice holds. `output_of` is the module whose results
    the topic carries, None for other topics; `listed` is False for the output topic of a dependency
    that has no entry.
    """

    name: str
    fields: tuple[str, ...]
    modules: tuple[str, ...]
    window_size: int
    frequency: str
    expire_seconds: float | str | None
    padding: str | None
    output_of: str | None = None
    listed: bool = True


@dataclass(frozen=True, slots=True)
class OffsetSettings:
    """`OFFSET_COMMIT_CONFIG`: when offsets are committed, and how often a commit is tried."""

    commit_interval_seconds: float = 5.0
    commit_batch_size: int = 100
    max_commit_retries: int = 3
    commit_retry_delay: float = 1.0


OFFSET_KEYS = tuple(each.name for each in dataclasses.fields(OffsetSettings))
"""What `OFFSET_COMMIT_CONFIG` may say."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a reload may change, plus the commit intervals.

    `topics` and `dependencies` keep the order of the configuration; output topics of dependencies
    that have no entry follow. `modules` maps every module that a topic or a dependency names to its
    listed topics, in that same order. `timezone` is that of local times on the wire.
    """

    topics: Mapping[str, TopicSettings]
    dependencies: Mapping[str, tuple[str, ...]]
    modules: Mapping[str, tuple[str, ...]]
    offsets: OffsetSettings
    timezone: tzinfo

    def consumed(self, module: str | None) -> list[str]:
        """Return what a service of `module`, or of all for None, consumes by default."""
        return [
            topic.name
            for topic in self.topics.values()
            if topic.listed or module is None or module in topic.modules
        ]


def check_module(settings: Settings, module: str | None) -> None:
    """Raise `ConfigurationError` unless it is None or a module of the configuration."""
    if module is not None and module not in settings.modules:
        raise ConfigurationError(
            f"module_name must be one of {', '.join(settings.modules) or 'none'}, got {module!r};"
            " name it in TOPIC_DETAIL or MODULE_DEPENDENCIES"
        )


def load_settings(config: Any, output_topic_prefix: str = OUTPUT_TOPIC_PREFIX) -> Settings:
    """Read and check a configuration module or any object with its names.

    Args:
        config: has `TOPIC_DETAIL` and `MODULE_DEPENDENCIES`.
        output_topic_prefix: what stands before a module's name in the topic of its results.

    Raises:
        ConfigurationError: something is missing or wrong; nothing of it is applied then.
    """
    topics = {
        name: _topic(name, detail) for name, detail in _mapping(config, "TOPIC_DETAIL").items()
    }
    dependencies = {
        name: _names(f"MODULE_DEPENDENCIES[{name!r}]", needed)
        for name, needed in _mapping(config, "MODULE_DEPENDENCIES").items()
    }
    _refuse_cycles(dependencies)
    modules = _modules(topics, dependencies)
    return Settings(
        topics=MappingProxyType(_with_outputs(topics, modules, dependencies, output_topic_prefix)),
        dependencies=MappingProxyType(dependencies),
        modules=MappingProxyType(modules),
        offsets=_offsets(_mapping(config, "OFFSET_COMMIT_CONFIG", default={})),
        timezone=_timezone(getattr(config, "STATION_TIMEZONE", STATION_TIMEZONE)),
    )


def check_choice(key: str, value: object, allowed: Iterable[str]) -> None:
    """Raise `ConfigurationError` unless `value` is one of the words `allowed`."""
    words = tuple(allowed)
    if value not in words:
        raise ConfigurationError(
            f"{key} must be one of {', '.join(map(repr, words))}, got {value!r}; choose one of them"
        )


def check_number(key: str, value: object, *, least: float, above: bool = False) -> float:
    """Return `value` if it is a number of at least (or, with `above`, more than) `least`."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if good and (value > least if above else value >= least):  # type: ignore[operator]  # a number here
        return value  # type: ignore[return-value]  # a number here
    bound = f"{'>' if above else '>='} {least:g}"
    raise ConfigurationError(
        f"{key} must be a number {bound}, got {value!r}; set {key} to a number {bound}"
    )


def check_integer(key: str, value: object, *, least: int) -> int:
    """Return `value` if it is an integer of at least `least`."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    raise ConfigurationError(
        f"{key} must be an integer >= {least}, got {value!r}; set {key} to an integer >= {least}"
    )


def check_switch(key: str, value: object) -> bool:
    """Return `value` if it is True or False."""
    if isinstance(value, bool):
        return value
    raise ConfigurationError(f"{key} must be True or False, got {value!r}; choose one of them")


def check_topic_name(key: str, name: object) -> None:
    """Raise `ConfigurationError` unless Kafka takes a topic of this name."""
    if isinstance(name, str) and TOPIC_NAME.fullmatch(name) and name not in (".", ".."):
        return
    raise ConfigurationError(
        f"{key} must be a topic name that Kafka takes, got {name!r}; use letters and digits of"
        " ASCII, '.', '_' and '-', 249 at most"
    )


def topic_names(topics: object) -> tuple[Any, ...] | None:
    """Return a list of topics as a tuple; which of them are known is checked elsewhere.

    Raises:
        ConfigurationError: it is no list, or names a topic twice.
    """
    if topics is None:
        return None
    if not isinstance(topics, list | tuple):
        raise ConfigurationError(f"topics must be a list of names, got {topics!r}; write ['...']")
    for topic in topics:
        if topics.count(topic) > 1:
            raise ConfigurationError(f"topics names {topic!r} twice; remove one of them")
    return tuple(topics)


def subscribed(topics: object) -> list[str]:
    """Return a list of topics that a client may subscribe to.

    Raises:
        ConfigurationError: it is no list, is empty, or names a topic twice or one that cannot be.
    """
    names = topic_names(topics)
    if not names:
        raise ConfigurationError(f"topics must not be empty, got {topics!r}; name at least one")
    for name in names:
        check_topic_name("each of topics", name)
    return list(names)


def _mapping(config: Any, name: str, default: Any = None) -> Mapping[str, Any]:
    value = getattr(config, name, default)
    if not isinstance(value, Mapping):
        got = "nothing" if value is None else f"a {type(value).__name__}"
        raise ConfigurationError(f"{name} must be a dict with string keys, got {got}; define it")
    for key in value:
        if not isinstance(key, str):
            raise ConfigurationError(
                f"{name} must be a dict with string keys, got the key {key!r}; write {str(key)!r}"
            )
    return value


def _names(key: str, value: object) -> tuple[str, ...]:
    names = list(value) if isinstance(value, list | tuple) else [None]
    if not all(isinstance(name, str) and name for name in names):
        raise ConfigurationError(
            f"{key} must be a list of non-empty strings, got {value!r}; write ['...', ...]"
        )
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"{key} names {name!r} twice; remove one of them")
    return tuple(str(name) for name in names)


def _topic(name: str, detail: object) -> TopicSettings:
    key = f"TOPIC_DETAIL[{name!r}]"
    if not TOPIC_NAME.fullmatch(name) or name in (".", ".."):
        raise ConfigurationError(
            f"{key} is no name that Kafka takes; name it with letters and digits of ASCII,"
            " '.', '_' and '-', 249 at most"
        )
    if not isinstance(detail, Mapping):
        raise ConfigurationError(f"{key} must be a dict, got {detail!r}; give it 'fields'")
    for needed in ("fields", "modules", "window_size"):
        if needed not in detail:
            raise ConfigurationError(f"{key} lacks {needed!r}; add it")
    fields = _names(f"{key}['fields']", detail["fields"])
    for reserved in RESERVED_FIELDS:
        if reserved in fields:
            raise ConfigurationError(f"{key}['fields'] must not contain {reserved!r}; rename it")
    expire = detail.get("expire_seconds", "inherit")
    if expire not in (None, "inherit"):
        check_number(f"{key}['expire_seconds']", expire, least=0, above=True)
    padding = detail.get("padding")
    if padding is not None:
        check_choice(f"{key}['padding']", padding, PADDINGS)
    return TopicSettings(
        name=name,
        fields=fields,
        modules=_names(f"{key}['modules']", detail["modules"]),
        window_size=check_integer(f"{key}['window_size']", detail["window_size"], least=1),
        frequency=str(detail.get("frequency", "")),
        expire_seconds=expire,
        padding=padding,
    )


def _modules(
    topics: Mapping[str, TopicSettings], dependencies: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    names: dict[str, list[str]] = {}
    for topic in topics.values():
        for module in topic.modules:
            names.setdefault(module, []).append(topic.name)
    for module, needed in dependencies.items():
        for name in (module, *needed):
            names.setdefault(name, [])
    return {module: tuple(used) for module, used in names.items()}


def _with_outputs(
    topics: Mapping[str, TopicSettings],
    modules: Iterable[str],
    dependencies: Mapping[str, tuple[str, ...]],
    prefix: str,
) -> dict[str, TopicSettings]:
    """Say which topics carry results, and add those of dependencies that are not listed."""
    complete: dict[str, TopicSettings] = {}
    for name, topic in topics.items():
        source = _output_of(name, modules, prefix)
        if source is not None:
            users = _users(source, dependencies)
            used = tuple(dict.fromkeys((*topic.modules, *users)))
            topic = replace(topic, output_of=source, modules=used)
        complete[name] = topic
    listed = {topic.output_of for topic in complete.values()}
    for source in dict.fromkeys(name for needed in dependencies.values() for name in needed):
        if source not in listed:
            name = prefix + source.upper()
            complete[name] = TopicSettings(
                name,
                fields=(),
                modules=_users(source, dependencies),
                window_size=OUTPUT_WINDOW_SIZE,
                frequency="",
                expire_seconds="inherit",
                padding=None,
                output_of=source,
                listed=False,
            )
    return complete


def _users(source: str, dependencies: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(module for module, needed in dependencies.items() if source in needed)


def _output_of(topic: str, modules: Iterable[str], prefix: str) -> str | None:
    """Return the module whose results a topic carries; hyphens may stand for underscores."""
    if not topic.startswith(prefix):
        return None
    rest = topic[len(prefix) :].replace("-", "_")
    for module in modules:
        if module.upper().replace("-", "_") == rest:
            return module
    return rest.lower() if prefix and rest else None


def _offsets(detail: Mapping[str, Any]) -> OffsetSettings:
    default = OffsetSettings()
    key = "OFFSET_COMMIT_CONFIG[{!r}]".format

    def value(name: str) -> Any:
        return detail.get(name, getattr(default, name))

    return OffsetSettings(
        commit_interval_seconds=check_number(
            key("commit_interval_seconds"), value("commit_interval_seconds"), least=0, above=True
        ),
        commit_batch_size=check_integer(
            key("commit_batch_size"), value("commit_batch_size"), least=1
        ),
        max_commit_retries=check_integer(
            key("max_commit_retries"), value("max_commit_retries"), least=1
        ),
        commit_retry_delay=check_number(
            key("commit_retry_delay"), value("commit_retry_delay"), least=0
        ),
    )


def _timezone(name: object) -> tzinfo:
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        raise ConfigurationError(
            f"STATION_TIMEZONE must be a zone of the tz database, got {name!r};"
            f" write one like {STATION_TIMEZONE!r}"
        ) from None


def _refuse_cycles(dependencies: Mapping[str, tuple[str, ...]]) -> None:
    sound: set[str] = set()

    def follow(module: str, path: tuple[str, ...]) -> None:
        if module in path:
            cycle = " -> ".join([*path[path.index(module) :], module])
            raise ConfigurationError(
                f"MODULE_DEPENDENCIES must have no cycle, got {cycle}; remove one of these edges"
            )
        if module not in sound:
            for needed in dependencies.get(module, ()):
                follow(needed, (*path, module))
            sound.add(module)

    for module in dependencies:
        follow(module, ())
