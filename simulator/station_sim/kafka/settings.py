"""The broker's settings under Kafka's own names, with Kafka 4.1's defaults.

Lives here: what a `server.properties` could say, as far as the simulated broker obeys it. Per-topic
settings live in `topic_config.py`. A name is Kafka's with dots as underscores.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from station_sim.errors import LabError
from station_sim.kafka.sasl.users import MECHANISMS
from station_sim.kafka.setting_names import KAFKA_NAMES, OF_LISTENERS

logger = logging.getLogger(__name__)

SHORT_MAX = 2**15 - 1
INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1

COARSER_NAMES: Mapping[str, tuple[tuple[str, int], ...]] = {
    "log.retention.ms": (("log.retention.minutes", 60_000), ("log.retention.hours", 3_600_000)),
    "log.roll.ms": (("log.roll.hours", 3_600_000),),
}
"""Other names for a setting, in units of so many ms each; the finest that is said counts."""


def whole(default: int, *, low: int, high: int = LONG_MAX) -> Any:
    """Declare an integer setting and the range Kafka allows for it."""
    return field(default=default, metadata={"low": low, "high": high})


def fraction(default: float) -> Any:
    """Declare a setting from 0 to 1."""
    return field(default=default, metadata={"low": 0, "high": 1})


def choice(default: str, *allowed: str) -> Any:
    """Declare a setting that takes one of a few words."""
    return field(default=default, metadata={"allowed": allowed})


def words(default: str, *known: str) -> Any:
    """Declare a setting that takes some of a few words, separated by commas."""
    return field(default=default, metadata={"words": known})


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Settings of one simulated broker; `from_kafka` builds them from Kafka's dotted names."""

    auto_create_topics_enable: bool = True
    delete_topic_enable: bool = True
    num_partitions: int = whole(1, low=1, high=INT_MAX)
    default_replication_factor: int = whole(1, low=1, high=SHORT_MAX)
    socket_request_max_bytes: int = whole(104_857_600, low=1, high=INT_MAX)
    # Kafka's own default is GSSAPI alone, which needs Kerberos.
    sasl_enabled_mechanisms: str = words(",".join(MECHANISMS), *MECHANISMS)
    sasl_server_max_receive_size: int = whole(524_288, low=1, high=INT_MAX)
    connection_failed_authentication_delay_ms: int = whole(100, low=0, high=INT_MAX)
    connections_max_reauth_ms: int = whole(0, low=0)
    connections_max_idle_ms: int = whole(600_000, low=-LONG_MAX - 1)

    log_cleanup_policy: str = choice(
        "delete", "delete", "compact", "compact,delete", "delete,compact"
    )
    log_retention_ms: int = whole(604_800_000, low=-1)
    log_retention_bytes: int = whole(-1, low=-1)
    log_retention_check_interval_ms: int = whole(300_000, low=1)
    log_initial_task_delay_ms: int = whole(30_000, low=0)
    # Kafka 4.1 allows no less than 1 MiB; tests here may want a roll after a few records.
    log_segment_bytes: int = whole(1_073_741_824, low=1, high=INT_MAX)
    log_roll_ms: int = whole(604_800_000, low=1)
    log_message_timestamp_type: str = choice("CreateTime", "CreateTime", "LogAppendTime")
    log_message_timestamp_before_max_ms: int = whole(LONG_MAX, low=0)
    log_message_timestamp_after_max_ms: int = whole(3_600_000, low=0)
    message_max_bytes: int = whole(1_048_588, low=0, high=INT_MAX)
    compression_type: str = choice(
        "producer", "producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"
    )
    min_insync_replicas: int = whole(1, low=1, high=INT_MAX)

    log_cleaner_backoff_ms: int = whole(15_000, low=0)
    log_cleaner_delete_retention_ms: int = whole(86_400_000, low=0)
    log_cleaner_max_compaction_lag_ms: int = whole(LONG_MAX, low=1)
    log_cleaner_min_cleanable_ratio: float = fraction(0.5)
    log_cleaner_min_compaction_lag_ms: int = whole(0, low=0)

    broker_session_timeout_ms: int = whole(9_000, low=1, high=INT_MAX)
    auto_leader_rebalance_enable: bool = True
    leader_imbalance_check_interval_seconds: int = whole(300, low=1)
    # More replicas than there are nodes are as many as there are nodes; Kafka would wait for more.
    offsets_topic_num_partitions: int = whole(50, low=1, high=INT_MAX)
    offsets_topic_replication_factor: int = whole(3, low=1, high=SHORT_MAX)
    transaction_state_log_num_partitions: int = whole(50, low=1, high=INT_MAX)
    transaction_state_log_replication_factor: int = whole(3, low=1, high=SHORT_MAX)

    fetch_max_bytes: int = whole(57_671_680, low=1024, high=INT_MAX)
    producer_id_expiration_ms: int = whole(86_400_000, low=1, high=INT_MAX)

    transaction_max_timeout_ms: int = whole(900_000, low=1, high=INT_MAX)
    transactional_id_expiration_ms: int = whole(604_800_000, low=1, high=INT_MAX)
    transaction_abort_timed_out_transaction_cleanup_interval_ms: int = whole(
        10_000, low=1, high=INT_MAX
    )
    transaction_remove_expired_transaction_cleanup_interval_ms: int = whole(
        3_600_000, low=1, high=INT_MAX
    )

    # Kafka's default is 3,000 ms. Its reason, many members starting at once, hardly holds here, and
    # every story would pay 3 s for its first join; Kafka's own test configurations use 0 as well.
    group_initial_rebalance_delay_ms: int = whole(0, low=0, high=INT_MAX)
    group_min_session_timeout_ms: int = whole(6_000, low=1, high=INT_MAX)
    group_max_session_timeout_ms: int = whole(1_800_000, low=1, high=INT_MAX)
    group_max_size: int = whole(INT_MAX, low=1, high=INT_MAX)
    offset_metadata_max_bytes: int = whole(4_096, low=0, high=INT_MAX)
    offsets_retention_minutes: int = whole(10_080, low=1, high=INT_MAX)
    offsets_retention_check_interval_ms: int = whole(600_000, low=1)

    def __post_init__(self) -> None:
        for declared in fields(self):
            _check(declared.name, getattr(self, declared.name), declared.metadata)
        if self.group_min_session_timeout_ms > self.group_max_session_timeout_ms:
            raise LabError(
                f"group.min.session.timeout.ms={self.group_min_session_timeout_ms} must not exceed "
                f"group.max.session.timeout.ms={self.group_max_session_timeout_ms}"
            )

    @classmethod
    def from_kafka(cls, properties: Mapping[str, str]) -> "BrokerSettings":
        """Settings from Kafka's dotted names and texts, as in `{"num.partitions": "2"}`.

        What Kafka knows and nobody here obeys is named once in the log. Raises `LabError` for a
        name that Kafka does not know, or a value that it would not take.
        """
        declared = {f.name.replace("_", "."): f for f in fields(cls)}
        values: dict[str, Any] = {}
        unused = []
        for name, text in _in_ms(properties).items():
            if name in declared:
                setting = declared[name]
                values[setting.name] = _parsed(name, str(text).strip(), setting.type)
            elif name in KAFKA_NAMES or name.startswith(OF_LISTENERS):
                unused.append(name)
            else:
                raise LabError(_unknown(name, text, sorted(KAFKA_NAMES)))
        if unused:
            logger.warning("no effect here: %s", ", ".join(unused))
        return cls(**values)

    def to_kafka(self) -> dict[str, str]:
        """The settings as Kafka writes them: dotted names and texts."""
        return {f.name.replace("_", "."): kafka_text(getattr(self, f.name)) for f in fields(self)}


