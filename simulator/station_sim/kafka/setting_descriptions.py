"""What each setting is for, in a line: the documentation that DescribeConfigs sends when asked.

The words are this project's own; Kafka's are longer. What a setting may be is in `topic_config.py`
and `settings.py`.
"""

from collections.abc import Mapping

from station_sim.kafka.dynamic_settings import BROKER_NAMES

NOT_OBEYED = "This broker keeps the value; it has no effect here."

_OF_TOPICS: Mapping[str, str] = {
    "cleanup.policy": "How old records go: deleted in segments, compacted by key, or both.",
    "compression.gzip.level": "How hard gzip tries when the broker compresses.",
    "compression.lz4.level": "How hard lz4 tries when the broker compresses.",
    "compression.type": "The codec of what is stored; 'producer' keeps what the producer chose.",
    "compression.zstd.level": "How hard zstd tries when the broker compresses.",
    "delete.retention.ms": "How long compaction keeps a tombstone.",
    "file.delete.delay.ms": "How long a deleted segment's file stays.",
    "flush.messages": "After how many records they are forced to disk.",
    "flush.ms": "After how long records are forced to disk.",
    "follower.replication.throttled.replicas": "Replicas whose fetching is slowed down.",
    "index.interval.bytes": "How many bytes lie between two entries of the offset index.",
    "leader.replication.throttled.replicas": "Replicas whose serving is slowed down.",
    "local.retention.bytes": "How many bytes stay local with tiered storage.",
    "local.retention.ms": "How long records stay local with tiered storage.",
    "max.compaction.lag.ms": "The longest time a record escapes compaction.",
    "max.message.bytes": "The largest batch the topic takes, compressed.",
    "message.timestamp.after.max.ms": "How far a record's time may lie ahead of the broker's.",
    "message.timestamp.before.max.ms": "How far a record's time may lie behind the broker's.",
    "message.timestamp.type": "Whether records bear their producer's time or the broker's.",
    "min.cleanable.dirty.ratio": "The share of the log that has to be dirty before compaction.",
    "min.compaction.lag.ms": "The shortest time a record escapes compaction.",
    "min.insync.replicas": "How many replicas must have a record that is asked for with acks=all.",
    "preallocate": "Whether a segment's file is made in its full size.",
    "remote.log.copy.disable": "Whether tiered storage is read and no longer written.",
    "remote.log.delete.on.disable": "Whether tiered data go when tiered storage is disabled.",
    "remote.storage.enable": "Whether the topic uses tiered storage.",
    "retention.bytes": "How many bytes of a partition are kept; -1 knows no limit.",
    "retention.ms": "How long records are kept; -1 keeps them for ever.",
    "segment.bytes": "The size at which a new segment is begun.",
    "segment.index.bytes": "The largest size of an offset index.",
    "segment.jitter.ms": "By how much at random a segment is begun earlier.",
    "segment.ms": "The age at which a new segment is begun.",
    "unclean.leader.election.enable": "Whether a replica that lags may lead, losing records.",
}

_OF_BROKERS: Mapping[str, str] = {
    "auto.create.topics.enable": "Whether asking for a topic's metadata may make it.",
    "delete.topic.enable": "Whether topics may be deleted.",
    "num.partitions": "How many partitions a topic has for which none is said.",
    "default.replication.factor": "How many replicas a topic has for which none is said.",
    "socket.request.max.bytes": "The largest request; a larger one closes the connection.",
    "log.retention.check.interval.ms": "How often segments that may go are looked for.",
    "log.cleaner.backoff.ms": "How often logs to compact are looked for.",
    "log.initial.task.delay.ms": "How long after the start they are first looked for.",
    "fetch.max.bytes": "The largest answer to a fetch.",
    "producer.id.expiration.ms": "How long a partition remembers a producer that is silent.",
    "group.initial.rebalance.delay.ms": "How long an empty group waits for further members.",
    "group.min.session.timeout.ms": "The shortest session a member may ask for.",
    "group.max.session.timeout.ms": "The longest session a member may ask for.",
    "group.max.size": "The most members a group takes.",
    "offset.metadata.max.bytes": "The longest text that may be committed with an offset.",
    "offsets.retention.minutes": "How long committed offsets outlive their last use.",
    "offsets.retention.check.interval.ms": "How often outdated offsets are looked for.",
}

_TOPIC_NAMES = {broker_name: topic_name for topic_name, broker_name in BROKER_NAMES.items()}


def describe_topic_setting(name: str) -> str:
    """What a topic's setting is for."""
    return _OF_TOPICS[name]


def describe_broker_setting(name: str) -> str:
    """What a broker's setting is for."""
    if name in _TOPIC_NAMES:
        return f"For topics that do not say: {_OF_TOPICS[_TOPIC_NAMES[name]]}"
    return _OF_BROKERS.get(name, NOT_OBEYED)
