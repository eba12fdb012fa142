"""The broker's settings as they are now: as started, changed for the cluster, changed for one node.

Which of them Kafka lets change while it runs is said here, with its refusals (DynamicBrokerConfig
and ConfigurationControlManager of Apache Kafka 4.1). What the settings mean is in `settings.py`, a
topic's own in `topic_config.py`. A change for one node acts on the whole cluster, whose nodes share
their logs; it is shown for that node alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import NamedTuple

from station_sim.errors import LabError
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.settings import INT_MAX, BrokerSettings
from station_sim.kafka.storage.journal import Journal, NoJournal
from station_sim.kafka.topic_config import (
    RULES,
    TYPE_BOOLEAN,
    TYPE_DOUBLE,
    TYPE_INT,
    TYPE_LONG,
    TYPE_STRING,
    Rule,
)

MIN_INSYNC = "min.insync.replicas"

BROKER_NAMES: Mapping[str, str] = {
    "cleanup.policy": "log.cleanup.policy",
    "compression.gzip.level": "compression.gzip.level",
    "compression.lz4.level": "compression.lz4.level",
    "compression.type": "compression.type",
    "compression.zstd.level": "compression.zstd.level",
    "delete.retention.ms": "log.cleaner.delete.retention.ms",
    "file.delete.delay.ms": "log.segment.delete.delay.ms",
    "flush.messages": "log.flush.interval.messages",
    "flush.ms": "log.flush.interval.ms",
    "index.interval.bytes": "log.index.interval.bytes",
    "local.retention.bytes": "log.local.retention.bytes",
    "local.retention.ms": "log.local.retention.ms",
    "max.compaction.lag.ms": "log.cleaner.max.compaction.lag.ms",
    "max.message.bytes": "message.max.bytes",
    "message.timestamp.after.max.ms": "log.message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms": "log.message.timestamp.before.max.ms",
    "message.timestamp.type": "log.message.timestamp.type",
    "min.cleanable.dirty.ratio": "log.cleaner.min.cleanable.ratio",
    "min.compaction.lag.ms": "log.cleaner.min.compaction.lag.ms",
    MIN_INSYNC: MIN_INSYNC,
    "preallocate": "log.preallocate",
    "retention.bytes": "log.retention.bytes",
    "retention.ms": "log.retention.ms",
    "segment.bytes": "log.segment.bytes",
    "segment.index.bytes": "log.index.size.max.bytes",
    "segment.jitter.ms": "log.roll.jitter.ms",
    "segment.ms": "log.roll.ms",
    "unclean.leader.election.enable": "unclean.leader.election.enable",
}
"""The broker's name for what is a topic's default, by the topic's name for it."""

DYNAMIC: Mapping[str, Rule] = {
    **{broker_name: RULES[topic_name] for topic_name, broker_name in BROKER_NAMES.items()},
    "background.threads": Rule(TYPE_INT, "10", 1),
    "log.cleaner.backoff.ms": Rule(TYPE_LONG, "15000", 0),
    "log.cleaner.dedupe.buffer.size": Rule(TYPE_LONG, "134217728"),
    "log.cleaner.io.buffer.load.factor": Rule(TYPE_DOUBLE, "0.9"),
    "log.cleaner.io.buffer.size": Rule(TYPE_INT, "524288", 0),
    "log.cleaner.io.max.bytes.per.second": Rule(TYPE_DOUBLE, "1.7976931348623157E308"),
    "log.cleaner.threads": Rule(TYPE_INT, "1", 0),
    "max.connection.creation.rate": Rule(TYPE_INT, str(INT_MAX), 0),
    "max.connections": Rule(TYPE_INT, str(INT_MAX), 0),
    "max.connections.per.ip": Rule(TYPE_INT, str(INT_MAX), 0),
    "max.connections.per.ip.overrides": Rule(TYPE_STRING, ""),
    "num.io.threads": Rule(TYPE_INT, "8", 1),
    "num.network.threads": Rule(TYPE_INT, "3", 1),
    "num.recovery.threads.per.data.dir": Rule(TYPE_INT, "2", 1),
    "num.replica.fetchers": Rule(TYPE_INT, "1"),
    "producer.id.expiration.ms": Rule(TYPE_INT, "86400000", 1),
    "transaction.partition.verification.enable": Rule(TYPE_BOOLEAN, "true"),
}
"""What may change while the broker runs. What no setting of `BrokerSettings` stands for is kept and
shown, and has no effect."""

_COARSER: Mapping[str, tuple[str, str]] = {
    "log.retention.ms": ("log.retention.hours", "168"),
    "log.roll.ms": ("log.roll.hours", "168"),
    "log.roll.jitter.ms": ("log.roll.jitter.hours", "0"),
    "log.flush.interval.ms": ("log.flush.scheduler.interval.ms", "9223372036854775807"),
}
"""Settings without a default of their own: another name, in a coarser unit, has it."""

_KIND = "settings"
_MODELLED = tuple(declared.name.replace("_", ".") for declared in fields(BrokerSettings))
_DEFAULTS: Mapping[str, str] = {
    **{name: rule.default for name, rule in DYNAMIC.items()},
    **BrokerSettings().to_kafka(),
}


class Source(IntEnum):
    """Where a setting's value comes from, as DescribeConfigs numbers it."""

    TOPIC = 1
    NODE = 2
    CLUSTER = 3
    START = 4
    DEFAULT = 5


class Synonym(NamedTuple):
    """One of the places where a setting is said; the first counts."""

    name: str
    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class ChangedSettings:
    """What was changed for a node or for the cluster, as it is kept."""

    texts: dict[str, str]


