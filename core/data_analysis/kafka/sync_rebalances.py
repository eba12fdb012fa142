"""Passes on what kafka-python says of revoked, lost and assigned partitions, in sorted order."""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from kafka.consumer.subscription_state import AsyncConsumerRebalanceListener
from kafka.future import Future

from data_analysis.failure import Failed
from data_analysis.kafka.errors import CLIENT_ERRORS
from data_analysis.offsets import Partition
from data_analysis.sync_threads import ends_with_process

logger = logging.getLogger(__name__)

Partitions = list[Partition]


class Rebalances(AsyncConsumerRebalanceListener):  # type: ignore[misc]  # untyped in kafka-python
    """A listener of three functions.

    kafka-python calls it on the thread that also sends heartbeats and commits and answers look-ups,
    so the functions are called aside, in a thread of their own, and the group waits for them.

    Args:
        revoked: called before partitions are given up.
        lost: called with partitions that belong to others already.
        assigned: called with the new partitions, before anything is fetched.
        wake: called when one of them has returned.
        failed: called with what nobody has foreseen.
    """

    def __init__(
        self,
        revoked: Callable[[Partitions], None],
        lost: Callable[[Partitions], None],
        assigned: Callable[[Partitions], None],
        wake: Callable[[], None],
        failed: Failed,
    ) -> None:
        self._revoked = revoked
        self._lost = lost
        self._assigned = assigned
        self._wake = wake
        self._failed = failed

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Pass on, and wait."""
        await self._aside(self._revoked, revoked)

    async def on_partitions_lost(self, lost: Iterable[Any]) -> None:
        """Pass on, and wait."""
        await self._aside(self._lost, lost)

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Pass on, and wait."""
        await self._aside(self._assigned, assigned)

    async def _aside(self, told: Callable[[Partitions], None], partitions: Iterable[Any]) -> None:
        done = Future()
        arguments = (told, sorted(Partition(*tp) for tp in partitions), done)
        threading.Thread(target=self._tell, args=arguments, name="rebalance", daemon=True).start()
        await done

    def _tell(self, told: Callable[[Partitions], None], partitions: Partitions, done: Any) -> None:
        try:
            told(partitions)
        except BaseException as error:
            if ends_with_process(error):
                raise
            self._failed("following a rebalance", error)
        finally:
            done.success(None)
            try:
                # An outcome from another thread does not end kafka-python's sleep.
                self._wake()
            except CLIENT_ERRORS:
                logger.debug("the consumer has gone amid a rebalance")
