"""How a group gets from one generation to the next.

`Rebalance` holds the state, the members and the deadlines, and is the machine proper: prepare,
wait for joins, wait for the leader's assignment, be stable. Which question of a member sets it
going is decided in `group.py`. Follows `GroupMetadataManager` of Apache Kafka 4.1.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.group_messages import (
    UNKNOWN_MEMBER,
    Join,
    JoinAnswer,
    Sync,
    SyncAnswer,
    SyncReply,
)
from station_sim.kafka.group_states import GroupState, check_move
from station_sim.kafka.group_timers import Deadline, Scheduler
from station_sim.kafka.members import Member, Members
from station_sim.kafka.storage.journal import Journal, NoJournal
from station_sim.kafka.subscriptions import CONSUMER, subscribed_topics

GROUP = "group"
"""Kind of the journal's records, whose key is the group."""

SETTLED = frozenset({GroupState.STABLE, GroupState.COMPLETING_REBALANCE})


class GroupSettings(Protocol):
    """The broker settings that groups obey, under Kafka's names."""

    @property
    def group_initial_rebalance_delay_ms(self) -> int:
        """How long an empty group waits for further members."""

    @property
    def group_max_size(self) -> int:
        """The most members a group takes."""


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """What Kafka writes to its log about a group, and reads again when the broker comes back."""

    generation_id: int = 0
    protocol_type: str | None = None
    protocol_name: str | None = None
    leader_id: str | None = None
    members: tuple[tuple[str, Join, bytes], ...] = ()
    """(member id, its join, its assignment) of each member."""
    state_since_ms: int = 0


