"""What takes part in transactions, and how it learns that one is over.

A partition of a topic gets a marker in its log; groups have their pending offsets count or dropped.
When that happens is decided in `transactions.py`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from station_sim.kafka.coordinator_partitions import OFFSETS_TOPIC
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.markers import make_marker
from station_sim.kafka.transaction import Producer, TopicPartition

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster


class TransactionParticipants:
    """The logs and groups of a cluster."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster

    def end(
        self, partitions: Iterable[TopicPartition], producer: Producer, *, commit: bool
    ) -> None:
        """Write markers and settle offsets, then wake who waits for committed records.

        Left out are partitions that are gone, and those that know a later epoch of the producer.
        Raises `RefusalError` (KAFKA_STORAGE_ERROR) for what cannot be written down; it may be asked
        again.
        """
        ended: list[PartitionLog] = []
        try:
            for topic, index in partitions:
                if topic == OFFSETS_TOPIC:
                    self._cluster.groups.end_transaction(producer.producer_id, index, commit=commit)
                    continue
                log = self._cluster.topics.partition(topic, index)
                if log is not None and self._is_marked(log, producer, commit):
                    ended.append(log)
        finally:
            self._cluster.wake(ended)

    def _is_marked(self, log: PartitionLog, producer: Producer, commit: bool) -> bool:
        now_ms = self._cluster.now_ms()
        marker = make_marker(producer.producer_id, producer.epoch, commit=commit, now_ms=now_ms)
        try:
            log.append_marker(marker, now_ms)
        except RefusalError as refused:
            if refused.code is ErrorCode.KAFKA_STORAGE_ERROR:
                raise
            return False
        self._cluster.appended(log, marker)
        return True
