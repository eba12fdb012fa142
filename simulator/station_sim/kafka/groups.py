"""All groups of a broker, with the offsets they committed.

`Groups` finds the group a request speaks of, or answers for one that does not exist. One group's
life is in `group.py`. What is written down is found again when the coordinator is made.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from station_sim.kafka.coordinator_partitions import coordinator_partition
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.group import Group
from station_sim.kafka.group_messages import (
    Identity,
    Join,
    JoinAnswer,
    JoinReply,
    Sync,
    SyncAnswer,
    SyncReply,
)
from station_sim.kafka.group_offsets import OFFSET, CommittedOffset, GroupOffsets
from station_sim.kafka.group_records import GroupRecords
from station_sim.kafka.group_states import GroupState
from station_sim.kafka.group_timers import RunningLoop, Scheduler
from station_sim.kafka.offset_expiry import ExpirySettings, OffsetExpiry
from station_sim.kafka.pending_offsets import PendingOffsets
from station_sim.kafka.rebalance import GROUP, GroupRecord, GroupSettings
from station_sim.kafka.storage.journal import Journal, NoJournal


class GroupsSettings(GroupSettings, ExpirySettings, Protocol):
    """The broker settings that the coordinator of groups obeys, under Kafka's names."""

    @property
    def group_min_session_timeout_ms(self) -> int:
        """The shortest session a member may ask for."""

    @property
    def group_max_session_timeout_ms(self) -> int:
        """The longest session a member may ask for."""

    @property
    def offset_metadata_max_bytes(self) -> int:
        """The longest metadata of a committed offset; Kafka counts characters."""

    @property
    def offsets_topic_num_partitions(self) -> int:
        """Among how many partitions groups are spread where transactions are concerned."""


class CommitObserver(Protocol):
    """Who is told of every stored offset."""

    def committed(
        self, group: str, topic: str, partition: int, offset: int, metadata: str, at: float
    ) -> None:
        """See that `group` has committed `offset`; `at` is epoch seconds of the broker's clock."""


