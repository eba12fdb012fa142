"""Records that were polled and not yet handed to the engine, and in which order they go.

Every round takes from each partition, sorted, a bounded number: none waits while another drains. A
round with room for fewer records than there are partitions goes on where the last such one ended.
A run is of one partition, and the next one of another that waits. So between two records of a
partition that waits, every other one has handed over at most `per_partition` records and one more.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

Partition = TypeVar("Partition", bound=tuple[str, int])


class Backlog:
    """Records by partition, in the order of their offsets.

    Args:
        per_partition: most records that one round takes from one partition.
    """

    def __init__(self, per_partition: int) -> None:
        self._per_partition = per_partition
        self._waiting: dict[tuple[str, int], Any] = {}
        self._count = 0
        self._last_of_short: tuple[str, int] = ("", -1)

    def __len__(self) -> int:
        return self._count

    def add(self, tp: tuple[str, int], records: Any) -> None:
        """Put records, `RecordColumns` or a list, behind those of the same partition."""
        self._waiting.setdefault(tp, records[:0]).extend(records)
        self._count += len(records)

    def waiting(self, tp: tuple[str, int]) -> int:
        """Return how many records of a partition wait."""
        return len(self._waiting.get(tp, ()))

    def take(self, limit: int) -> list[tuple[tuple[str, int], Any]]:
        """Return the next round, at most `limit` records: by partition, sorted, in their order."""
        if not self._waiting or limit < 1:
            return []
        share = min(self._per_partition, max(1, limit // len(self._waiting)))
        return [(tp, self._take(tp, share)) for tp in self._turn(limit)]

    def take_run(self, limit: int) -> list[tuple[tuple[str, int], Any]]:
        """Return the next records, at most `limit`, of one partition: each has its turn."""
        if not self._waiting or limit < 1:
            return []
        (tp,) = self._turn(1)
        self._last_of_short = tp
        return [(tp, self._take(tp, min(limit, self._per_partition)))]

    def _take(self, tp: tuple[str, int], most: int) -> Any:
        """Return the next records of a partition that waits."""
        waiting = self._waiting[tp]
        records = waiting[:most]
        del waiting[:most]
        self._count -= len(records)
        if not waiting:
            del self._waiting[tp]
        return records

    def _turn(self, limit: int) -> list[tuple[str, int]]:
        """Return the partitions of the next round, sorted."""
        order = sorted(self._waiting)
        if limit >= len(order):
            return order
        first = bisect_right(order, self._last_of_short)
        turn = (order[first:] + order[:first])[:limit]
        self._last_of_short = turn[-1]
        return sorted(turn)

    def drop(self, tps: Iterable[tuple[str, int]]) -> None:
        """Forget what waits of these partitions."""
        for tp in tps:
            self._count -= len(self._waiting.pop(tp, ()))

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._count = 0


def crowded(held: Mapping[Partition, int], most: int) -> list[Partition]:
    """Return the partitions that hold their share of the `most` records, or more.

    These are to be paused when all hold `most` together: one at least, and never one that holds
    little, for its next record is not to wait until the others have drained.
    """
    share = max(1, most // max(1, len(held)))
    return [tp for tp, count in held.items() if count >= share]
