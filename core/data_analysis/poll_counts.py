"""How many records each topic brought, and when the last one came: for one line and a diagnosis."""

from collections.abc import Iterable

COUNTS_INTERVAL_SECONDS = 5.0
"""How often multi-consumer mode writes its counts."""


class PollCounts:
    """Counts of polled records by topic.

    Args:
        topics: what is read, in the order in which it is shown.
        now: the monotonic clock's time in seconds.
    """

    def __init__(self, topics: Iterable[str], now: float) -> None:
        self._counts = dict.fromkeys(topics, 0)
        self._last_at: dict[str, float] = {}
        self._due_at = now + COUNTS_INTERVAL_SECONDS

    def add(self, topic: str, count: int, now: float) -> None:
        """Note that a poll brought `count` records of a topic."""
        self._counts[topic] = self._counts.get(topic, 0) + count
        self._last_at[topic] = now

    def read(self, topics: Iterable[str]) -> None:
        """Count these topics from now on."""
        self._counts = {topic: self._counts.get(topic, 0) for topic in topics}

    def since_record_seconds(self, topic: str, now: float) -> float | None:
        """Return how long ago the last record of a topic was polled, None if none ever was."""
        last = self._last_at.get(topic)
        return None if last is None else now - last

    def line_if_due(self, now: float) -> str | None:
        """Return the reference's line with the counts since the last one, None if it is early."""
        if now < self._due_at:
            return None
        self._due_at = now + COUNTS_INTERVAL_SECONDS
        shown = ",".join(f"{topic}:{count}" for topic, count in self._counts.items())
        self._counts = dict.fromkeys(self._counts, 0)
        return f"多消费者拉取统计 [{shown}]"