class Groups:
    """The group coordinator of a broker."""

    def __init__(
        self,
        settings: GroupsSettings,
        *,
        now_ms: Callable[[], int],
        rng: random.Random,
        observers: Iterable[CommitObserver] = (),
        scheduler: Scheduler | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._settings = settings
        self._records = GroupRecords(journal or NoJournal(), self.partition_for)
        self._now_ms = now_ms
        self._rng = rng
        self._observers = observers
        self._scheduler = scheduler or RunningLoop()
        self._groups: dict[str, Group] = {}
        self._offsets: dict[str, GroupOffsets] = {}
        self._looked_for_expired_ms = now_ms()
        self._expiry = OffsetExpiry(settings, now_ms)
        self.pending = PendingOffsets(self._records)
        self._recover()

    def __contains__(self, group_id: object) -> bool:
        return isinstance(group_id, str) and self._find(group_id) is not None

    def __iter__(self) -> Iterator[Group]:
        """The groups, as who looks at them is shown them."""
        return iter([found for found in map(self.get, tuple(self._groups)) if found is not None])

    def get(self, group_id: str) -> Group | None:
        """Return a group, if it exists and is shown."""
        return self._find(group_id) if self._records.shows(group_id) else None

    def ids(self) -> list[str]:
        """Names of all groups, those that are not shown too."""
        return list(self._groups)

    # Membership

    def join(self, group_id: str, join: Join, reply: JoinReply) -> None:
        """Have a member join a group; `reply` is called when its generation is known."""
        if not group_id:
            reply(JoinAnswer(ErrorCode.INVALID_GROUP_ID, join.member_id))
        elif not self._is_allowed(join.session_timeout_ms):
            reply(JoinAnswer(ErrorCode.INVALID_SESSION_TIMEOUT, join.member_id))
        elif join.member_id and group_id not in self:
            reply(JoinAnswer(ErrorCode.UNKNOWN_MEMBER_ID, join.member_id))
        else:
            if group_id not in self:
                self._records.wrote_of(group_id)  # Kafka writes that the group is there, and empty
            self._get_or_make(group_id).join(join, reply)

    def sync(self, group_id: str, sync: Sync, reply: SyncReply) -> None:
        """Have a member ask for its assignment; `reply` is called when it is there."""
        group = self._find(group_id)
        if not group_id:
            reply(SyncAnswer(ErrorCode.INVALID_GROUP_ID))
        elif group is None:
            reply(SyncAnswer(ErrorCode.UNKNOWN_MEMBER_ID))
        else:
            group.sync(sync, reply)

    def heartbeat(self, group_id: str, identity: Identity, generation_id: int) -> ErrorCode:
        """Keep a member's session alive."""
        group = self._find(group_id)
        if group is None:
            return ErrorCode.UNKNOWN_MEMBER_ID if group_id else ErrorCode.INVALID_GROUP_ID
        return group.heartbeat(identity, generation_id)

    def leave(self, group_id: str, identities: Sequence[Identity]) -> list[ErrorCode]:
        """Remove members from a group; return one error code for each."""
        group = self._find(group_id)
        if group is None:
            return [ErrorCode.UNKNOWN_MEMBER_ID] * len(identities)
        return group.leave(identities)

    def delete(self, group_id: str) -> ErrorCode:
        """Delete a group without members, with its offsets."""
        group = self._find(group_id)
        if group is None:
            return ErrorCode.GROUP_ID_NOT_FOUND
        if group.state is not GroupState.EMPTY:
            return ErrorCode.NON_EMPTY_GROUP
        self._drop(group)
        return ErrorCode.NONE

    def clear(self) -> None:
        """Forget all groups, those with members too, and their offsets."""
        for group in tuple(self._groups.values()):
            self._drop(group)

    # Offsets

    def check_commit(
        self, group_id: str, identity: Identity, generation_id: int, *, names_missing: bool
    ) -> ErrorCode:
        """Tell whether a group may commit now; one that is not there may without membership.

        `names_missing` tells whether the client understands GROUP_ID_NOT_FOUND here.
        """
        if generation_id >= 0 and group_id not in self:
            if names_missing:
                return ErrorCode.GROUP_ID_NOT_FOUND
            return ErrorCode.ILLEGAL_GENERATION
        return self._find_or_imagine(group_id).check_commit(identity, generation_id)

    def commit(
        self,
        group_id: str,
        topic: str,
        partition: int,
        offset: int,
        *,
        leader_epoch: int,
        metadata: str,
        retention_ms: int | None = None,
    ) -> ErrorCode:
        """Store an offset after `check_commit`, and tell the observers."""
        if len(metadata) > self._settings.offset_metadata_max_bytes:
            return self._refuse_metadata(group_id)
        now_ms = self._now_ms()
        expires_at_ms = None if retention_ms is None else now_ms + retention_ms
        committed = CommittedOffset(offset, leader_epoch, metadata, now_ms, expires_at_ms)
        self._get_or_make(group_id)
        self.pending.overtaken(group_id, topic, partition)
        self._store(group_id, topic, partition, committed)
        return ErrorCode.NONE

    def check_transactional_commit(
        self, group_id: str, identity: Identity, generation_id: int
    ) -> ErrorCode:
        """Tell whether a commit within a transaction may be stored."""
        if not group_id:
            return ErrorCode.INVALID_GROUP_ID
        if generation_id >= 0 and group_id not in self:
            return ErrorCode.ILLEGAL_GENERATION
        group = self._find_or_imagine(group_id)
        return group.check_transactional_commit(identity, generation_id)

    def commit_in_transaction(
        self,
        producer_id: int,
        group_id: str,
        topic: str,
        partition: int,
        offset: int,
        *,
        leader_epoch: int,
        metadata: str,
    ) -> ErrorCode:
        """Keep an offset until the producer's transaction ends."""
        if len(metadata) > self._settings.offset_metadata_max_bytes:
            return self._refuse_metadata(group_id)
        committed = CommittedOffset(offset, leader_epoch, metadata, self._now_ms())
        self._get_or_make(group_id)
        self.pending.store(producer_id, group_id, topic, partition, committed)
        return ErrorCode.NONE

    def _refuse_metadata(self, group_id: str) -> ErrorCode:
        """Store nothing; the group is made nevertheless."""
        if group_id not in self:
            self._get_or_make(group_id)
            self._records.begin_without(group_id)
        return ErrorCode.OFFSET_METADATA_TOO_LARGE

    def end_transaction(self, producer_id: int, offsets_partition: int, *, commit: bool) -> None:
        """Have a producer's pending offsets count, or drop them, in one part of all groups."""
        held = self.pending.of_producer(
            producer_id, lambda group_id: self.partition_for(group_id) == offsets_partition
        )
        for group_id, topic, partition, committed in held:
            counts = commit and committed is not None
            if committed is not None and counts:
                self._store(group_id, topic, partition, committed)
            self.pending.end(producer_id, group_id, topic, partition, counts=counts)
        self._records.wrote(offsets_partition)

    def partition_for(self, group_id: str) -> int:
        """The partition of Kafka's offsets topic in which a group would be kept."""
        return coordinator_partition(group_id, self._settings.offsets_topic_num_partitions)

    def offsets(self, group_id: str) -> GroupOffsets:
        """Return what a group has committed and may still know; nothing for an unknown group."""
        group = self._groups.get(group_id)
        if group is None or self._without_old(group) is None:
            return GroupOffsets()
        return self._offsets.get(group_id, GroupOffsets())

    def check_delete_offsets(self, group_id: str) -> ErrorCode:
        """Tell whether a group may be asked to forget offsets now."""
        if not group_id:
            return ErrorCode.INVALID_GROUP_ID
        group = self._find(group_id)
        if group is None:
            return ErrorCode.GROUP_ID_NOT_FOUND
        if group.state is not GroupState.EMPTY and not group.is_of_consumers:
            return ErrorCode.NON_EMPTY_GROUP
        return ErrorCode.NONE

    def delete_offset(self, group_id: str, topic: str, partition: int) -> ErrorCode:
        """Forget one offset after `check_delete_offsets`; one that is not there is fine."""
        if self._groups[group_id].is_subscribed(topic):
            return ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC
        self.pending.overtaken(group_id, topic, partition)
        if group_id in self._offsets:
            self._offsets[group_id].forget(topic, partition)
        return ErrorCode.NONE

    def forget_topic(self, name: str) -> None:
        """Forget all offsets of a topic that was deleted."""
        self.pending.forget_topic(name)
        for offsets in self._offsets.values():
            offsets.forget_topic(name)

    # The broker's own life

    def resign(self, group_ids: Sequence[str]) -> None:
        """Coordinate these groups no more: who waits is told so, and no timer runs."""
        for group_id in group_ids:
            self._groups[group_id].resign()
        self._lose_unwritten(group_ids)

    def take_over(self, group_ids: Iterable[str]) -> None:
        """Coordinate these groups, as they were when they were last stable."""
        for group_id in group_ids:
            if group_id in self._groups:
                self._groups[group_id].open()

    def close(self) -> None:
        """Stop all timers when the broker stops; what Kafka's log would have is kept."""
        for group in self._groups.values():
            group.close()
        self._lose_unwritten(tuple(self._groups))

    def open(self) -> None:
        """Start the members' sessions anew, when the broker is back; call it inside the loop."""
        self._expiry.restart()
        for group in self._groups.values():
            group.open()

    def _lose_unwritten(self, group_ids: Iterable[str]) -> None:
        for group_id in group_ids:
            if not self._records.is_written(group_id):
                self._records.forget(group_id)
                del self._groups[group_id]

    def _recover(self) -> None:
        for (group_id,), record in self._records.values(GROUP, GroupRecord):
            self._get_or_make(group_id).restore(record)
        for (group_id, topic, partition), committed in self._records.values(
            OFFSET, CommittedOffset
        ):
            self._get_or_make(group_id)
            self._offsets_of(group_id).restore(topic, int(partition), committed)
        for group_id in self.pending:
            self._get_or_make(group_id)

    def _is_allowed(self, session_timeout_ms: int) -> bool:
        settings = self._settings
        low_ms, high_ms = (
            settings.group_min_session_timeout_ms,
            settings.group_max_session_timeout_ms,
        )
        return low_ms <= session_timeout_ms <= high_ms

    def _get_or_make(self, group_id: str) -> Group:
        group = self._find(group_id)
        if group is None:
            self._look_for_expired()
            group = self._groups[group_id] = self._new(group_id)
        return group

    def _find_or_imagine(self, group_id: str) -> Group:
        """A group, or what it would be: a commit that stores nothing makes no group."""
        return self._find(group_id) or self._new(group_id)

    def _new(self, group_id: str) -> Group:
        return Group(
            group_id,
            self._settings,
            scheduler=self._scheduler,
            now_ms=self._now_ms,
            rng=self._rng,
            journal=self._records,
        )

    def _offsets_of(self, group_id: str) -> GroupOffsets:
        offsets = self._offsets.get(group_id)
        if offsets is None:
            offsets = self._offsets[group_id] = GroupOffsets(group_id, self._records)
        return offsets

    def _drop(self, group: Group) -> None:
        self.pending.forget_group(group.group_id)
        self._offsets_of(group.group_id).clear()
        group.end()
        del self._groups[group.group_id]
        del self._offsets[group.group_id]

    def _store(self, group_id: str, topic: str, partition: int, committed: CommittedOffset) -> None:
        self._offsets_of(group_id).store(topic, partition, committed)
        at = self._now_ms() / 1000
        for observer in self._observers:
            observer.committed(group_id, topic, partition, committed.offset, committed.metadata, at)

    def _look_for_expired(self) -> None:
        """Forget what is too old in all groups when one is made, at most as often as Kafka does.

        Without it those that nobody asks for again would be kept for ever.
        """
        interval_ms = self._settings.offsets_retention_check_interval_ms
        looks = (self._now_ms() - self._looked_for_expired_ms) // interval_ms
        if looks < 1:
            return
        self._looked_for_expired_ms += looks * interval_ms
        for group in tuple(self._groups.values()):
            self._without_old(group)

    def _find(self, group_id: str) -> Group | None:
        """A group as Kafka's looks for old offsets have left it, None if it is gone."""
        group = self._groups.get(group_id)
        if group is None or group.state is not GroupState.EMPTY:
            return group
        return self._without_old(group)

    def _without_old(self, group: Group) -> Group | None:
        with suppress(RefusalError):  # what cannot be written down is forgotten at a later look
            group_id = group.group_id
            goes = self._expiry.forget_old(
                group,
                self._offsets.get(group_id, GroupOffsets()),
                lambda topic, partition: self.pending.is_pending(group_id, topic, partition),
            )
            if goes and group_id not in self.pending:
                self._drop(group)
                return None
        return group
