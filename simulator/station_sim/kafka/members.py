"""The members of one group: who belongs to it, who leads, which assignor all of them support.

No state of the group and no rebalance is decided here, see `group.py`.
"""

from collections.abc import Iterator
from dataclasses import replace

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group_messages import (
    Join,
    JoinAnswer,
    JoinedMember,
    JoinReply,
    SyncAnswer,
    SyncReply,
)
from station_sim.kafka.group_timers import Deadline


class Member:
    """One member: its last join, its assignment, and the answers it waits for."""

    __slots__ = ("assignment", "is_new", "join", "join_reply", "member_id", "session", "sync_reply")

    def __init__(
        self, member_id: str, join: Join, session: Deadline, assignment: bytes = b""
    ) -> None:
        self.member_id = member_id
        self.join = join
        self.session = session
        self.assignment = assignment
        self.is_new = False
        """It joins for the first time and has not been answered yet."""
        self.join_reply: JoinReply | None = None
        self.sync_reply: SyncReply | None = None

    @property
    def instance_id(self) -> str | None:
        """The id a static member keeps over restarts, `None` for a dynamic one."""
        return self.join.instance_id

    @property
    def is_waiting(self) -> bool:
        """Whether silence is expected of it, since it waits for an answer of a rebalance."""
        if self.is_new:
            return False
        return self.join_reply is not None or self.sync_reply is not None

    def keep_alive(self) -> None:
        """Start its session anew."""
        self.session.set(self.join.session_timeout_ms)

    def metadata(self, protocol_name: str) -> bytes:
        """Return what it said about itself for the assignor `protocol_name`."""
        return dict(self.join.protocols)[protocol_name]

    def answer_join(self, answer: JoinAnswer) -> None:
        """Answer its pending join, if there is one."""
        reply, self.join_reply = self.join_reply, None
        if reply is not None:
            reply(answer)

    def answer_sync(self, answer: SyncAnswer) -> bool:
        """Answer its pending sync, if there is one; tell whether there was."""
        reply, self.sync_reply = self.sync_reply, None
        if reply is not None:
            reply(answer)
        return reply is not None


class Members:
    """The members in the order in which they came, the first of them the leader."""

    def __init__(self) -> None:
        self.leader_id: str | None = None
        self.pending: dict[str, Deadline] = {}
        """Ids handed out whose owners have not joined with them yet."""
        self._members: dict[str, Member] = {}
        self._static_ids: dict[str, str] = {}
        self._common: frozenset[str] | None = None
        """The assignors that all members support; None where it has to be found out again."""

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(tuple(self._members.values()))

    def __contains__(self, member_id: object) -> bool:
        return member_id in self._members

    def __getitem__(self, member_id: str) -> Member:
        return self._members[member_id]

    def get(self, member_id: str) -> Member | None:
        """Return the member with this id, if there is one."""
        return self._members.get(member_id)

    def static_id(self, instance_id: str | None) -> str | None:
        """Return the member id that stands for `instance_id` now."""
        return None if instance_id is None else self._static_ids.get(instance_id)

    def add(self, member: Member) -> None:
        """Take in a member; the first one leads."""
        self.drop_pending(member.member_id)
        self._members[member.member_id] = member
        self._common = None
        if member.instance_id is not None:
            self._static_ids[member.instance_id] = member.member_id
        if self.leader_id is None:
            self.leader_id = member.member_id

    def rejoin(self, member: Member, join: Join) -> None:
        """Have a member say anew what it is and supports; a static one stays static."""
        if _names(join) != _names(member.join):
            self._common = None
        member.join = replace(join, instance_id=member.instance_id)

    def remove(self, member_id: str) -> None:
        """Forget a member or a pending id; the oldest member succeeds a leader."""
        self.drop_pending(member_id)
        member = self._members.pop(member_id, None)
        if member is None:
            return
        self._common = None
        member.session.clear()
        if member.instance_id is not None:
            self._static_ids.pop(member.instance_id, None)
        if self.leader_id == member_id:
            self.leader_id = next(iter(self._members), None)

    def clear(self) -> None:
        """Forget everybody, with their deadlines."""
        for member_id in (*self.pending, *self._members):
            self.remove(member_id)

    def drop_pending(self, member_id: str) -> None:
        """Forget a pending id."""
        deadline = self.pending.pop(member_id, None)
        if deadline is not None:
            deadline.clear()

    def replace(self, old_id: str, new: Member) -> None:
        """Put a static member's new incarnation in the place of its old one, which is fenced."""
        old = self._members[old_id]
        old.answer_join(JoinAnswer(ErrorCode.FENCED_INSTANCE_ID, old_id))
        old.answer_sync(SyncAnswer(ErrorCode.FENCED_INSTANCE_ID))
        leads = self.leader_id == old_id
        new.assignment = old.assignment
        self.remove(old_id)
        self.add(new)
        if leads:
            self.leader_id = new.member_id

    def check(self, member_id: str, instance_id: str | None) -> ErrorCode:
        """Tell whether a request speaks for a member: unknown, fenced by a successor, or fine."""
        if instance_id is not None:
            current_id = self._static_ids.get(instance_id)
            if current_id is None:
                return ErrorCode.UNKNOWN_MEMBER_ID
            if current_id != member_id:
                return ErrorCode.FENCED_INSTANCE_ID
        return ErrorCode.NONE if member_id in self._members else ErrorCode.UNKNOWN_MEMBER_ID

    @property
    def joining_count(self) -> int:
        """How many members wait for the answer to a join."""
        return sum(member.join_reply is not None for member in self._members.values())

    @property
    def have_all_joined(self) -> bool:
        """Whether nobody is missing for a new generation."""
        if self.pending:
            return False
        # Who came last is mostly the last to join again: nearly every look ends at the first.
        newest_first = reversed(self._members.values())
        return all(member.join_reply is not None for member in newest_first)

    @property
    def rebalance_timeout_ms(self) -> int:
        """The longest time a member grants for a rebalance, 0 without members."""
        members = self._members.values()
        return max((member.join.rebalance_timeout_ms for member in members), default=0)

    def elect_joined_leader(self) -> bool:
        """Have a leader who has joined; `False` if nobody has."""
        if self.leader_id is None:
            return False
        candidates = (self._members[self.leader_id], *self._members.values())
        joined = (member.member_id for member in candidates if member.join_reply is not None)
        leader_id = next(joined, None)
        if leader_id is None:
            return False
        self.leader_id = leader_id
        return True

    def support(self, join: Join) -> bool:
        """Whether one of the joining member's assignors is supported by every member."""
        return not self._members or any(name in self._commons for name, _ in join.protocols)

    def select_protocol(self) -> str:
        """Return the common assignor with the most votes; each member votes for its first one."""
        votes: dict[str, int] = {}
        for member in self._members.values():
            vote = next(name for name, _ in member.join.protocols if name in self._commons)
            votes[vote] = votes.get(vote, 0) + 1
        return max(votes, key=votes.__getitem__)

    def as_seen_by_leader(self, protocol_name: str) -> tuple[JoinedMember, ...]:
        """Return every member with its metadata for `protocol_name`."""
        return tuple(
            JoinedMember(member.member_id, member.instance_id, member.metadata(protocol_name))
            for member in self._members.values()
        )

    @property
    def _commons(self) -> frozenset[str]:
        if self._common is None:
            supported = (_names(member.join) for member in self._members.values())
            self._common = frozenset(next(supported, ())).intersection(*supported)
        return self._common


def _names(join: Join) -> set[str]:
    """The assignors that a member supports."""
    return {name for name, _ in join.protocols}
