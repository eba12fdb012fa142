"""The batches of one partition on disk: a file for each segment, named by its first offset.

A file is the segment's batches, one after the other, as they lie in the log. What a segment is and
when one ends is decided in `logs.py`.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct

from station_sim.errors import LabError
from station_sim.kafka.batches import LENGTH_OFFSET_BYTES, Batch, parse_batch
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.storage.open_files import OpenFiles
from station_sim.kafka.storage.whole_writes import write_whole

_FIRST = Struct(">qi")  # base offset, length

_DIGITS = 20
"""Of an offset in a file's name; such names sort by offset."""


class BatchFiles:
    """The segment files in `folder`; raises `RefusalError` (KAFKA_STORAGE_ERROR) when refused."""

    def __init__(self, folder: Path, open_files: OpenFiles) -> None:
        self._folder = folder
        self._open_files = open_files
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
            raise _refusal(path, error) from error
        self._sizes_bytes[segment_offset] = size_bytes + len(data)

    def replace(self, segment_offset: int, batches: Sequence[Batch]) -> None:
        """Put other batches in a segment's place."""
        path = self._path(segment_offset)
        fresh = path.with_suffix(".new")
        data = b"".join(batch.data for batch in batches)
        try:
            fresh.write_bytes(data)
            self._open_files.close(path)
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise _refusal(path, error) from error
        self._sizes_bytes[segment_offset] = len(data)

    def delete(self, segment_offset: int) -> None:
        """Delete a segment's file."""
        self._sizes_bytes.pop(segment_offset, None)
        path = self._path(segment_offset)
        self._open_files.close(path)
        path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the whole folder, with its partition."""
        for segment_offset in tuple(self._sizes_bytes):
            self._open_files.close(self._path(segment_offset))
        self._sizes_bytes.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def load(self) -> Iterator[tuple[int, float, list[Batch]]]:
        """First offset, time of the last change (epoch s) and batches of each segment, in order.

        What is cut short at the end of a file was never acknowledged, and is dropped. Raises
        `LabError` for a file that is damaged elsewhere.
        """
        for path in sorted(self._folder.glob("*.log")):
            data = path.read_bytes()
            try:
                batches = list(_batches_in(data))
            except RefusalError as error:
                raise LabError(
                    f"{path} is damaged: {error.message}; restore the folder from a copy, or "
                    "begin with an empty one"
                ) from error
            size_bytes = sum(len(batch.data) for batch in batches)
            if size_bytes < len(data):
                os.truncate(path, size_bytes)
            self._sizes_bytes[int(path.stem)] = size_bytes
            yield int(path.stem), path.stat().st_mtime, batches

    def _path(self, segment_offset: int) -> Path:
        return self._folder / f"{segment_offset:0{_DIGITS}}.log"


def _refusal(path: Path, error: OSError) -> RefusalError:
    return RefusalError(
        ErrorCode.KAFKA_STORAGE_ERROR, f"cannot write {path}: {error.strerror or error}"
    )


def _batches_in(data: bytes) -> Iterator[Batch]:
    """The whole batches in a file; raises `RefusalError` for one that is not in order."""
    at = 0
    while at + _FIRST.size <= len(data):
        end = at + LENGTH_OFFSET_BYTES + _FIRST.unpack_from(data, at)[1]
        if end > len(data):
            return
        yield parse_batch(data[at:end])
        at = max(end, at + 1)
