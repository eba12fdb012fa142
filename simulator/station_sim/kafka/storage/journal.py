"""A journal of keyed records: the newest value of a key counts, no value means that it is gone.

Topics, groups, offsets, producer ids and transactions are kept in one; which records there are is
said where they are put. The file is frames of length, CRC-32C and MessagePack; it is written anew,
without what is outdated, whenever most of it is.
"""

import os
from collections.abc import Hashable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from struct import Struct
from typing import Any, Protocol, TypeVar, cast

import msgspec
from crc32c import crc32c

from station_sim.errors import LabError
from station_sim.kafka.storage.disk_trouble import DiskTrouble
from station_sim.kafka.storage.whole_writes import write_whole

T = TypeVar("T")
Key = tuple[str, ...]

_FRAME = Struct(">II")

OUTDATED_BYTES_KEPT = 1 << 20
"""The file is written anew when it holds this much that is outdated, and more than what counts."""


class Journal(Protocol):
    """Where state that has to survive is put; raises `RefusalError` (KAFKA_STORAGE_ERROR)."""

    def put(self, kind: str, key: Key, value: Any) -> None:
        """Keep a value (a dataclass of plain fields) under a key of its kind."""

    def drop(self, kind: str, key: Key) -> None:
        """Forget a key; one that is not there is fine."""

    def get(self, kind: str, key: Key, form: type[T]) -> T | None:
        """What is kept under a key; None if it is not there."""

    def values(self, kind: str, form: type[T]) -> Iterator[tuple[Key, T]]:
        """The keys of a kind with their values, in the order in which they first came."""


class NoJournal:
    """Keeps nothing: the journal of a cluster in memory."""

    def put(self, kind: str, key: Key, value: Any) -> None:
        """Keep nothing."""

    def drop(self, kind: str, key: Key) -> None:
        """Keep nothing."""

    def get(self, kind: str, key: Key, form: type[T]) -> T | None:
        """Nothing is kept."""
        return None

    def values(self, kind: str, form: type[T]) -> Iterator[tuple[Key, T]]:
        """Nothing is kept."""
        return iter(())


class JournalFile:
    """A journal in a file; raises `LabError` if the file cannot be read or is damaged.

    A frame that is cut short at the end was never acknowledged, and is dropped.
    """

    def __init__(self, path: Path, trouble: DiskTrouble | None = None) -> None:
        self._path = path
        self._trouble = trouble or DiskTrouble()
        self._payloads: dict[tuple[str, Key], bytes] = {}
        self._descriptor = -1
        self._size_bytes = 0
        self._live_bytes = 0
        if path.exists():
            self._replay(path.read_bytes())
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._descriptor, self._size_bytes)
        self._tidy(outdated_bytes_kept=0)

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

    def get(self, kind: str, key: Key, form: type[T]) -> T | None:
        """What is kept under a key; None if it is not there."""
        payload = self._payloads.get((kind, key))
        if payload is None:
            return None
        value: T = _decoder(cast(Hashable, form)).decode(payload)[2]
        return value

    def values(self, kind: str, form: type[T]) -> Iterator[tuple[Key, T]]:
        """The keys of a kind with their values, in the order in which they first came."""
        decoder = _decoder(cast(Hashable, form))
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
            self._size_bytes += _FRAME.size + len(payload)

    def _payloads_in(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at + _FRAME.size <= len(data):
            payload = _payload_at(data, at)
            if payload is None:
                if not _is_cut_short(data, at):
                    raise LabError(
                        f"the journal {self._path} is damaged at byte {at} of {len(data)}: "
                        "restore the folder from a copy, or begin with an empty one"
                    )
                return
            yield payload
            at += _FRAME.size + len(payload)

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
            raise self._trouble.refusal(self._path, error) from error
        self._size_bytes += len(frame)
        if self._trouble.is_on:
            self._trouble.is_over()

    def _tidy(self, outdated_bytes_kept: int | None = None) -> None:
        """Write the file anew if most of it is outdated; on a full disk, some other time."""
        kept_bytes = OUTDATED_BYTES_KEPT if outdated_bytes_kept is None else outdated_bytes_kept
        if self._size_bytes - self._live_bytes <= max(kept_bytes, self._live_bytes):
            return
        fresh = self._path.with_suffix(".new")
        try:
            self._write_anew(fresh)
        except OSError:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)

    def _write_anew(self, fresh: Path) -> None:
        """Write what counts to a new file, which then takes the old one's place."""
        frames = (_FRAME.pack(len(p), crc32c(p)) + p for p in self._payloads.values())
        fresh.write_bytes(b"".join(frames))
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CLOEXEC)
        fresh.replace(self._path)
        self.close()
        self._descriptor = descriptor
        self._size_bytes = self._live_bytes


def _payload_at(data: bytes, at: int) -> bytes | None:
    """The payload of the frame that begins there; None if there is no whole and sound one."""
    if at + _FRAME.size > len(data):
        return None
    size_bytes, checksum = _FRAME.unpack_from(data, at)
    end = at + _FRAME.size + size_bytes
    if size_bytes == 0 or end > len(data):
        return None
    payload = data[at + _FRAME.size : end]
    return payload if crc32c(payload) == checksum else None


def _is_cut_short(data: bytes, at: int) -> bool:
    """Whether a frame is the first part of one; with another behind it, its length is wrong."""
    size_bytes, _checksum = _FRAME.unpack_from(data, at)
    if at + _FRAME.size + size_bytes <= len(data):
        return False
    return not any(_payload_at(data, behind) for behind in range(at + 1, len(data)))


@cache
def _decoder(form: Hashable) -> "msgspec.msgpack.Decoder[Any]":
    return msgspec.msgpack.Decoder(tuple[str, Key, form])  # type: ignore[valid-type]  # at run time