class Rebalance:
    """The generations of one group."""

    def __init__(
        self,
        group_id: str,
        settings: GroupSettings,
        *,
        scheduler: Scheduler,
        now_ms: Callable[[], int],
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal or NoJournal()
        self.members = Members()
        self.state = GroupState.EMPTY
        self.state_since_ms = now_ms()
        self.generation_id = 0
        self.protocol_type: str | None = None
        self.protocol_name: str | None = None
        self.subscribed_topics: frozenset[str] | None = None
        """Topics that the members of this generation want; None where that is not known."""
        self._is_growing = False
        self._group_id = group_id
        self._previous_state = GroupState.DEAD
        self._settings = settings
        self._scheduler = scheduler
        self._now_ms = now_ms
        self._record = GroupRecord()
        self._awaited_syncs: dict[str, None] = {}
        self._initial_wait = Deadline(scheduler, self._end_initial_wait)
        self._initial_step_ms = 0
        self._initial_rest_ms = 0
        self._join_deadline = Deadline(scheduler, self._complete_joins)
        self._sync_deadline = Deadline(scheduler, self._expire_syncs)

    def add(self, member: Member) -> None:
        """Take in a member; an empty group's first wait is then longer."""
        if not self.members:
            self.protocol_type = member.join.protocol_type
        self._is_growing = self._is_initial
        self.members.add(member)

    def go_on(self) -> None:
        """Take a change of the members into account, in the present rebalance or a new one."""
        if self.state is GroupState.PREPARING_REBALANCE:
            self.complete_if_ready()
        else:
            self.prepare()

    def sync(self, sync: Sync, reply: SyncReply) -> None:
        """Give a member its assignment when it is there; the leader's sync brings it to all."""
        member = self.members[sync.member_id]
        self._awaited_syncs.pop(sync.member_id, None)
        if not self._awaited_syncs:
            self._sync_deadline.clear()
        if self.state is GroupState.STABLE:
            reply(self._assignment_of(member))
            return
        member.sync_reply = reply
        if self.members.leader_id == sync.member_id:
            self._assign(sync.assignments)

    def generation_for(self, member: Member) -> JoinAnswer:
        """Return the present generation as `member` is told of it."""
        assert self.protocol_name is not None
        leads = self.members.leader_id == member.member_id
        return JoinAnswer(
            ErrorCode.NONE,
            member.member_id,
            generation_id=self.generation_id,
            protocol_type=self.protocol_type,
            protocol_name=self.protocol_name,
            leader_id=self.members.leader_id,
            members=self.members.as_seen_by_leader(self.protocol_name) if leads else (),
        )

    # Towards a generation

    @property
    def _is_initial(self) -> bool:
        preparing = self.state is GroupState.PREPARING_REBALANCE
        return preparing and self._previous_state is GroupState.EMPTY

    def prepare(self) -> None:
        """Begin a rebalance: every member has to join again."""
        if self.state is GroupState.COMPLETING_REBALANCE:
            self._withdraw_assignments()
        self._awaited_syncs.clear()
        self._sync_deadline.clear()
        self._move(GroupState.PREPARING_REBALANCE)
        if self._is_initial:
            self._begin_initial_wait()
        elif self.members.have_all_joined:
            self._complete_joins()
        else:
            self._join_deadline.set(self.members.rebalance_timeout_ms)

    def complete_if_ready(self) -> None:
        """End the wait for joins if nobody is missing; an empty group waits its full time."""
        if not self._is_initial:
            self._complete_without_missing()

    def _begin_initial_wait(self) -> None:
        delay_ms = self._settings.group_initial_rebalance_delay_ms
        self._is_growing = False
        self._initial_step_ms = delay_ms
        self._initial_rest_ms = max(self.members.rebalance_timeout_ms - delay_ms, 0)
        self._initial_wait.set(delay_ms)

    def _end_initial_wait(self) -> None:
        if not self._is_growing or not self._initial_rest_ms:
            self._complete_joins()
            return
        self._is_growing = False
        delay_ms = self._settings.group_initial_rebalance_delay_ms
        step_ms = min(delay_ms, self._initial_rest_ms)
        self._initial_rest_ms = max(self._initial_rest_ms - self._initial_step_ms, 0)
        self._initial_step_ms = step_ms
        self._initial_wait.set(step_ms)

    def _complete_without_missing(self) -> None:
        if self.state is GroupState.PREPARING_REBALANCE and self.members.have_all_joined:
            self._complete_joins()

    def _complete_joins(self) -> None:
        self._initial_wait.clear()
        self._join_deadline.clear()
        for member in self.members:
            if member.join_reply is None and member.instance_id is None:
                self.forget(member.member_id)
        if self.members and not self.members.elect_joined_leader():
            self._join_deadline.set(self.members.rebalance_timeout_ms)
            return
        self.generation_id += 1
        if self.members:
            self.protocol_name = self.members.select_protocol()
            self._note_subscriptions()
            self._move(GroupState.COMPLETING_REBALANCE)
            self._answer_joins()
        else:
            self.protocol_name = None
            self._note_subscriptions()
            self._move(GroupState.EMPTY)
            with suppress(RefusalError):  # after a restart the last members' sessions end again
                self.save()

    def _note_subscriptions(self) -> None:
        if not self.members:
            self.subscribed_topics = frozenset()
        elif self.protocol_type != CONSUMER or self.protocol_name is None:
            self.subscribed_topics = None
        else:
            name = self.protocol_name
            self.subscribed_topics = subscribed_topics(
                member.metadata(name) for member in self.members
            )

    def _answer_joins(self) -> None:
        for member in self.members:
            self._awaited_syncs[member.member_id] = None
            member.is_new = False
            member.keep_alive()
            member.answer_join(self.generation_for(member))
        self._sync_deadline.set(self.members.rebalance_timeout_ms)

    # Towards stability

    def _assign(self, assignments: Mapping[str, bytes]) -> None:
        for member in self.members:
            member.assignment = assignments.get(member.member_id, b"")
        self._move(GroupState.STABLE)
        try:
            self.save()
        except RefusalError:
            self._withdraw_assignments(ErrorCode.NOT_COORDINATOR)
            self.prepare()
            return
        for member in self.members:
            if member.answer_sync(self._assignment_of(member)):
                member.keep_alive()

    def _withdraw_assignments(self, error: ErrorCode = ErrorCode.REBALANCE_IN_PROGRESS) -> None:
        for member in self.members:
            member.assignment = b""
            if member.answer_sync(SyncAnswer(error)):
                member.keep_alive()

    def _assignment_of(self, member: Member) -> SyncAnswer:
        return SyncAnswer(ErrorCode.NONE, self.protocol_type, self.protocol_name, member.assignment)

    def _expire_syncs(self) -> None:
        if self.state not in SETTLED or not self._awaited_syncs:
            return
        for member_id in tuple(self._awaited_syncs):
            self.forget(member_id)
        self.prepare()

    # Coming and going

    def make_member(self, member_id: str, join: Join, assignment: bytes = b"") -> Member:
        """Return a member that is not in the group yet, whose session has not begun."""
        session = Deadline(self._scheduler, lambda: self._expire(member_id))
        return Member(member_id, join, session, assignment)

    def await_member(self, member_id: str, timeout_ms: int) -> None:
        """Expect a member to join with the id it was given."""
        deadline = Deadline(self._scheduler, lambda: self._expire_pending(member_id))
        self.members.pending[member_id] = deadline
        deadline.set(timeout_ms)

    def dismiss(self, member: Member) -> None:
        """Remove a member, somebody at the other end of whose parked join may still be waiting."""
        member.answer_join(JoinAnswer(ErrorCode.UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER))
        self.forget(member.member_id)

    def forget(self, member_id: str) -> None:
        """Remove a member or a pending id."""
        self.members.remove(member_id)
        self._awaited_syncs.pop(member_id, None)

    def _expire(self, member_id: str) -> None:
        member = self.members.get(member_id)
        if member is None or member.is_waiting:
            return
        self.dismiss(member)
        if self.state in SETTLED:
            self.prepare()
        else:
            self._complete_without_missing()

    def _expire_pending(self, member_id: str) -> None:
        self.forget(member_id)
        self._complete_without_missing()

    # Lasting

    def end(self) -> None:
        """Be dead, since the group is deleted."""
        self._journal.drop(GROUP, (self._group_id,))
        self._move(GroupState.DEAD)
        self._clear_timers()
        self.members.clear()

    def close(self) -> None:
        """Stop with the broker: no timer runs, what Kafka would not have written is forgotten."""
        self._clear_timers()
        self.members.clear()
        record = self._record
        self.state = GroupState.STABLE if record.members else GroupState.EMPTY
        self.generation_id = record.generation_id
        self.protocol_type, self.protocol_name = record.protocol_type, record.protocol_name
        for member_id, join, assignment in record.members:
            self.members.add(self.make_member(member_id, join, assignment))
        self.members.leader_id = record.leader_id
        if self.protocol_type is not None:
            self._note_subscriptions()

    def restore(self, record: GroupRecord) -> None:
        """Be as it was written down before the cluster's start."""
        self._record = record
        self.close()
        self.state_since_ms = record.state_since_ms

    def resign(self) -> None:
        """Stop because another node coordinates the group: who waits is told so."""
        for member in self.members:
            error = ErrorCode.NOT_COORDINATOR
            member.answer_join(JoinAnswer(error, member.member_id))
            member.answer_sync(SyncAnswer(error))
        self.close()

    def open(self) -> None:
        """Go on with a broker that came back: sessions start anew."""
        for member in self.members:
            member.keep_alive()

    def save(self) -> None:
        """Write down what Kafka would write to its log; raises `RefusalError` if that fails."""
        record = GroupRecord(
            self.generation_id,
            self.protocol_type,
            self.protocol_name,
            self.members.leader_id,
            tuple((member.member_id, member.join, member.assignment) for member in self.members),
            self.state_since_ms,
        )
        self._journal.put(GROUP, (self._group_id,), record)
        self._record = record

    def _move(self, target: GroupState) -> None:
        check_move(self._group_id, self.state, target)
        self._previous_state, self.state = self.state, target
        self.state_since_ms = self._now_ms()

    def _clear_timers(self) -> None:
        for deadline in (self._initial_wait, self._join_deadline, self._sync_deadline):
            deadline.clear()
        self._awaited_syncs.clear()
