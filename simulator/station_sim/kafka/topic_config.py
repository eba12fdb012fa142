"""A topic's configuration: Kafka's names, its defaults from the broker, and its refusals.

Every topic setting of Kafka 4.1 is known and checked, with Kafka's own texts; `TopicConfig` has as
attributes those that change what this broker does. The list and the ranges are those of
org.apache.kafka.storage.internals.log.LogConfig.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from station_sim.kafka.compression import CODEC_NAMES, GZIP, LZ4, ZSTD
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.settings import INT_MAX, LONG_MAX, BrokerSettings, kafka_text

TYPE_BOOLEAN, TYPE_STRING, TYPE_INT, TYPE_LONG, TYPE_DOUBLE, TYPE_LIST = 1, 2, 3, 5, 6, 7
"""How DescribeConfigs names a value's type."""

_TYPE_NAMES = {TYPE_INT: "INT", TYPE_LONG: "LONG", TYPE_DOUBLE: "DOUBLE"}


@dataclass(frozen=True, slots=True)
class Rule:
    """What Kafka takes for one topic setting, and where its default comes from."""

    kind: int
    default: str
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    broker_setting: str | None = None

    def check(self, name: str, text: str | None) -> None:
        """Raise `RefusalError` (INVALID_CONFIG) with Kafka's text if `text` is no good value."""
        if text is None:
            raise _invalid(f"Null value not supported for topic configs: {name}")
        text = text.strip()
        if self.kind in _TYPE_NAMES:
            self._check_number(name, text)
        elif self.kind == TYPE_BOOLEAN and text.lower() not in ("true", "false"):
            raise _invalid(
                f"Invalid value {text} for configuration {name}: "
                "Expected value to be either true or false"
            )
        elif self.allowed:
            words = _words(text) if self.kind == TYPE_LIST else [text]
            for word in words:
                if word not in self.allowed:
                    raise _invalid(
                        f"Invalid value {word} for configuration {name}: "
                        f"String must be one of: {', '.join(self.allowed)}"
                    )

    def _check_number(self, name: str, text: str) -> None:
        try:
            number = float(text) if self.kind == TYPE_DOUBLE else int(text)
            if number > _TOP[self.kind]:
                raise ValueError(text)
        except ValueError:
            raise _invalid(
                f"Invalid value {text} for configuration {name}: "
                f"Not a number of type {_TYPE_NAMES[self.kind]}"
            ) from None
        if self.low is not None and number < self.low:
            raise _invalid(
                f"Invalid value {text} for configuration {name}: Value must be at least {self.low}"
            )
        if self.high is not None and number > self.high:
            raise _invalid(
                f"Invalid value {text} for configuration {name}: "
                f"Value must be no more than {self.high}"
            )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


_TOP: Mapping[int, float] = {TYPE_INT: INT_MAX, TYPE_LONG: LONG_MAX, TYPE_DOUBLE: float("inf")}


def _invalid(text: str) -> RefusalError:
    return RefusalError(ErrorCode.INVALID_CONFIG, text)


PRODUCERS_OWN = "producer"
"""The compression type that leaves batches as they come."""

_CODECS = ("uncompressed", "zstd", "lz4", "snappy", "gzip", PRODUCERS_OWN)

RULES: Mapping[str, Rule] = {
    "cleanup.policy": Rule(
        TYPE_LIST, "delete", allowed=("compact", "delete"), broker_setting="log_cleanup_policy"
    ),
    "compression.gzip.level": Rule(TYPE_INT, "-1", -1, 9),
    "compression.lz4.level": Rule(TYPE_INT, "9", 1, 17),
    "compression.type": Rule(
        TYPE_STRING, "producer", allowed=_CODECS, broker_setting="compression_type"
    ),
    "compression.zstd.level": Rule(TYPE_INT, "3", -131072, 22),
    "delete.retention.ms": Rule(
        TYPE_LONG, "86400000", 0, broker_setting="log_cleaner_delete_retention_ms"
    ),
    "file.delete.delay.ms": Rule(TYPE_LONG, "60000", 0),
    "flush.messages": Rule(TYPE_LONG, str(LONG_MAX), 1),
    "flush.ms": Rule(TYPE_LONG, str(LONG_MAX), 0),
    "follower.replication.throttled.replicas": Rule(TYPE_LIST, ""),
    "index.interval.bytes": Rule(TYPE_INT, "4096", 0),
    "leader.replication.throttled.replicas": Rule(TYPE_LIST, ""),
    "local.retention.bytes": Rule(TYPE_LONG, "-2", -2),
    "local.retention.ms": Rule(TYPE_LONG, "-2", -2),
    "max.compaction.lag.ms": Rule(
        TYPE_LONG, str(LONG_MAX), 1, broker_setting="log_cleaner_max_compaction_lag_ms"
    ),
    "max.message.bytes": Rule(TYPE_INT, "1048588", 0, broker_setting="message_max_bytes"),
    "message.timestamp.after.max.ms": Rule(
        TYPE_LONG, "3600000", 0, broker_setting="log_message_timestamp_after_max_ms"
    ),
    "message.timestamp.before.max.ms": Rule(
        TYPE_LONG, str(LONG_MAX), 0, broker_setting="log_message_timestamp_before_max_ms"
    ),
    "message.timestamp.type": Rule(
        TYPE_STRING,
        "CreateTime",
        allowed=("CreateTime", "LogAppendTime"),
        broker_setting="log_message_timestamp_type",
    ),
    "min.cleanable.dirty.ratio": Rule(
        TYPE_DOUBLE, "0.5", 0, 1, broker_setting="log_cleaner_min_cleanable_ratio"
    ),
    "min.compaction.lag.ms": Rule(
        TYPE_LONG, "0", 0, broker_setting="log_cleaner_min_compaction_lag_ms"
    ),
    "min.insync.replicas": Rule(TYPE_INT, "1", 1, broker_setting="min_insync_replicas"),
    "preallocate": Rule(TYPE_BOOLEAN, "false"),
    "remote.log.copy.disable": Rule(TYPE_BOOLEAN, "false"),
    "remote.log.delete.on.disable": Rule(TYPE_BOOLEAN, "false"),
    "remote.storage.enable": Rule(TYPE_BOOLEAN, "false"),
    "retention.bytes": Rule(TYPE_LONG, "-1", broker_setting="log_retention_bytes"),
    "retention.ms": Rule(TYPE_LONG, "604800000", -1, broker_setting="log_retention_ms"),
    "segment.bytes": Rule(TYPE_INT, "1073741824", 1_048_576, broker_setting="log_segment_bytes"),
    "segment.index.bytes": Rule(TYPE_INT, "10485760", 4),
    "segment.jitter.ms": Rule(TYPE_LONG, "0", 0),
    "segment.ms": Rule(TYPE_LONG, "604800000", 1, broker_setting="log_roll_ms"),
    "unclean.leader.election.enable": Rule(TYPE_BOOLEAN, "false"),
}


