"""The folder in which a cluster keeps its data: one cluster at a time, its journal, its batches."""

import fcntl
import os
from pathlib import Path
from uuid import UUID

from station_sim.errors import LabError
from station_sim.kafka.storage.batch_files import BatchFiles
from station_sim.kafka.storage.journal import JournalFile
from station_sim.kafka.storage.open_files import OpenFiles

LOCK = ".lock"
JOURNAL = "journal"
TOPICS = "topics"


class DataFolder:
    """An open data folder; raises `LabError` if it cannot be used, or another cluster uses it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _lock(path)
        self._open_files = OpenFiles()
        try:
            self.journal = JournalFile(path / JOURNAL)
        except OSError as error:
            os.close(self._lock)
            raise LabError(f"cannot use the data folder {path}: {error.strerror}") from error
        except LabError:
            os.close(self._lock)
            raise

    def batch_files(self, topic_id: UUID, partition: int) -> BatchFiles:
        """The files of one partition."""
        return BatchFiles(self.path / TOPICS / str(topic_id) / str(partition), self._open_files)

    def close(self) -> None:
        """Close everything; another cluster may have the folder then."""
        self._open_files.close_all()
        self.journal.close()
        os.close(self._lock)


def _lock(path: Path) -> int:
    """Take the folder for this process; the lock ends with it, however it ends."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise LabError(
            f"cannot use the data folder {path}: {error.strerror}; name one that can be written"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LabError(
            f"the data folder {path} is in use by another broker: end that one, or name another"
        ) from error
    return descriptor
