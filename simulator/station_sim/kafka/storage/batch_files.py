"""The batches of one partition on disk: a file for each segment, named by its first offset.

A file is the segment's batches, one after the other, as they lie in the log. What a segment is and
when one ends is decided in `logs.py`.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from struct import Struct

from station_sim.errors import LabError
from station_sim.kafka.batches import (
    HEADER_BYTES,
    LENGTH_OFFSET_BYTES,
    Batch,
    end_offset_of,
    parse_batch,
)
from station_sim.kafka.error_codes import RefusalError
from station_sim.kafka.storage.disk_trouble import DiskTrouble
from station_sim.kafka.storage.log_storage import StoredSegment
from station_sim.kafka.storage.open_files import OpenFiles
from station_sim.kafka.storage.whole_writes import write_whole

_FIRST = Struct(">qi")  # base offset, length
_OFFSET = Struct(">q")

_DIGITS = 20
"""Of an offset in a file's name; such names sort by offset."""


class BatchFiles:
    """The segment files in `folder`; raises `RefusalError` (KAFKA_STORAGE_ERROR) when refused."""

    def __init__(
        self, folder: Path, open_files: OpenFiles, trouble: DiskTrouble | None = None
    ) -> None:
        self._folder = folder
        self._open_files = open_files
        self._trouble = trouble or DiskTrouble()
        self._sizes_bytes: dict[int, int] = {}

    def append(self, segment_offset: int, data: bytes) -> None:
        """Write a batch to the end of the segment that begins at `segment_offset`."""
        path = self._path(segment_offset)
        size_bytes = self._sizes_bytes.get(segment_offset, 0)
        try:
            if size_bytes == 0:
                self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._open_files.descriptor(path), data, at_bytes=size_bytes)
        except OSError as error:
            raise self._trouble.refusal(path, error) from error
        self._sizes_bytes[segment_offset] = size_bytes + len(data)
        if self._trouble.is_on:
            self._trouble.is_over()

    def replace(self, segment_offset: int, batches: Sequence[Batch]) -> None:
        """Put other batches in a segment's place, all or none of them; its age stays.

        Where segments are merged into the first of them, replace that one, then delete the others:
        what a kill leaves of them is left out at the start.
        """
        path = self._path(segment_offset)
        fresh = path.with_suffix(".new")
        data = b"".join(batch.data for batch in batches)
        try:
            modified_s = path.stat().st_mtime
            fresh.write_bytes(data)
            os.utime(fresh, (modified_s, modified_s))
            self._open_files.close(path)
            fresh.replace(path)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise self._trouble.refusal(path, error) from error
        self._sizes_bytes[segment_offset] = len(data)

    def delete(self, segment_offset: int) -> None:
        """Delete a segment's file."""
        path = self._path(segment_offset)
        self._open_files.close(path)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise self._trouble.refusal(path, error) from error
        self._sizes_bytes.pop(segment_offset, None)

    def remove(self) -> None:
        """Delete the whole folder, with its partition."""
        for segment_offset in tuple(self._sizes_bytes):
            self._open_files.close(self._path(segment_offset))
        self._sizes_bytes.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # the topic's folder, unless another partition is left
            self._folder.parent.rmdir()

    def load(self) -> Iterator[StoredSegment]:
        """Every segment, in order.

        What is cut short at the end of the last file was never acknowledged, and is dropped. Raises
        `LabError` for a file that is damaged elsewhere.
        """
        for left_over in self._folder.glob("*.new"):
            left_over.unlink()
        paths = sorted(self._folder.glob("*.log"))
        for path in paths:
            data = path.read_bytes()
            modified_at_ms = int(path.stat().st_mtime * 1000)
            batches = list(_batches_in(data, path))
            size_bytes = sum(len(batch.data) for batch in batches)
            if size_bytes < len(data):
                if path != paths[-1]:
                    raise _damage(path, f"it ends within a batch at byte {size_bytes}")
                os.truncate(path, size_bytes)
            self._sizes_bytes[int(path.stem)] = size_bytes
            yield StoredSegment(int(path.stem), modified_at_ms, batches)

    def _path(self, segment_offset: int) -> Path:
        return self._folder / f"{segment_offset:0{_DIGITS}}.log"


def _damage(path: Path, what: str) -> LabError:
    return LabError(
        f"{path} is damaged: {what}; restore the folder from a copy, or begin with an empty one"
    )


def _batches_in(data: bytes, path: Path) -> Iterator[Batch]:
    """The whole batches in a file; raises `LabError` for one that is not in order."""
    at = 0
    while at + _FIRST.size <= len(data):
        end = at + LENGTH_OFFSET_BYTES + _FIRST.unpack_from(data, at)[1]
        if end > len(data):
            if _goes_on_behind(data, at):
                raise _damage(path, f"the length of the batch at byte {at} is wrong")
            return
        try:
            batch = parse_batch(data[at:end])
        except RefusalError as error:
            raise _damage(path, f"at byte {at}, {error.message}") from error
        yield batch
        at = end


def _goes_on_behind(data: bytes, at: int) -> bool:
    """Whether a batch that seems to be cut short has another behind it: then its length is wrong.

    Looks for the offset at which that one would begin.
    """
    if at + 2 * HEADER_BYTES > len(data):
        return False
    offset = _OFFSET.pack(end_offset_of(data[at:]))
    behind = data.find(offset, at + HEADER_BYTES)
    while 0 <= behind <= len(data) - HEADER_BYTES:
        end = behind + LENGTH_OFFSET_BYTES + _FIRST.unpack_from(data, behind)[1]
        with suppress(RefusalError):
            parse_batch(data[behind:end])
            return True
        behind = data.find(offset, behind + 1)
    return False
