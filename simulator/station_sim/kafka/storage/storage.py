"""Where a cluster keeps its state: a journal, and a place for each log. Or nowhere.

The place on disk is in `data_folder.py`.
"""

from typing import Protocol
from uuid import UUID

from station_sim.kafka.storage.journal import Journal, NoJournal
from station_sim.kafka.storage.log_storage import LogStorage, Unstored


class Storage(Protocol):
    """What a cluster is given at its start; it finds there what it was when it ended."""

    @property
    def journal(self) -> Journal:
        """Where all is kept that lies in no log."""

    def log(self, topic_id: UUID, partition: int) -> LogStorage:
        """Where the log of a partition is kept."""

    def keep_topics(self, topic_ids: set[UUID]) -> None:
        """Forget the logs of all other topics: their deletion was cut short."""


class InMemory:
    """Keeps nothing: a cluster's state ends with its process."""

    def __init__(self) -> None:
        self.journal: Journal = NoJournal()

    def log(self, topic_id: UUID, partition: int) -> LogStorage:
        """A place that keeps nothing."""
        return Unstored()

    def keep_topics(self, topic_ids: set[UUID]) -> None:
        """Nothing is there."""
