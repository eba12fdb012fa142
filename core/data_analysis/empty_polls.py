"""Why nothing comes of a topic: the causes that the reference lists, told apart by what is known.

Plain decisions: the services bring the facts and write the lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

QUIET_SECONDS = 60.0
"""How long nothing has to come of a topic until the service says why."""


class EmptyPollCause(StrEnum):
    """Why the last polls brought nothing of a topic."""

    NO_NEW_MESSAGES = "no_new_messages"
    FETCH_MAX_WAIT_MS = "fetch_max_wait_ms"
    FETCH_MIN_BYTES = "fetch_min_bytes"
    NOT_ASSIGNED = "not_assigned"
    POLL_ERROR = "poll_error"
    POSITION_UNKNOWN = "position_unknown"
    OUT_OF_RANGE = "out_of_range"
    PAUSED = "paused"
    BACKLOG = "backlog"
    END_UNKNOWN = "end_unknown"


HARMLESS = (
    EmptyPollCause.NO_NEW_MESSAGES,
    EmptyPollCause.FETCH_MAX_WAIT_MS,
    EmptyPollCause.FETCH_MIN_BYTES,
    EmptyPollCause.NOT_ASSIGNED,
)
"""Causes with which nothing that could be read is left unread for longer than was asked for."""


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What is known of a topic of which the last poll brought nothing.

    Partitions are numbers of those assigned to this member: `searching` without a position,
    `refused` those of them whose offset Kafka refused, `paused` not fetched for want of room.
    `unread` counts records behind the positions, None while the log's end is not known, since
    `unread_seconds`; `since_record_seconds` is None where none ever came.
    """

    topic: str
    assigned: Sequence[int]
    searching: Sequence[int]
    refused: Sequence[int]
    paused: Sequence[int]
    poll_error: str | None
    unread: int | None
    unread_seconds: float
    since_record_seconds: float | None
    fetch_max_wait_ms: int
    fetch_min_bytes: int


@dataclass(frozen=True, slots=True)
class EmptyPoll:
    """One cause, with a line that says it and what to do."""

    topic: str
    cause: EmptyPollCause
    text: str

    @property
    def harmless(self) -> bool:
        """Whether nothing needs to be done."""
        return self.cause in HARMLESS


def explain_empty_poll(facts: TopicFacts) -> EmptyPoll:
    """Return which cause applies; what keeps records from being read comes first."""
    cause, text = _obstacle(facts) or _wait(facts)
    return EmptyPoll(facts.topic, cause, f"no records of {facts.topic}: {text}")


def _obstacle(facts: TopicFacts) -> tuple[EmptyPollCause, str] | None:
    if facts.poll_error is not None:
        return EmptyPollCause.POLL_ERROR, f"polling fails: {facts.poll_error}"
    if not facts.assigned:
        return (
            EmptyPollCause.NOT_ASSIGNED,
            "none of its partitions is assigned to this member; others of the group read them",
        )
    if facts.refused:
        return (
            EmptyPollCause.OUT_OF_RANGE,
            f"Kafka refuses the offset of {_partitions(facts.refused)}; a new one is being found,"
            " see auto_offset_reset",
        )
    if facts.searching:
        return (
            EmptyPollCause.POSITION_UNKNOWN,
            f"the position of {_partitions(facts.searching)} is not known yet; its leader or the"
            " group's coordinator does not answer",
        )
    if facts.paused:
        return (
            EmptyPollCause.PAUSED,
            f"{_partitions(facts.paused)} paused, for too many records are in work; make callbacks"
            " faster or raise max_pending_records",
        )
    return None


def _wait(facts: TopicFacts) -> tuple[EmptyPollCause, str]:
    if facts.unread is None:
        return EmptyPollCause.END_UNKNOWN, "the end of its log is not known; Kafka does not say"
    wait_s = facts.fetch_max_wait_ms / 1000
    if facts.unread and facts.fetch_min_bytes > 1 and facts.unread_seconds <= wait_s:
        return (
            EmptyPollCause.FETCH_MIN_BYTES,
            f"{facts.unread} unread records wait until there are"
            f" fetch_min_bytes={facts.fetch_min_bytes} or"
            f" fetch_max_wait_ms={facts.fetch_max_wait_ms} have passed; lower one of them",
        )
    if facts.unread:
        return (
            EmptyPollCause.BACKLOG,
            f"{facts.unread} records are unread and none comes; compare with"
            " kafka-consumer-groups.sh --describe and look at the brokers",
        )
    since = facts.since_record_seconds
    if since is not None and wait_s < since < QUIET_SECONDS:
        return (
            EmptyPollCause.FETCH_MAX_WAIT_MS,
            f"its records come further apart than fetch_max_wait_ms={facts.fetch_max_wait_ms},"
            " so that brokers answer without any; raise it to 3000 to 5000, or fetch_min_bytes",
        )
    return EmptyPollCause.NO_NEW_MESSAGES, "there are no new messages; everything is read"


def _partitions(numbers: Sequence[int]) -> str:
    return f"partition{'s' * (len(numbers) > 1)} {', '.join(map(str, sorted(numbers)))}"


LOOK_INTERVAL_SECONDS = 5.0
"""How often topics that bring nothing are looked at."""


class QuietTopics:
    """Decides when something is said of a topic that brings nothing: once for each new cause.

    Args:
        now: the monotonic clock's time in seconds; silence counts from here.
    """

    def __init__(self, now: float) -> None:
        self._began_at = now
        self._next_look_at: dict[str, float] = {}
        self._said: dict[str, EmptyPollCause] = {}

    def look(self, reader: str, now: float) -> bool:
        """Return whether it is time for a reader to look at its topics."""
        if now < self._next_look_at.get(reader, self._began_at + QUIET_SECONDS):
            return False
        self._next_look_at[reader] = now + LOOK_INTERVAL_SECONDS
        return True

    def is_quiet(self, topic: str, since_record_seconds: float | None, now: float) -> bool:
        """Return whether a topic has brought nothing for long."""
        since = now - self._began_at if since_record_seconds is None else since_record_seconds
        if since < QUIET_SECONDS:
            self._said.pop(topic, None)
            return False
        return True

    def is_new(self, found: EmptyPoll) -> bool:
        """Return whether this cause has not been said of its topic since its last record."""
        if self._said.get(found.topic) is found.cause:
            return False
        self._said[found.topic] = found.cause
        return True
