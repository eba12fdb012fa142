"""When the broker looks for segments that retention no longer keeps.

Of logs that are compacted too, the cleaner takes care (`cleaner.py`), as in Apache Kafka. What goes
is decided in `logs.py`.
"""

from typing import TYPE_CHECKING

from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.regular_looks import RegularLooks

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster


def retention_looks(cluster: "Cluster") -> RegularLooks:
    """Deletes old segments at the instants Kafka's own log manager would."""
    return RegularLooks(
        logs=cluster.topics.logs,
        now_ms=cluster.now_ms,
        initial_ms=lambda: cluster.settings.log_initial_task_delay_ms,
        interval_ms=lambda: cluster.settings.log_retention_check_interval_ms,
        due_of=lambda log, now_ms: None if log.config.compacts else retention_due_ms(log, now_ms),
        act=lambda log, now_ms: log.config.compacts or log.delete_old_segments(now_ms),
    )


def retention_due_ms(log: PartitionLog, now_ms: int) -> int | None:
    """When retention may take something from a log; None if it never will."""
    config = log.config
    if config.deletes and 0 <= config.retention_bytes < log.size_bytes:
        return now_ms
    return log.expires_at_ms()
