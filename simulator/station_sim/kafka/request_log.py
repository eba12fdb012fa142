"""What the broker was asked lately and what it answered: the newest requests, and how many of each.

Which of them somebody wants is a pattern, see `request_patterns.py`. What becomes of a request
under a fault is in `faults.py`.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from station_sim.kafka.request_patterns import Pattern
from station_sim.kafka.requests.answer_errors import errors_in
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.registry import Kind
from station_sim.kafka.requests.shapes import TopicPartition, partitions_of, topics_of
from station_sim.kafka.requests.subjects import groups_of

REMEMBERED_REQUESTS = 10_000
"""How many requests are kept; a virtual day makes some hundred thousand."""

REMEMBERED_NAMES = 200_000
"""How many partitions, topics and groups the requests kept may name; a fetch may name thousands."""

REMEMBERED_NAME_BYTES = 16 << 20
"""How long all names together may be; a client may send names of 32 KiB."""


@dataclass(slots=True)
class LoggedRequest:
    """One request and what became of it.

    `at_ms` is the broker's clock when it began to handle it; `asked_s` and `answered_s` are the
    loop's time in seconds: in a virtual world, seconds since it began. `answered_s` stays None
    where no answer was sent. `error_codes` are those of the answer, each once, without 0. Sizes are
    those of frames, with their length.
    """

    at_ms: int
    asked_s: float
    kind: str
    version: int
    client_id: str | None
    client_host: str = ""
    node_id: int = 0
    groups: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    partitions: tuple[TopicPartition, ...] = ()
    request_bytes: int = 0
    answered_s: float | None = None
    answer_bytes: int = 0
    error_codes: tuple[int, ...] = ()

    @property
    def took_s(self) -> float | None:
        """Seconds from the request to its answer; None without one."""
        return None if self.answered_s is None else self.answered_s - self.asked_s

    @property
    def names(self) -> int:
        """How many partitions, topics and groups it names."""
        return len(self.partitions) + len(self.topics) + len(self.groups)

    @property
    def name_bytes(self) -> int:
        """About how long the names are that it keeps."""
        return sum(map(len, self.topics)) + sum(map(len, self.groups)) + len(self.client_id or "")

    def answer_with(self, response: Any, size_bytes: int) -> None:
        """Note the answer that is sent now."""
        self.answered_s = asyncio.get_running_loop().time()
        self.answer_bytes = size_bytes
        self.error_codes = errors_in(response)


def entry_of(
    kind: Kind, request: Any, context: RequestContext, *, at_ms: int, request_bytes: int
) -> LoggedRequest:
    """What is remembered of a request; None is one of a version that nobody speaks."""
    entry = LoggedRequest(
        at_ms,
        asyncio.get_running_loop().time(),
        kind.name,
        context.version,
        context.client_id,
        context.client_host,
        context.node.node_id,
        request_bytes=request_bytes,
    )
    if request is not None:
        entry.groups = groups_of(kind.name, request)
        entry.topics = tuple(topics_of(kind.name, request))
        entry.partitions = tuple(partitions_of(kind.name, request))
    return entry


class RequestLog:
    """The newest requests, oldest first; `counts` counts all there ever were, by kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._entries: deque[LoggedRequest] = deque()
        self._names = 0
        self._name_bytes = 0

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def where(
        self,
        *,
        kind: str | None = None,
        topic: str | None = None,
        partition: int | None = None,
        group: str | None = None,
        client: str | None = None,
        node_id: int | None = None,
        error: int | None = None,
        since_s: float = 0.0,
    ) -> list[LoggedRequest]:
        """Those remembered that match: asked since `since_s`, answered with the code `error`.

        `client` may be a pattern of the shell (`"service-*"`). Raises: ValueError, see `Pattern`.
        """
        pattern = Pattern(
            kinds=() if kind is None else (kind,),
            topic=topic,
            partition=partition,
            group=group,
            client_id=client,
            node_id=node_id,
        )
        return [
            entry
            for entry in self._entries
            if entry.asked_s >= since_s
            and (error is None or error in entry.error_codes)
            and pattern.matches(entry)
        ]

    def clear(self) -> None:
        """Forget all there were, and count anew."""
        self.counts.clear()
        self._entries.clear()
        self._names = self._name_bytes = 0

    def add(self, entry: LoggedRequest) -> None:
        """Remember a request."""
        self.counts[entry.kind] += 1
        entries = self._entries
        entries.append(entry)
        self._names += entry.names
        self._name_bytes += entry.name_bytes
        while (
            len(entries) > REMEMBERED_REQUESTS
            or self._names > REMEMBERED_NAMES
            or self._name_bytes > REMEMBERED_NAME_BYTES
        ):
            oldest = entries.popleft()
            self._names -= oldest.names
            self._name_bytes -= oldest.name_bytes
