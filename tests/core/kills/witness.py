"""Sees what services do with the simulated Kafka, at the instant, and notes what may not be.

It looks at every append, every commit and every callback, and shares no code with the service.
"""

import json
from collections import Counter
from typing import Any

from aiokafka.record.memory_records import MemoryRecords

from station_sim.kafka.batches import Batch

TOPIC = "OWN-DATA"
OUTPUT = "MODULE-OUTPUT-M"
PARTITIONS = 2
STATIONS = 3
WINDOW = 3


class Witness:
    """An observer of the cluster that callbacks report to as well.

    Records are numbered; `wrong` has a line for each thing that may not be. `begins_anew` says that
    a window may do so in the middle of a life, which others may have taken the partition from.
    """

    def __init__(self, *, begins_anew: bool) -> None:
        self.handled: list[tuple[int, int]] = []
        self.uploaded: Counter[int] = Counter()
        self.committed_offsets: dict[int, int] = dict.fromkeys(range(PARTITIONS), 0)
        self.wrong: list[str] = []
        self._begins_anew = begins_anew
        self._log: dict[int, list[int]] = {partition: [] for partition in range(PARTITIONS)}
        self._places: dict[int, tuple[int, int]] = {}
        self._seen: dict[tuple[int, int], list[int]] = {}

    @property
    def records(self) -> list[int]:
        """The numbers of all records written."""
        return sorted(self._places)

    @property
    def at_end(self) -> bool:
        """Whether everything written is committed."""
        return all(len(log) == self.committed_offsets[at] for at, log in self._log.items())

    # What the cluster tells.

    def appended(
        self, topic: str, partition: int, base_offset: int, batch: Batch, at: float
    ) -> None:
        """Note what was written."""
        for value in _values(batch):
            if topic == TOPIC:
                self.place(value["n"], partition)
            elif topic == OUTPUT:
                self.uploaded[value["output"]["n"]] += 1

    def place(self, number: int, partition: int) -> None:
        """Note a record behind the others of its partition."""
        self._places[number] = (partition, len(self._log[partition]))
        self._log[partition].append(number)

    def committed(
        self, group: str, topic: str, partition: int, offset: int, metadata: str, at: float
    ) -> None:
        """Check that everything below a commit is handled and uploaded, and none goes back."""
        before = self.committed_offsets[partition]
        if offset < before:
            self._note(f"partition {partition}: commit goes back from {before} to {offset}")
        handled = {number for _, number in self.handled}
        for below, number in enumerate(self._log[partition][:offset]):
            if number not in handled or not self.uploaded[number]:
                self._note(f"partition {partition}: {offset} committed, {below} is not done")
        self.committed_offsets[partition] = offset

    # What callbacks tell.

    def hand(self, life: int, given: dict[str, Any]) -> None:
        """Note a callback; check that its record is not committed, and its window."""
        number = given["n"]
        partition, offset = self._places[number]
        if offset < self.committed_offsets[partition]:
            below = self.committed_offsets[partition]
            self._note(f"partition {partition}: {offset} handled again below commit {below}")
        self.handled.append((life, number))
        self._check_window(life, number, given["n_window"])

    def _check_window(self, life: int, number: int, window: list[int | None]) -> None:
        """A window has the newest points that this life has seen, without a hole."""
        seen = self._seen.setdefault((life, number % STATIONS), [])
        if seen and seen[-1] != number - STATIONS:
            seen.clear()
            if not self._begins_anew:
                self._note(f"life {life}: {number} does not follow what it handled before")
        seen.append(number)
        shortest = 1 if self._begins_anew else min(len(seen), WINDOW)
        allowed = [
            [None] * (WINDOW - size) + seen[-size:]
            for size in range(shortest, min(len(seen), WINDOW) + 1)
        ]
        if window not in allowed:
            self._note(f"life {life}: the window of {number} is {window}, expected {allowed[-1]}")

    # At the end.

    def close(self) -> list[str]:
        """Return what may not be, records that were never handled or uploaded included."""
        handled = {number for _, number in self.handled}
        missing = [number for number in self.records if number not in handled]
        lost = [number for number in self.records if not self.uploaded[number]]
        if missing:
            self._note(f"never handled: {missing}")
        if lost:
            self._note(f"no result: {lost}")
        return self.wrong

    def _note(self, text: str) -> None:
        self.wrong.append(text)


def _values(batch: Batch) -> list[Any]:
    records = MemoryRecords(batch.data)
    found: list[Any] = []
    while records.has_next():
        found.extend(json.loads(record.value) for record in records.next_batch())
    return found