class DynamicSettings:
    """The settings that a cluster was started with, and their changes since.

    A node is named by its id, the cluster as a whole by None. `settings` are those that follow.
    Raises `LabError` if what was changed before the start does not fit what it is started with.
    """

    def __init__(self, started: BrokerSettings, journal: Journal | None = None) -> None:
        self._journal = journal or NoJournal()
        self._started = started
        self._of_start = _beside_defaults(started)
        self.settings = started
        # Kafka keeps this one for the cluster from the first start on (KIP-966).
        self._of_cluster = {MIN_INSYNC: str(started.min_insync_replicas)}
        self._of_nodes: dict[int, dict[str, str]] = {}
        self._recover()

    def said(self, node_id: int | None) -> Mapping[str, str]:
        """What was changed for a node or for the cluster, as texts."""
        return self._of_cluster if node_id is None else self._of_nodes.get(node_id, {})

    def check(self, node_id: int | None, texts: Mapping[str, str]) -> None:
        """Raise `RefusalError` as Kafka would if `texts` took the place of all that was said."""
        fixed = [name for name in texts if name not in DYNAMIC]
        if fixed:
            raise _refused(f"Cannot update these configs dynamically: Set({', '.join(fixed)})")
        for name, text in texts.items():
            try:
                DYNAMIC[name].check(name, text)
            except RefusalError as refused:
                raise _refused(refused.message) from refused
        self._check_insync(node_id, texts)
        self._settings_with(node_id, texts)

    def change(self, node_id: int | None, texts: Mapping[str, str]) -> BrokerSettings:
        """Put `texts` in the place of all that was said; the settings that follow."""
        self.check(node_id, texts)
        settings = self._settings_with(node_id, texts)
        self._keep(node_id, texts)
        if node_id is None:
            self._of_cluster = dict(texts)
        else:
            self._of_nodes[node_id] = dict(texts)
        self.settings = settings
        return settings

    def _keep(self, node_id: int | None, texts: Mapping[str, str]) -> None:
        key = () if node_id is None else (str(node_id),)
        self._journal.put(_KIND, key, ChangedSettings(dict(texts)))

    def _recover(self) -> None:
        kept = list(self._journal.values(_KIND, ChangedSettings))
        if not kept:
            self._keep(None, self._of_cluster)
            return
        for key, changed in kept:
            if key:
                self._of_nodes[int(key[0])] = changed.texts
            else:
                self._of_cluster = changed.texts
        try:
            self.settings = self._settings_with(None, self._of_cluster)
        except RefusalError as refused:
            raise LabError(f"settings that were changed before: {refused.message}") from refused

    def texts(self, node_id: int) -> dict[str, str | None]:
        """All settings of one node; None where a coarser one counts."""
        names = dict.fromkeys((*_MODELLED, *DYNAMIC))
        found: dict[str, str | None] = {}
        for name in names:
            synonyms = self.synonyms(name, node_id)
            found[name] = synonyms[0].text if synonyms else None
        return found

    def synonyms(self, name: str, node_id: int) -> list[Synonym]:
        """Where a broker setting is said, what counts first; nothing where only a coarser is."""
        found = [
            Synonym(name, said[name], source)
            for said, source in (
                (self._of_nodes.get(node_id, {}), Source.NODE),
                (self._of_cluster, Source.CLUSTER),
                (self._of_start, Source.START),
            )
            if name in said
        ]
        if name not in _COARSER:
            found.append(Synonym(name, _DEFAULTS.get(name, ""), Source.DEFAULT))
        elif found:
            found.append(Synonym(*_COARSER[name], Source.DEFAULT))
        return found

    def topic_synonyms(
        self, name: str, overrides: Mapping[str, str], node_id: int
    ) -> list[Synonym]:
        """Where a topic's setting is said: for the topic itself, then as the broker's default."""
        found = [Synonym(name, overrides[name], Source.TOPIC)] if name in overrides else []
        if name in BROKER_NAMES:
            found += self.synonyms(BROKER_NAMES[name], node_id)
        return found

    def _check_insync(self, node_id: int | None, texts: Mapping[str, str]) -> None:
        if node_id is not None and MIN_INSYNC in texts:
            text = f"Broker-level {MIN_INSYNC} cannot be altered while ELR is enabled."
        elif node_id is None and MIN_INSYNC not in texts:
            text = f"Cluster-level {MIN_INSYNC} cannot be removed while ELR is enabled."
        else:
            return
        raise RefusalError(ErrorCode.INVALID_CONFIG, text)

    def _settings_with(self, node_id: int | None, texts: Mapping[str, str]) -> BrokerSettings:
        """The settings if `texts` were said; raises `RefusalError` if they do not fit together."""
        of_nodes = {**self._of_nodes, **({} if node_id is None else {node_id: texts})}
        layers: Iterable[Mapping[str, str]] = (
            self._started.to_kafka(),
            texts if node_id is None else self._of_cluster,
            *(of_nodes[each] for each in sorted(of_nodes)),
        )
        merged: dict[str, str] = {}
        for layer in layers:
            merged.update((name, text) for name, text in layer.items() if name in _MODELLED)
        if int(merged["log.retention.ms"]) == 0:
            raise _refused(
                "requirement failed: log.retention.ms must be unlimited (-1) or, greater than or "
                "equal to 1"
            )
        try:
            return BrokerSettings.from_kafka(merged)
        except LabError as error:
            raise _refused(str(error)) from error


def _beside_defaults(settings: BrokerSettings) -> dict[str, str]:
    """Those that are not what Kafka has by default, by its names."""
    return {name: text for name, text in settings.to_kafka().items() if text != _DEFAULTS.get(name)}


def _refused(text: str) -> RefusalError:
    return RefusalError(ErrorCode.INVALID_REQUEST, text)
