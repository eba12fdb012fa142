"""A journal of keyed records: the newest value of a key counts, no value means that it is gone.

Topics, groups, offsets, producer ids and transactions are kept in one; which records there are is
said where they are put. The file is frames of length, CRC-32C and MessagePack; it is written anew,
without what is outdated, at every start and whenever most of it is.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Any, Protocol, TypeVar

import msgspec
from crc32c import crc32c

from station_sim.errors import LabError
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.storage.whole_writes import write_whole

T = TypeVar("T")
Key = tuple[str, ...]

_FRAME = Struct(">II")

OUTDATED_BYTES_KEPT = 16 << 20
"""The file is written anew when it holds this much that is outdated, and more than what counts."""


class Journal(Protocol):
    """Where state that has to survive is put; raises `RefusalError` (KAFKA_STORAGE_ERROR)."""

    def put(self, kind: str, key: Key, value: Any) -> None:
        """Keep a value (a dataclass of plain fields) under a key of its kind."""

    def drop(self, kind: str, key: Key) -> None:
        """Forget a key; one that is not there is fine."""


class NoJournal:
    """Keeps nothing: the journal of a cluster in memory."""

    def put(self, kind: str, key: Key, value: Any) -> None:
        """Keep nothing."""

    def drop(self, kind: str, key: Key) -> None:
        """Keep nothing."""


class JournalFile:
    """A journal in a file; raises `LabError` if the file cannot be read or is damaged.

    A frame that is cut short at the end was never acknowledged, and is dropped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._payloads: dict[tuple[str, Key], bytes] = {}
        self._descriptor = -1
        self._size_bytes = 0
        self._live_bytes = 0
        if path.exists():
            self._replay(path.read_bytes())
        self._write_anew()

    def put(self, kind: str, key: Key, value: Any) -> None:
        """Write a value down and keep it."""
        payload = msgspec.msgpack.encode((kind, key, value))
        if self._payloads.get((kind, key)) == payload:
            return
        self._append(payload)
        self._keep(kind, key, payload)
        self._tidy()

    def drop(self, kind: str, key: Key) -> None:
        """Write down that a key is gone."""
        if (kind, key) in self._payloads:
            self._append(msgspec.msgpack.encode((kind, key, None)))
            self._keep(kind, key, None)
            self._tidy()

    def values(self, kind: str, form: type[T]) -> Iterator[tuple[Key, T]]:
        """The keys of a kind with their values, in the order in which they first came."""
        decoder = msgspec.msgpack.Decoder(tuple[str, Key, form])  # type: ignore[valid-type]
        for (of_kind, key), payload in tuple(self._payloads.items()):
            if of_kind == kind:
                yield key, decoder.decode(payload)[2]

    def close(self) -> None:
        """Close the file; nothing can be put any more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _replay(self, data: bytes) -> None:
        for payload in self._payloads_in(data):
            kind, key, value = msgspec.msgpack.decode(payload)
            self._keep(kind, tuple(key), None if value is None else payload)

    def _payloads_in(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at + _FRAME.size <= len(data):
            size_bytes, checksum = _FRAME.unpack_from(data, at)
            payload = data[at + _FRAME.size : at + _FRAME.size + size_bytes]
            if len(payload) < size_bytes:
                return
            if checksum != crc32c(payload):
                raise LabError(
                    f"the journal {self._path} is damaged at byte {at} of {len(data)}: "
                    "restore the folder from a copy, or begin with an empty one"
                )
            yield payload
            at += _FRAME.size + size_bytes

    def _keep(self, kind: str, key: Key, payload: bytes | None) -> None:
        before = self._payloads.get((kind, key))
        if before is not None:
            self._live_bytes -= _FRAME.size + len(before)
        if payload is None:
            self._payloads.pop((kind, key), None)
        else:
            self._payloads[kind, key] = payload
            self._live_bytes += _FRAME.size + len(payload)

    def _append(self, payload: bytes) -> None:
        frame = _FRAME.pack(len(payload), crc32c(payload)) + payload
        try:
            write_whole(self._descriptor, frame, at_bytes=self._size_bytes)
        except OSError as error:
            raise RefusalError(
                ErrorCode.KAFKA_STORAGE_ERROR, f"cannot write {self._path}: {error.strerror}"
            ) from error
        self._size_bytes += len(frame)

    def _tidy(self) -> None:
        outdated_bytes = self._size_bytes - self._live_bytes
        if outdated_bytes > max(OUTDATED_BYTES_KEPT, self._live_bytes):
            self._write_anew()

    def _write_anew(self) -> None:
        """Write what counts to a new file, which then takes the old one's place."""
        fresh = self._path.with_suffix(".new")
        frames = (_FRAME.pack(len(p), crc32c(p)) + p for p in self._payloads.values())
        fresh.write_bytes(b"".join(frames))
        fresh.replace(self._path)
        self.close()
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        self._size_bytes = self._live_bytes
