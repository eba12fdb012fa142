"""What a partition's log asks of the place where it is kept, and the place that keeps nothing.

`logs.py` calls these before it changes anything in memory: what raises was refused, and is not in
the log. The place on disk is in `log_folder.py`, how a log is found again in `log_recovery.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from station_sim.kafka.batches import Batch
from station_sim.kafka.producers import ProducerSnapshot, ProducerStates
from station_sim.kafka.transaction_index import TransactionIndex, TransactionsSnapshot


@dataclass(frozen=True, slots=True)
class LogState:
    """Of a log what its batches do not tell; `epochs` are leader epochs with their first offset."""

    start_offset: int
    epochs: tuple[tuple[int, int], ...]
    node_ids: tuple[int, ...]
    leader_id: int


@dataclass(frozen=True, slots=True)
class ProducersSnapshot:
    """What the batches below `end_offset` say of producers and their transactions."""

    end_offset: int
    producers: tuple[ProducerSnapshot, ...]
    transactions: TransactionsSnapshot


class StoredSegment(NamedTuple):
    """A segment as it was found; `modified_at_ms` is epoch ms."""

    base_offset: int
    modified_at_ms: int
    batches: list[Batch]


class LogStorage(Protocol):
    """Where one log is kept; raises `RefusalError` (KAFKA_STORAGE_ERROR) for what is not."""

    def append(self, segment_offset: int, data: bytes) -> None:
        """Keep a batch at the end of the segment that begins at `segment_offset`."""

    def replace(self, segment_offset: int, batches: Sequence[Batch]) -> None:
        """Put other batches in a segment's place, all or none of them."""

    def delete(self, segment_offset: int) -> None:
        """Forget a segment."""

    def remove(self) -> None:
        """Forget the log."""

    def keep_state(self, state: LogState) -> None:
        """Keep what batches do not tell."""

    def keep_producers(
        self, end_offset: int, producers: ProducerStates, transactions: TransactionIndex
    ) -> None:
        """Keep what is known of producers in a log that ends at `end_offset`."""

    def segments(self) -> Iterable[StoredSegment]:
        """What was kept, in order; raises `LabError` if it is damaged."""

    def state(self) -> LogState | None:
        """What was kept by `keep_state`."""

    def producers(self) -> ProducersSnapshot | None:
        """What was kept by `keep_producers`."""


class Unstored:
    """Keeps nothing: where the logs of a cluster in memory are."""

    def append(self, segment_offset: int, data: bytes) -> None:
        """Keep nothing."""

    def replace(self, segment_offset: int, batches: Sequence[Batch]) -> None:
        """Keep nothing."""

    def delete(self, segment_offset: int) -> None:
        """Nothing is there."""

    def remove(self) -> None:
        """Nothing is there."""

    def keep_state(self, state: LogState) -> None:
        """Keep nothing."""

    def keep_producers(
        self, end_offset: int, producers: ProducerStates, transactions: TransactionIndex
    ) -> None:
        """Keep nothing."""

    def segments(self) -> Iterable[StoredSegment]:
        """Nothing was kept."""
        return ()

    def state(self) -> LogState | None:
        """Nothing was kept."""
        return None

    def producers(self) -> ProducersSnapshot | None:
        """Nothing was kept."""
        return None
