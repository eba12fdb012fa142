"""Members of a group, whatever the client: each reads in a thread of its own until it is closed."""

import queue
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from tests.clients.command import WITHIN_S


class Seen(NamedTuple):
    """One record, as a member saw it."""

    partition: int
    offset: int
    timestamp_ms: int
    value: str


class Member(Protocol):
    """One member of a group."""

    def read(self, count: int) -> list[Seen]:
        """The next records, as they came."""

    def close(self) -> None:
        """Commit what was read, and leave."""


class Client(Protocol):
    """What one client can do; `can_be_had` is why it cannot, or None."""

    name: str

    def why_not(self) -> str | None:
        """Why this client is not here, if it is not."""

    def produce(self, bootstrap: str, topic: str, partition: int, value: str, codec: str) -> None:
        """Write one record."""

    def join(self, bootstrap: str, topic: str, group: str) -> Member:
        """A new member, which begins at the earliest record."""

    def offset_at(self, bootstrap: str, topic: str, partition: int, timestamp_ms: int) -> int:
        """The first offset at that time or later."""


class PollingMember:
    """A member that polls in a thread; `close` is called in that thread as well."""

    def __init__(self, poll: Callable[[], Iterable[Seen]], close: Callable[[], object]) -> None:
        self._poll = poll
        self._close = close
        self._seen: queue.Queue[Seen] = queue.Queue()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def read(self, count: int) -> list[Seen]:
        """The next records, as they came."""
        return [self._seen.get(timeout=WITHIN_S) for _ in range(count)]

    def close(self) -> None:
        """Commit what was read, and leave."""
        self._over.set()
        self._thread.join(WITHIN_S)
        assert self._seen.empty()

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                for seen in self._poll():
                    self._seen.put(seen)
        finally:
            self._close()
