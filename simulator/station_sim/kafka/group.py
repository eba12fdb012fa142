"""One consumer group: what members ask of it, under the classic group protocol.

Joins and syncs are answered through a callback, at once or when the rebalance has come far
enough; all other questions by their return value. Answers follow Apache Kafka 4.1.

How a generation comes about is in `rebalance.py`, the roster in `members.py`, offsets in
`group_offsets.py`, wire versions in the request modules.
"""

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group_messages import (
    UNKNOWN_MEMBER,
    Identity,
    Join,
    JoinAnswer,
    JoinReply,
    Sync,
    SyncAnswer,
    SyncReply,
)
from station_sim.kafka.group_states import GroupState
from station_sim.kafka.group_timers import Scheduler
from station_sim.kafka.members import Member, Members
from station_sim.kafka.rebalance import SETTLED, GroupRecord, GroupSettings, Rebalance
from station_sim.kafka.storage.journal import Journal
from station_sim.kafka.subscriptions import CONSUMER

NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000
"""How long a first join may be parked: its client may have given up, and cannot be seen to have."""


class Group:
    """A group of members that share out partitions among themselves."""

    def __init__(
        self,
        group_id: str,
        settings: GroupSettings,
        *,
        scheduler: Scheduler,
        now_ms: Callable[[], int],
        rng: random.Random,
        journal: Journal | None = None,
    ) -> None:
        self.group_id = group_id
        self._settings = settings
        self._rng = rng
        self._rebalance = Rebalance(
            group_id, settings, scheduler=scheduler, now_ms=now_ms, journal=journal
        )

    @property
    def state(self) -> GroupState:
        """The state it is in."""
        return self._rebalance.state

    @property
    def state_since_ms(self) -> int:
        """When it came into its state, by the broker's clock."""
        return self._rebalance.state_since_ms

    @property
    def generation_id(self) -> int:
        """How many generations it has had."""
        return self._rebalance.generation_id

    @property
    def protocol_type(self) -> str | None:
        """What its members are, `consumer` for consumers; `None` while it never had any."""
        return self._rebalance.protocol_type

    @property
    def protocol_name(self) -> str | None:
        """The assignor of the present generation."""
        return self._rebalance.protocol_name

    @property
    def is_of_consumers(self) -> bool:
        """Whether its members are consumers, or were."""
        return self.protocol_type == CONSUMER

    def is_subscribed(self, topic: str) -> bool:
        """Whether a member of the present generation wants a topic; yes if none can be asked."""
        topics = self._rebalance.subscribed_topics
        return self.is_of_consumers if topics is None else topic in topics

    @property
    def members(self) -> Members:
        """Who belongs to it; to be read only."""
        return self._rebalance.members

    def join(self, join: Join, reply: JoinReply) -> None:
        """Take part in the next generation; `reply` is called when it is known."""
        if not self._has_room(join.member_id):
            self._rebalance.forget(join.member_id)
            reply(JoinAnswer(ErrorCode.GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER))
        elif not self._supports(join):
            reply(JoinAnswer(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, join.member_id))
        elif join.member_id == UNKNOWN_MEMBER:
            self._join_stranger(join, reply)
        elif join.member_id in self.members.pending:
            self._join_with_pending_id(join, reply)
        else:
            self._join_again(join, reply)

    def sync(self, sync: Sync, reply: SyncReply) -> None:
        """Ask for an assignment; `reply` is called when the leader has sent it."""
        error = self._check_sync(sync)
        if error:
            reply(SyncAnswer(error))
        else:
            self._rebalance.sync(sync, reply)

    def heartbeat(self, identity: Identity, generation_id: int) -> ErrorCode:
        """Keep a member's session alive and tell it whether to join again."""
        error = self._check_generation(identity, generation_id)
        if error:
            return error
        self.members[identity.member_id].keep_alive()
        if self.state is GroupState.PREPARING_REBALANCE:
            return ErrorCode.REBALANCE_IN_PROGRESS
        return ErrorCode.NONE

    def leave(self, identities: Sequence[Identity]) -> list[ErrorCode]:
        """Remove members; return one error code for each."""
        errors = [self._leave(identity) for identity in identities]
        if ErrorCode.NONE in errors:
            if self.state in SETTLED:
                self._rebalance.prepare()
            else:
                self._rebalance.complete_if_ready()
        return errors

    def check_commit(self, identity: Identity, generation_id: int) -> ErrorCode:
        """Tell whether a commit may be stored; one that may keeps its member's session alive."""
        if generation_id < 0 and self.state is GroupState.EMPTY:
            return ErrorCode.NONE
        if generation_id < 0 and identity == Identity(UNKNOWN_MEMBER):
            return ErrorCode.UNKNOWN_MEMBER_ID
        error = self._check_generation(identity, generation_id)
        if error:
            return error
        if self.state is GroupState.COMPLETING_REBALANCE:
            return ErrorCode.REBALANCE_IN_PROGRESS
        self.members[identity.member_id].keep_alive()
        return ErrorCode.NONE

    def check_transactional_commit(self, identity: Identity, generation_id: int) -> ErrorCode:
        """Tell whether a commit within a transaction may be stored, whatever the group's state.

        Who names neither member nor generation may: older clients cannot.
        """
        is_named = generation_id >= 0 or identity != Identity(UNKNOWN_MEMBER)
        if not is_named or (generation_id < 0 and self.state is GroupState.EMPTY):
            return ErrorCode.NONE
        return self._check_generation(identity, generation_id)

    def end(self) -> None:
        """Be dead, since the group is deleted."""
        self._rebalance.end()

    def close(self) -> None:
        """Stop with the broker: no timer runs, what Kafka would not have written is forgotten."""
        self._rebalance.close()

    def restore(self, record: GroupRecord) -> None:
        """Be as it was written down before the cluster's start; `open` starts the sessions."""
        self._rebalance.restore(record)

    def resign(self) -> None:
        """Stop because another node coordinates the group: who waits is told so."""
        self._rebalance.resign()

    def open(self) -> None:
        """Go on with a broker that came back: sessions start anew."""
        self._rebalance.open()

    # Joining

    def _has_room(self, member_id: str) -> bool:
        if self.state is GroupState.EMPTY:
            return True
        member = self.members.get(member_id)
        if self.state is GroupState.PREPARING_REBALANCE:
            is_inside = member is not None and member.join_reply is not None
            most = self._settings.group_max_size
            return is_inside or len(self.members) < most or self.members.joining_count < most
        return member is not None or len(self.members) < self._settings.group_max_size

    def _supports(self, join: Join) -> bool:
        if self.state is GroupState.EMPTY:
            return bool(join.protocol_type and join.protocols)
        return join.protocol_type == self.protocol_type and self.members.support(join)

    def _join_stranger(self, join: Join, reply: JoinReply) -> None:
        member_id = self._new_id(join.instance_id or join.client_id)
        old_id = self.members.static_id(join.instance_id)
        if old_id is not None:
            self._replace(old_id, member_id, join, reply)
        elif join.instance_id is not None or not join.needs_member_id:
            self._add(member_id, join, reply)
        else:
            self._rebalance.await_member(member_id, join.session_timeout_ms)
            reply(JoinAnswer(ErrorCode.MEMBER_ID_REQUIRED, member_id))

    def _join_with_pending_id(self, join: Join, reply: JoinReply) -> None:
        if join.instance_id is None:
            self._add(join.member_id, join, reply)
        else:  # static members are never sent away for an id: Kafka takes it for a bug of its own
            reply(JoinAnswer(ErrorCode.UNKNOWN_SERVER_ERROR, UNKNOWN_MEMBER))

    def _join_again(self, join: Join, reply: JoinReply) -> None:
        error = self.members.check(join.member_id, join.instance_id)
        if error or self.state is GroupState.EMPTY:
            reply(JoinAnswer(error or ErrorCode.UNKNOWN_MEMBER_ID, join.member_id))
            return
        member = self.members[join.member_id]
        leads_stable = self.state is GroupState.STABLE and self.members.leader_id == join.member_id
        changed = member.join.protocols != join.protocols
        if self.state is GroupState.PREPARING_REBALANCE or leads_stable or changed:
            self.members.rejoin(member, join)
            member.join_reply = reply
            self._rebalance.go_on()
        else:
            reply(self._rebalance.generation_for(member))

    def _add(self, member_id: str, join: Join, reply: JoinReply) -> None:
        member = self._rebalance.make_member(member_id, join)
        member.is_new = True
        member.join_reply = reply
        self._rebalance.add(member)
        member.session.set(NEW_MEMBER_JOIN_TIMEOUT_MS)
        self._rebalance.go_on()

    def _replace(self, old_id: str, member_id: str, join: Join, reply: JoinReply) -> None:
        old_leader_id = self.members.leader_id
        member = self._rebalance.make_member(member_id, join)
        member.join_reply = reply
        self.members.replace(old_id, member)
        self._rebalance.forget(old_id)
        member.keep_alive()
        stays = self.state is GroupState.STABLE and (
            self.protocol_name == self.members.select_protocol()
        )
        if stays:
            self._rebalance.save()
            member.answer_join(self._generation_for_successor(member, old_leader_id))
        else:
            self._rebalance.go_on()

    def _generation_for_successor(self, member: Member, old_leader_id: str | None) -> JoinAnswer:
        """Keep a successor in the leader's place from assigning anew.

        Clients of JoinGroup version 9 are told so; older ones that their predecessor leads.
        """
        answer = self._rebalance.generation_for(member)
        if member.join.may_skip_assignment:
            return replace(answer, skip_assignment=answer.leader_id == member.member_id)
        return replace(answer, leader_id=old_leader_id, members=())

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}-{uuid.UUID(int=self._rng.getrandbits(128), version=4)}"

    # Checking and leaving

    def _check_generation(self, identity: Identity, generation_id: int) -> ErrorCode:
        error = self.members.check(identity.member_id, identity.instance_id)
        if not error and generation_id != self.generation_id:
            return ErrorCode.ILLEGAL_GENERATION
        return error

    def _check_sync(self, sync: Sync) -> ErrorCode:
        identity = Identity(sync.member_id, sync.instance_id)
        error = self._check_generation(identity, sync.generation_id)
        if error:
            return error
        if sync.protocol_type not in (None, self.protocol_type):
            return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
        if sync.protocol_name not in (None, self.protocol_name):
            return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
        if self.state is GroupState.PREPARING_REBALANCE:
            return ErrorCode.REBALANCE_IN_PROGRESS
        return ErrorCode.NONE

    def _leave(self, identity: Identity) -> ErrorCode:
        member_id = identity.member_id
        if member_id in self.members.pending:
            self._rebalance.forget(member_id)
            return ErrorCode.NONE
        if member_id == UNKNOWN_MEMBER:
            member_id = self.members.static_id(identity.instance_id) or UNKNOWN_MEMBER
        error = self.members.check(member_id, identity.instance_id)
        if member_id == UNKNOWN_MEMBER:
            error = ErrorCode.UNKNOWN_MEMBER_ID
        if not error:
            self._rebalance.dismiss(self.members[member_id])
        return error
