"""When the broker looks for logs to compact.

Kafka's log cleaner looks every `log.cleaner.backoff.ms` from the start on, and takes the logs that
are compacted and deleted from retention. What a log loses is decided in `compaction.py`.
"""

from typing import TYPE_CHECKING

from station_sim.kafka.compaction import compact_if_due, compaction_due_ms
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.regular_looks import RegularLooks
from station_sim.kafka.retention import retention_due_ms

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster


def cleaner_looks(cluster: "Cluster") -> RegularLooks:
    """Compacts logs at the instants Kafka's own cleaner would."""
    return RegularLooks(
        logs=cluster.topics.logs,
        now_ms=cluster.now_ms,
        initial_ms=lambda: 0,
        interval_ms=lambda: cluster.settings.log_cleaner_backoff_ms,
        due_of=_due_ms,
        act=_clean,
    )


def _due_ms(log: PartitionLog, now_ms: int) -> int | None:
    if not log.config.compacts:
        return None
    due = (compaction_due_ms(log), retention_due_ms(log, now_ms))
    return min((each for each in due if each is not None), default=None)


def _clean(log: PartitionLog, now_ms: int) -> None:
    if log.config.compacts:
        compact_if_due(log, now_ms)
        log.delete_old_segments(now_ms)