def _unknown(name: str, text: str, known: list[str]) -> str:
    import difflib

    (near,) = difflib.get_close_matches(name, known, n=1, cutoff=0)
    return f"unknown broker setting {name}={text}; did you mean {near}?"


def _in_ms(properties: Mapping[str, str]) -> dict[str, str]:
    """The properties with those in coarser units under the name that they are kept by."""
    found = dict(properties)
    for finest, coarser in COARSER_NAMES.items():
        for name, unit_ms in coarser:
            if name not in found:
                continue
            count = _parsed(name, str(found.pop(name)).strip(), int)
            assert isinstance(count, int)
            if name == "log.roll.hours" and count < 1:
                raise LabError(f"{name}={count} is not allowed; allowed is 1 and more")
            found.setdefault(finest, str(count * unit_ms if count >= 0 else -1))
    return found


def kafka_text(value: object) -> str:
    """A setting's value in Kafka's spelling."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(name: str, text: str, kind: object) -> object:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise LabError(f"{name}={text} is not allowed; allowed are: true, false")
        return text.lower() == "true"
    if kind is int:
        try:
            return int(text)
        except ValueError as error:
            raise LabError(f"{name}={text} is not a whole number") from error
    if kind is float:
        try:
            return float(text)
        except ValueError as error:
            raise LabError(f"{name}={text} is not a number") from error
    return text


def _check(attribute: str, value: object, declared: Mapping[str, Any]) -> None:
    name = attribute.replace("_", ".")
    if "allowed" in declared and value not in declared["allowed"]:
        raise LabError(
            f"{name}={value} is not allowed; allowed are: {', '.join(declared['allowed'])}"
        )
    if "words" in declared:
        _check_words(name, str(value), declared["words"])
    if "low" not in declared:
        return
    low, high = declared["low"], declared["high"]
    if not isinstance(value, int | float) or not low <= value <= high:
        raise LabError(f"{name}={value} is not allowed; allowed is {low} to {high}")


def _check_words(name: str, value: str, known: tuple[str, ...]) -> None:
    given = value.split(",")
    if not set(given) <= set(known) or len(set(given)) < len(given):
        raise LabError(
            f"{name}={value} is not allowed; allowed are some of these, separated by commas: "
            f"{', '.join(known)}"
        )
