"""Records that were polled and not yet handed to the engine, and in which order they go.

Every round takes from each partition, sorted, a bounded number: none waits while another drains.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any


class Backlog:
    """Records by partition, in the order of their offsets.

    Args:
        per_partition: most records that one round takes from one partition.
    """

    def __init__(self, per_partition: int) -> None:
        self._per_partition = per_partition
        self._waiting: dict[tuple[str, int], deque[Any]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, tp: tuple[str, int], records: Sequence[Any]) -> None:
        """Put records behind those of the same partition."""
        self._waiting.setdefault(tp, deque()).extend(records)
        self._count += len(records)

    def take(self, limit: int) -> list[Any]:
        """Return the next round: at most `limit` records, sorted by partition, then offset."""
        if not self._waiting or limit < 1:
            return []
        share = min(self._per_partition, max(1, limit // len(self._waiting)))
        taken: list[Any] = []
        for tp in sorted(self._waiting):
            waiting = self._waiting[tp]
            count = min(share, len(waiting), limit - len(taken))
            taken.extend(waiting.popleft() for _ in range(count))
            if not waiting:
                del self._waiting[tp]
        self._count -= len(taken)
        return taken

    def drop(self, tps: Iterable[tuple[str, int]]) -> None:
        """Forget what waits of these partitions."""
        for tp in tps:
            self._count -= len(self._waiting.pop(tp, ()))

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._count = 0
