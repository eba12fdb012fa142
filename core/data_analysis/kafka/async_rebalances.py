"""Passes on what aiokafka says of revoked and assigned partitions, in sorted order."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiokafka import ConsumerRebalanceListener
from aiokafka.structs import TopicPartition


class Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """A listener of two functions.

    Args:
        revoked: awaited before partitions are given up; the group waits for it.
        assigned: called with the new partitions, before anything is fetched.
    """

    def __init__(
        self,
        revoked: Callable[[list[TopicPartition]], Awaitable[None]],
        assigned: Callable[[list[TopicPartition]], None],
    ) -> None:
        self._revoked = revoked
        self._assigned = assigned

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> Any:
        """Pass on, sorted."""
        await self._revoked(sorted(revoked))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> Any:
        """Pass on, sorted."""
        self._assigned(sorted(assigned))
