"""When a group's offsets are forgotten, and an empty group with them.

The rules are those of ClassicGroup.offsetExpirationCondition and OffsetMetadataManager in Apache
Kafka, which looks every `offsets.retention.check.interval.ms`. Here nobody looks until a group is
asked for; then it is as those looks have left it. What is forgotten is kept in `group_offsets.py`.
"""

from collections.abc import Callable
from typing import Protocol

from station_sim.kafka.group import Group
from station_sim.kafka.group_offsets import CommittedOffset, GroupOffsets
from station_sim.kafka.group_states import GroupState

MINUTE_MS = 60 * 1000


class ExpirySettings(Protocol):
    """The broker settings that decide about expiry, under Kafka's names."""

    @property
    def offsets_retention_minutes(self) -> int:
        """How long offsets outlive their group's last member, or a commit without members."""

    @property
    def offsets_retention_check_interval_ms(self) -> int:
        """How often outdated offsets are looked for."""


class OffsetExpiry:
    """Forgets offsets as regular looks would have, of which the last is counted from `restart`."""

    def __init__(self, settings: ExpirySettings, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._now_ms = now_ms
        self._started_ms = now_ms()

    def restart(self) -> None:
        """Begin to count the looks anew, with the broker."""
        self._started_ms = self._now_ms()

    def forget_old(
        self, group: Group, offsets: GroupOffsets, is_pending: Callable[[str, int], bool]
    ) -> bool:
        """Forget what is too old at the last look; tells whether the group goes too."""
        looked_at_ms = self._last_look_ms()
        if looked_at_ms is None:
            return False
        since_ms = self._counted_from(group)
        if since_ms is not None:
            retention_ms = self._settings.offsets_retention_minutes * MINUTE_MS
            offsets.expire(
                looked_at_ms,
                lambda committed: since_ms(committed) + retention_ms,
                lambda topic, partition: _is_wanted(group, topic) or is_pending(topic, partition),
            )
        is_empty = group.state is GroupState.EMPTY and not group.members.pending
        return is_empty and not offsets and group.state_since_ms < looked_at_ms

    def _last_look_ms(self) -> int | None:
        """When the last look was; None before the first, an interval after the start."""
        interval_ms = self._settings.offsets_retention_check_interval_ms
        looks = (self._now_ms() - self._started_ms) // interval_ms
        return self._started_ms + looks * interval_ms if looks > 0 else None

    def _counted_from(self, group: Group) -> Callable[[CommittedOffset], int] | None:
        """From when on an offset of the group grows old; None if none does."""
        if group.protocol_type is not None and group.state is GroupState.EMPTY:
            return lambda _: group.state_since_ms
        if group.protocol_type is None or (
            group.is_of_consumers and group.state is GroupState.STABLE
        ):
            return lambda committed: committed.committed_at_ms
        return None


def _is_wanted(group: Group, topic: str) -> bool:
    """Whether a member of a stable group is subscribed to a topic."""
    return group.state is GroupState.STABLE and group.is_subscribed(topic)
