"""The truth: for every record what the world said, when it was due, sent and acknowledged, and
where it landed.

Only book-keeping. Sending is `gateway`'s; judging a service by it is the checker's.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from station_sim.streams.record import Record


class Fate(StrEnum):
    """What became of a record; acknowledgement is told by `Entry.acked_s`."""

    DUE = "due"  # said by the world, waiting in the gateway
    HELD = "held"  # kept back by a hold
    SENT = "sent"  # handed to the producer in its turn
    LATE = "late"  # handed to the producer after having been held
    FAILED = "failed"  # given up; a record that was sent before may have landed all the same


@dataclass(slots=True)
class Entry:
    """One record. Times in story seconds; `offset` is None until, or unless, it is known.

    `stations` are the ids that the record speaks of, empty where it is everybody's. `wire` are the
    bytes as sent.
    """

    seq: int
    topic: str
    key: str | None
    stations: tuple[str, ...]
    wire: bytes
    timestamp_ms: int
    due_s: float
    fate: Fate = Fate.DUE
    sent_s: float | None = None
    acked_s: float | None = None
    partition: int | None = None
    offset: int | None = None

    @property
    def value(self) -> Any:
        """The JSON value, decoded anew at every reading."""
        return orjson.loads(self.wire)


class Ledger:
    """All records of one story.

    Not thread-safe: it belongs to the loop that its gateway runs on. Sequences that queries return
    are the ledger's own and grow; copy what must not.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._sent_observers: list[Callable[[Entry], None]] = []
        self._by_station: defaultdict[tuple[str | None, str], list[Entry]] = defaultdict(list)
        self._by_partition: defaultdict[tuple[str, int], list[Entry]] = defaultdict(list)

    def observe_sent(self, observer: Callable[[Entry], None]) -> None:
        """Have `observer` called with each entry at the instant it is handed to the producer.

        Its partition is known then, its offset not yet.
        """
        self._sent_observers.append(observer)

    def record(self, record: Record) -> Entry:
        """Enter what the world said; it is due, and neither held nor sent."""
        entry = Entry(
            seq=len(self.entries),
            topic=record.topic,
            key=record.key,
            stations=record.stations,
            wire=record.value,
            timestamp_ms=record.timestamp_ms,
            due_s=record.due_ms / 1000,
        )
        self.entries.append(entry)
        return entry

    def hold(self, entry: Entry) -> None:
        """Note that the entry is kept back."""
        entry.fate = Fate.HELD

    def sent(self, entry: Entry, partition: int, at_s: float) -> None:
        """Note that the entry was handed to the producer, and tell the observers."""
        entry.fate = Fate.LATE if entry.fate is Fate.HELD else Fate.SENT
        entry.partition = partition
        entry.sent_s = at_s
        for station in entry.stations or (None,):
            self._by_station[station, entry.topic].append(entry)
        for observer in self._sent_observers:
            observer(entry)

    def acknowledged(self, entries: Sequence[Entry], base_offset: int, at_s: float) -> None:
        """Note that Kafka took a batch, in the order of `entries`.

        A negative `base_offset` says that the broker did not tell where: offsets stay unknown.
        """
        for offset, entry in enumerate(entries, start=base_offset):
            entry.acked_s = at_s
            if base_offset >= 0:
                assert entry.partition is not None
                entry.offset = offset
                self._place(entry, entry.partition, offset)

    def failed(self, entries: Sequence[Entry]) -> None:
        """Note that the gateway gave the entries up."""
        for entry in entries:
            entry.fate = Fate.FAILED

    def of_station(self, station: str | None, topic: str) -> Sequence[Entry]:
        """A station's sent entries of a topic in sending order; None: those that name nobody."""
        return self._by_station.get((station, topic), ())

    def in_partition(self, topic: str, partition: int) -> Sequence[Entry]:
        """Entries whose offset is known, ascending by offset."""
        return self._by_partition.get((topic, partition), ())

    def at_offset(self, topic: str, partition: int, offset: int) -> Entry | None:
        """The entry that landed there, or None if no acknowledged one did."""
        entries = self.in_partition(topic, partition)
        index = bisect_left(entries, offset, key=_offset)
        if index < len(entries) and entries[index].offset == offset:
            return entries[index]
        return None

    def partitions(self, topic: str) -> list[int]:
        """Partitions of a topic in which acknowledged entries lie, ascending."""
        return sorted(partition for name, partition in self._by_partition if name == topic)

    def stations(self, topic: str) -> list[str]:
        """Stations that sent entries of a topic name, ascending."""
        return sorted(each for each, name in self._by_station if name == topic and each is not None)

    def counts(self) -> dict[str, dict[str, int]]:
        """Per topic: entries by fate, and `acknowledged` of them."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for entry in self.entries:
            counts[entry.topic][entry.fate.value] += 1
            counts[entry.topic]["acknowledged"] += entry.acked_s is not None
        return {topic: dict(counts[topic]) for topic in sorted(counts)}

    def _place(self, entry: Entry, partition: int, offset: int) -> None:
        entries = self._by_partition[entry.topic, partition]
        if not entries or _offset(entries[-1]) < offset:
            entries.append(entry)
        else:
            entries.insert(bisect_left(entries, offset, key=_offset), entry)


def _offset(entry: Entry) -> int:
    assert entry.offset is not None
    return entry.offset
