"""Watches what polls bring: the counts of multi-consumer mode, and topics of which nothing comes.

What the reasons are is decided in `data_analysis.empty_polls`; here are the facts and the lines.
"""

import logging
from collections.abc import Iterable, Mapping, Sized
from typing import Any, Protocol

from data_analysis.clock import Clock
from data_analysis.empty_polls import (
    EmptyPoll,
    QuietTopics,
    TopicFacts,
    explain_empty_poll,
)
from data_analysis.kafka.options import KafkaOptions
from data_analysis.lag import Lags
from data_analysis.poll_counts import PollCounts

logger = logging.getLogger(__name__)


class Reader(Protocol):
    """One consumer of a running service of either kind; partitions are pairs."""

    member: Any
    positions: Any
    poller: Any

    @property
    def name(self) -> str: ...


class Consumer(Protocol):
    """The consumer client of a service of either kind; `lag` is of `data_analysis.lag.Lags`."""

    per_topic: bool
    lag: Any

    @property
    def topics(self) -> list[str]: ...


class PollWatch:
    """Takes note of every poll; says what is worth a line.

    Args:
        consumer: knows the topics, and how much is unread.
        clock: for the times between records.
    """

    def __init__(self, consumer: Consumer, clock: Clock) -> None:
        now = clock.monotonic()
        self._consumer = consumer
        self._clock = clock
        self._counts = PollCounts(consumer.topics, now)
        self._quiet = QuietTopics(now)

    def read(self, topics: Iterable[str]) -> None:
        """Count these topics from now on."""
        self._counts.read(topics)

    def polled(self, reader: Reader, records: Mapping[Any, Sized]) -> None:
        """Note what a poll brought; write the lines that are due."""
        now = self._clock.monotonic()
        for tp in sorted(records):
            self._counts.add(tp.topic, len(records[tp]), now)
        if self._consumer.per_topic and logger.isEnabledFor(logging.DEBUG):
            line = self._counts.line_if_due(now)
            if line is not None:
                logger.debug(line)
        if self._quiet.look(reader.name, now):
            for topic in reader.member.topics:
                self._look(reader, topic, now)

    def explain(self, readers: Iterable[Reader]) -> dict[str, EmptyPoll]:
        """Return why nothing comes, for every topic, as if its last poll had been empty."""
        now = self._clock.monotonic()
        return {
            topic: explain_empty_poll(self._facts(reader, topic, now))
            for reader in readers
            for topic in reader.member.topics
        }

    def _look(self, reader: Reader, topic: str, now: float) -> None:
        since = self._counts.since_record_seconds(topic, now)
        if not self._quiet.is_quiet(topic, since, now):
            return
        found = explain_empty_poll(self._facts(reader, topic, now))
        if self._quiet.is_new(found):
            logger.log(logging.DEBUG if found.harmless else logging.WARNING, found.text)

    def _facts(self, reader: Reader, topic: str, now: float) -> TopicFacts:
        assigned = [tp for tp in reader.member.assignment() if tp.topic == topic]
        lag: Lags = self._consumer.lag
        options: KafkaOptions = reader.member.options
        return TopicFacts(
            topic=topic,
            assigned=_numbers(assigned, topic),
            searching=_numbers(reader.positions.searching, topic),
            refused=_numbers(reader.positions.refused, topic),
            paused=_numbers(reader.poller.paused, topic),
            poll_error=reader.poller.last_error,
            unread=lag.unread(assigned),
            unread_seconds=lag.unread_seconds(assigned),
            since_record_seconds=self._counts.since_record_seconds(topic, now),
            fetch_max_wait_ms=options.fetch_max_wait_ms,
            fetch_min_bytes=options.fetch_min_bytes,
        )


def _numbers(tps: Iterable[Any], topic: str) -> list[int]:
    return [tp.partition for tp in tps if tp.topic == topic]
