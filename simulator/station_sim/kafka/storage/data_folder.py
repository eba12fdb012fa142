"""The folder in which a cluster keeps its data: one cluster at a time, its journal, its batches."""

import fcntl
import os
import shutil
from pathlib import Path
from uuid import UUID

from station_sim.errors import LabError
from station_sim.kafka.storage.batch_files import BatchFiles
from station_sim.kafka.storage.disk_trouble import DiskTrouble
from station_sim.kafka.storage.journal import Journal, JournalFile
from station_sim.kafka.storage.log_folder import LogFolder
from station_sim.kafka.storage.log_storage import LogStorage
from station_sim.kafka.storage.open_files import OpenFiles

LOCK = ".lock"
VERSION = "version"
JOURNAL = "journal"
TOPICS = "topics"

FORMAT = "station-lab data 1"
"""What the file `version` says; another form of anything in the folder has another number."""

_IN_AN_EMPTY_FOLDER = frozenset({LOCK, f"{VERSION}.new", "lost+found"})


class DataFolder:
    """An open data folder; raises `LabError` if it cannot be used, or another cluster uses it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _lock(path)
        self._open_files = OpenFiles()
        self._trouble = DiskTrouble()
        try:
            _check_version(path)
            self._journal_file = JournalFile(path / JOURNAL, self._trouble)
        except OSError as error:
            os.close(self._lock)
            raise LabError(f"cannot use the data folder {path}: {error.strerror}") from error
        except LabError:
            os.close(self._lock)
            raise

    @property
    def journal(self) -> Journal:
        """Where all is kept that lies in no log."""
        return self._journal_file

    def log(self, topic_id: UUID, partition: int) -> LogStorage:
        """Where the log of a partition is kept."""
        key = (str(topic_id), str(partition))
        return LogFolder(self.batch_files(topic_id, partition), self.journal, key)

    def batch_files(self, topic_id: UUID, partition: int) -> BatchFiles:
        """The files of one partition."""
        folder = self.path / TOPICS / str(topic_id) / str(partition)
        return BatchFiles(folder, self._open_files, self._trouble)

    def keep_topics(self, topic_ids: set[UUID]) -> None:
        """Delete what is left of all other topics: their deletion was cut short."""
        folders = self.path / TOPICS
        names = {str(topic_id) for topic_id in topic_ids}
        for folder in folders.iterdir() if folders.exists() else ():
            if folder.name not in names:
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Close everything; another cluster may have the folder then. A second is harmless."""
        if self._lock < 0:
            return
        self._open_files.close_all()
        self._journal_file.close()
        os.close(self._lock)
        self._lock = -1


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


def _check_version(path: Path) -> None:
    """Raise `LabError` unless the folder is one of this version, or empty: then it becomes one."""
    version = path / VERSION
    if version.exists():
        said = version.read_text(errors="replace").strip()
        if said != FORMAT:
            raise LabError(
                f"the data folder {path} is of another version, {said[:40]!r}; this one reads "
                f"{FORMAT!r}: name another folder, or take the version that made it"
            )
        return
    others = sorted(set(os.listdir(path)) - _IN_AN_EMPTY_FOLDER)
    if others:
        (path / LOCK).unlink()
        raise LabError(
            f"the folder {path} holds other things than a broker's data, as {others[0]!r}; "
            "name a new or an empty folder"
        )
    fresh = version.with_suffix(".new")
    fresh.write_text(f"{FORMAT}\n")
    fresh.replace(version)
