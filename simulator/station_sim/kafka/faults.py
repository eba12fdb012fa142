"""Faults a test or story installs in the broker: answer with an error, delay, drop, or just watch.

A fault is installed by `with` and gone afterwards. It takes the requests that match its kind,
topic, partition and client; it acts once unless told otherwise, and counts what it took. How a
fault is acted out on a request is in `dispatch.py`; troubles of the network are in
`station_sim.network`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from station_sim.errors import LabError
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.registry import KINDS_BY_NAME, Kind
from station_sim.kafka.requests.shapes import SHAPES, partitions_of, topics_of

Drop = Literal["before", "after"]


class Fault:
    """One installed fault; `hits` counts the requests it took."""

    __slots__ = (
        "answer",
        "client_id",
        "count",
        "delay_s",
        "drop",
        "hits",
        "kind",
        "partition",
        "topic",
    )

    def __init__(
        self,
        kind: str,
        *,
        topic: str | None,
        partition: int | None,
        client_id: str | None,
        count: int | None,
        answer: ErrorCode | None,
        delay_s: float,
        drop: Drop | None,
    ) -> None:
        self.kind = kind
        self.topic = topic
        self.partition = partition
        self.client_id = client_id
        self.count = count
        self.answer = answer
        self.delay_s = delay_s
        self.drop = drop
        self.hits = 0

    @property
    def only_watches(self) -> bool:
        """Whether requests pass it unchanged."""
        return self.answer is None and not self.delay_s and self.drop is None

    def wants(self, topic: str, partition: int) -> bool:
        """Whether it is meant for this partition."""
        return self.topic in (None, topic) and self.partition in (None, partition)

    def matches(self, kind: Kind, request: Any, client_id: str | None) -> bool:
        """Whether it takes this request; an exhausted one takes none."""
        if kind.name != self.kind or (self.count is not None and self.hits >= self.count):
            return False
        if self.client_id is not None and self.client_id != client_id:
            return False
        if self.topic is None and self.partition is None:
            return True
        if kind.name in SHAPES:
            return any(self.wants(*found) for found in partitions_of(kind.name, request))
        return self.topic in topics_of(kind.name, request)


class Faults:
    """The faults installed in a broker, in the order they came."""

    def __init__(self) -> None:
        self._installed: list[Fault] = []

    def __len__(self) -> int:
        return len(self._installed)

    @contextmanager
    def on(
        self,
        kind: str,
        *,
        topic: str | None = None,
        partition: int | None = None,
        client_id: str | None = None,
        count: int | None = 1,
        answer: ErrorCode | int | None = None,
        delay_s: float = 0.0,
        drop: Drop | None = None,
    ) -> Iterator[Fault]:
        """Install a fault for requests of a kind (`"Fetch"`, `"OffsetCommit"`, ...).

        `answer` refuses the request, or those of its partitions that match, with an error code and
        without effect. `delay_s` lets the request wait that long first. `drop` closes the
        connection `"before"` the request has any effect or `"after"` it, without an answer. With
        none of these the request passes and is only counted. `count` is how many requests are
        taken; None is all. Raises `LabError` for a kind or a combination that there is not.
        """
        if kind not in KINDS_BY_NAME:
            raise LabError(f"no request kind {kind}; known are: {', '.join(KINDS_BY_NAME)}")
        if answer is not None and drop is not None:
            raise LabError("a fault either answers or drops; install two faults for both")
        if delay_s < 0 or (count is not None and count < 1):
            raise LabError(f"delay_s={delay_s} must be >= 0 and count={count} at least 1 or None")
        fault = Fault(
            kind,
            topic=topic,
            partition=partition,
            client_id=client_id,
            count=count,
            answer=None if answer is None else ErrorCode(answer),
            delay_s=delay_s,
            drop=drop,
        )
        self._installed.append(fault)
        try:
            yield fault
        finally:
            self._installed.remove(fault)

    def take(self, kind: Kind, request: Any, client_id: str | None) -> Fault | None:
        """Count the request at all that match; return the first that does more than watch."""
        acting: Fault | None = None
        for fault in self._installed:
            if acting is not None and not fault.only_watches:
                continue
            if fault.matches(kind, request, client_id):
                fault.hits += 1
                if not fault.only_watches:
                    acting = fault
        return acting
