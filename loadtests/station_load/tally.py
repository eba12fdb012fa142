"""The accounts of a run: which results came, how late, and which records never had one.

A record is known by its station and its number there. What was acknowledged to the senders comes as
`Ranges`; results come one by one from `results.py`. Rates and verdicts are made in `report.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hdrh.histogram import HdrHistogram

from station_load.ranges import Ranges

LATENCY_MAX_US = 3_600_000_000
SIGNIFICANT_DIGITS = 3
EXAMPLES_MAX = 3
COUNT_MAX = 255
"""A record's results are counted in one byte."""


class Tally:
    """Results by station and record number, and their latencies in microseconds."""

    def __init__(self) -> None:
        self.processed = 0
        self.duplicates = 0
        self.last_seen_s: float | None = None
        self._counts: dict[str, bytearray] = {}
        self._latencies: Any = HdrHistogram(1, LATENCY_MAX_US, SIGNIFICANT_DIGITS)

    def add(self, station: str, seq: int, *, due_s: float, seen_s: float) -> None:
        """A result of a record that was due at `due_s` was there at `seen_s`, epoch seconds.

        Only a record's first result counts as processed and has a latency; others are duplicates.
        """
        counts = self._counts.setdefault(station, bytearray())
        if seq >= len(counts):
            counts.extend(bytes(max(seq + 1 - len(counts), len(counts) // 2 + 64)))
        if counts[seq]:
            self.duplicates += 1
        else:
            self.processed += 1
            self.last_seen_s = seen_s
            latency_us = round((seen_s - due_s) * 1e6)
            self._latencies.record_value(min(max(latency_us, 1), LATENCY_MAX_US))
        counts[seq] = min(counts[seq] + 1, COUNT_MAX)

    def latency_ms(self, percentile: float) -> float | None:
        """A percentile (0 to 100) of the latencies in ms; None while nothing was processed."""
        if not self.processed:
            return None
        return float(self._latencies.get_value_at_percentile(percentile)) / 1000

    def missing(self, acknowledged: Mapping[str, Ranges]) -> int:
        """How many acknowledged records have no result."""
        return sum(
            self._missing_in(station, pair)
            for station, ranges in acknowledged.items()
            for pair in ranges.pairs
        )

    def missing_examples(self, acknowledged: Mapping[str, Ranges]) -> list[str]:
        """A few acknowledged records without a result, as `station/number`."""
        found: list[str] = []
        for station, ranges in acknowledged.items():
            counts = self._counts.get(station, bytearray())
            for first, last in ranges.pairs:
                for seq in range(first, last + 1):
                    if seq >= len(counts) or not counts[seq]:
                        found.append(f"{station}/{seq}")
                        if len(found) == EXAMPLES_MAX:
                            return found
        return found

    def _missing_in(self, station: str, pair: Sequence[int]) -> int:
        first, last = pair
        counts = self._counts.get(station, bytearray())
        have = counts[first : last + 1]
        return have.count(0) + (last - first + 1 - len(have))
