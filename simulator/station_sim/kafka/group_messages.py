"""What members say to a group and what it answers, free of wire versions.

The request modules translate between these and kafka-python's classes; the machine in `group.py`
knows only these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from station_sim.kafka.error_codes import ErrorCode

UNKNOWN_MEMBER = ""
NO_GENERATION = -1


@dataclass(frozen=True, slots=True)
class Join:
    """A member's wish to take part: who it is, how patient, which assignors it knows."""

    member_id: str
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocol_type: str
    protocols: tuple[tuple[str, bytes], ...]
    """(assignor name, the member's metadata for it), the preferred one first."""
    instance_id: str | None = None
    needs_member_id: bool = True
    """The client can be told to come again with an id (JoinGroup version 4 and later)."""
    may_skip_assignment: bool = False
    """The client understands `skip_assignment` (JoinGroup version 9 and later)."""


@dataclass(frozen=True, slots=True)
class JoinedMember:
    """One member as the leader sees it."""

    member_id: str
    instance_id: str | None
    metadata: bytes


@dataclass(frozen=True, slots=True)
class JoinAnswer:
    """The generation a member belongs to now, or why it does not."""

    error: ErrorCode
    member_id: str
    generation_id: int = NO_GENERATION
    protocol_type: str | None = None
    protocol_name: str | None = None
    leader_id: str | None = None
    skip_assignment: bool = False
    members: tuple[JoinedMember, ...] = ()
    """All members for the leader, nobody for the others."""


@dataclass(frozen=True, slots=True)
class Sync:
    """A member's question for its assignment; the leader's carries everybody's."""

    member_id: str
    generation_id: int
    instance_id: str | None = None
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignments: Mapping[str, bytes] = field(default_factory=dict)
    """Assignment by member id."""


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """A member's assignment, or why there is none."""

    error: ErrorCode
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignment: bytes = b""


@dataclass(frozen=True, slots=True)
class Identity:
    """How a request names a member: by id, by instance id, or both."""

    member_id: str
    instance_id: str | None = None


JoinReply = Callable[[JoinAnswer], None]
SyncReply = Callable[[SyncAnswer], None]