_CHECKED_FIRST = (
    "segment.bytes",
    "segment.ms",
    "segment.jitter.ms",
    "segment.index.bytes",
    "flush.messages",
    "flush.ms",
    "retention.bytes",
    "retention.ms",
    "max.message.bytes",
    "index.interval.bytes",
    "delete.retention.ms",
    "min.compaction.lag.ms",
    "max.compaction.lag.ms",
    "file.delete.delay.ms",
    "min.cleanable.dirty.ratio",
    "cleanup.policy",
    "unclean.leader.election.enable",
    "min.insync.replicas",
)
_ORDER_OF_CHECKS = tuple(dict.fromkeys((*_CHECKED_FIRST, *RULES)))
"""Of several wrong values Kafka tells of the one that LogConfig defines first."""


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """What a topic is configured to; `overrides` holds what was said for it, as texts."""

    overrides: Mapping[str, str]
    texts: Mapping[str, str]
    cleanup_policy: tuple[str, ...]
    compression_gzip_level: int
    compression_lz4_level: int
    compression_type: str
    compression_zstd_level: int
    delete_retention_ms: int
    max_compaction_lag_ms: int
    max_message_bytes: int
    message_timestamp_after_max_ms: int
    message_timestamp_before_max_ms: int
    min_cleanable_dirty_ratio: float
    min_compaction_lag_ms: int
    min_insync_replicas: int
    log_append_time: bool
    retention_bytes: int
    retention_ms: int
    segment_bytes: int
    segment_ms: int
    unclean_elections: bool

    @classmethod
    def of(cls, overrides: Mapping[str, str | None], settings: BrokerSettings) -> "TopicConfig":
        """The configuration of a topic made with `overrides` on a broker with `settings`.

        Raises `RefusalError` (INVALID_CONFIG) as Kafka would.
        """
        for name in overrides:
            if name not in RULES:
                raise _invalid(f"Unknown topic config name: {name}")
        for name in sorted(overrides, key=_ORDER_OF_CHECKS.index):
            RULES[name].check(name, overrides[name])
        said = {name: str(text).strip() for name, text in overrides.items()}
        texts = {name: said.get(name, default_of(name, settings)) for name in RULES}
        return cls(
            overrides=said,
            texts=texts,
            cleanup_policy=tuple(_words(texts["cleanup.policy"])),
            compression_type=texts["compression.type"],
            min_cleanable_dirty_ratio=float(texts["min.cleanable.dirty.ratio"]),
            unclean_elections=texts["unclean.leader.election.enable"].lower() == "true",
            log_append_time=texts["message.timestamp.type"] == "LogAppendTime",
            **{attribute: int(texts[attribute.replace("_", ".")]) for attribute in _NUMBERS},
        )

    @property
    def deletes(self) -> bool:
        """Whether old segments are deleted by time and size."""
        return "delete" in self.cleanup_policy

    @property
    def compacts(self) -> bool:
        """Whether of each key the newest record alone is kept in the end."""
        return "compact" in self.cleanup_policy

    @property
    def codec(self) -> tuple[int, int | None] | None:
        """The number and level of the codec that batches are kept in; None: the producer's."""
        if self.compression_type == PRODUCERS_OWN:
            return None
        number = CODEC_NAMES.index(self.compression_type)
        levels = {
            GZIP: self.compression_gzip_level,
            LZ4: self.compression_lz4_level,
            ZSTD: self.compression_zstd_level,
        }
        return number, levels.get(number)

    @property
    def segment_age_ms(self) -> int:
        """The age at which a segment is full; what is not closed cannot be compacted."""
        return (
            min(self.segment_ms, self.max_compaction_lag_ms) if self.compacts else self.segment_ms
        )


_NUMBERS = (
    "compression_gzip_level",
    "compression_lz4_level",
    "compression_zstd_level",
    "delete_retention_ms",
    "max_compaction_lag_ms",
    "max_message_bytes",
    "message_timestamp_after_max_ms",
    "message_timestamp_before_max_ms",
    "min_compaction_lag_ms",
    "min_insync_replicas",
    "retention_bytes",
    "retention_ms",
    "segment_bytes",
    "segment_ms",
)


def default_of(name: str, settings: BrokerSettings) -> str:
    """The text a topic has for `name` when nothing is said for it."""
    rule = RULES[name]
    if rule.broker_setting is None:
        return rule.default
    return kafka_text(getattr(settings, rule.broker_setting))
