"""Where one log is kept on disk: its batches in files, the rest in the cluster's journal.

Producers are kept whenever a segment begins, as Apache Kafka does: what later batches say of them
is read from those at the start, however many older ones are deleted or compacted meanwhile.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from station_sim.kafka.batches import Batch
from station_sim.kafka.error_codes import RefusalError
from station_sim.kafka.producers import ProducerStates
from station_sim.kafka.storage.batch_files import BatchFiles
from station_sim.kafka.storage.journal import Journal, Key
from station_sim.kafka.storage.log_storage import LogState, ProducersSnapshot, StoredSegment
from station_sim.kafka.transaction_index import TransactionIndex

STATE, PRODUCERS = "log", "producers"
"""Kinds of journal records."""


class LogFolder:
    """The files of one log, and its records in the journal under `key`."""

    def __init__(self, files: BatchFiles, journal: Journal, key: Key) -> None:
        self._files = files
        self._journal = journal
        self._key = key

    def append(self, segment_offset: int, data: bytes) -> None:
        """Write a batch to the end of a segment's file."""
        self._files.append(segment_offset, data)

    def replace(self, segment_offset: int, batches: Sequence[Batch]) -> None:
        """Put other batches in a segment's place, all or none of them."""
        self._files.replace(segment_offset, batches)

    def delete(self, segment_offset: int) -> None:
        """Delete a segment's file."""
        self._files.delete(segment_offset)

    def remove(self) -> None:
        """Delete all files and records of the log."""
        self._files.remove()
        with suppress(RefusalError):  # they are of no use without their topic, and do no harm
            self._journal.drop(STATE, self._key)
            self._journal.drop(PRODUCERS, self._key)

    def keep_state(self, state: LogState) -> None:
        """Keep what batches do not tell."""
        self._journal.put(STATE, self._key, state)

    def keep_producers(
        self, end_offset: int, producers: ProducerStates, transactions: TransactionIndex
    ) -> None:
        """Keep what is known of producers; nothing need be kept where nothing is known."""
        snapshot = ProducersSnapshot(end_offset, producers.snapshot(), transactions.snapshot())
        if snapshot.producers or snapshot.transactions.aborted:
            self._journal.put(PRODUCERS, self._key, snapshot)
        else:
            self._journal.drop(PRODUCERS, self._key)

    def segments(self) -> Iterator[StoredSegment]:
        """What is in the files."""
        return self._files.load()

    def state(self) -> LogState | None:
        """What was kept by `keep_state`."""
        return self._journal.get(STATE, self._key, LogState)

    def producers(self) -> ProducersSnapshot | None:
        """What was kept by `keep_producers`."""
        return self._journal.get(PRODUCERS, self._key, ProducersSnapshot)
