"""How often records were handled, life by life. What may be is decided elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Tally:
    """Counts of one run.

    A life is one start of a service. `again` are, for each life after the first, the records that
    an earlier life had handled: what the kill cost. `twice` counts what one life handled twice.
    """

    kills: int
    records: int
    handled: int
    again: tuple[int, ...]
    twice: int

    @classmethod
    def of(
        cls, kills: int, lives: int, records: int, handled: Iterable[tuple[int, int]]
    ) -> "Tally":
        """Count (life, record) pairs; lives are numbered from 1."""
        count = 0
        by_life: dict[int, set[int]] = {life: set() for life in range(1, lives + 1)}
        for life, number in handled:
            count += 1
            by_life[life].add(number)
        before: set[int] = set()
        again = []
        for own in by_life.values():
            again.append(len(own & before))
            before |= own
        twice = count - sum(map(len, by_life.values()))
        return cls(kills, records, count, tuple(again[1:]), twice)

    @property
    def duplicates(self) -> int:
        """How often a record was handled that had been handled before."""
        return sum(self.again) + self.twice

    @property
    def largest(self) -> int:
        """The most duplicates that one kill has caused."""
        return max(self.again, default=0)

    def line(self) -> str:
        """The counts in one line of text."""
        middle = median(self.again) if self.again else 0
        return (
            f"{self.kills} kills, {self.records} records, {self.handled} handled,"
            f" {self.duplicates} duplicates; by one kill {self.largest} at most,"
            f" {middle:g} in the middle; twice in one life {self.twice}"
        )
