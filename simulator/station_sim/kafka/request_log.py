"""What the broker was asked lately: the newest requests and how many of each kind there were."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

from station_sim.kafka.requests.shapes import TopicPartition

REMEMBERED_REQUESTS = 10_000
"""How many requests are kept; a virtual day makes some hundred thousand."""

REMEMBERED_PARTITIONS = 200_000
"""How many partitions the requests kept may name together; a fetch may name thousands."""


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request; `at_ms` is the broker's clock when it began to handle it."""

    at_ms: int
    kind: str
    version: int
    client_id: str | None
    partitions: tuple[TopicPartition, ...]


class RequestLog:
    """The newest requests, oldest first; `counts` counts all there ever were, by kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._entries: deque[LoggedRequest] = deque()
        self._partitions = 0

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def of(self, kind: str) -> list[LoggedRequest]:
        """Those of one kind that are remembered."""
        return [entry for entry in self._entries if entry.kind == kind]

    def add(self, entry: LoggedRequest) -> None:
        """Remember a request."""
        self.counts[entry.kind] += 1
        entries = self._entries
        entries.append(entry)
        self._partitions += len(entry.partitions)
        while len(entries) > REMEMBERED_REQUESTS or self._partitions > REMEMBERED_PARTITIONS:
            self._partitions -= len(entries.popleft().partitions)
