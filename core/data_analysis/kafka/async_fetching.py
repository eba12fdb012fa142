"""What aiokafka's fetcher does better for us: wait less, and make less of what it has fetched.

The fetcher marks a node as busy while a task of its own waits for it, and takes the mark away one
iteration of the loop after the task has ended. If it is woken by a seek or by a poll in just that
iteration, it sees the task's end but also the mark: it asks the node for nothing and sleeps until
its next tick, for there is no task left to wake it.

It asks a node one question at a time. While some partitions have records that are not yet polled,
it asks for the others; if these have nothing, the broker holds that question for as long as
`fetch_max_wait_ms`, and meanwhile the first ones run dry: a partition without records stops those
that have many.

It makes a record anew, with twice as many fields, from the one that its parser has made, and hands
each over in several steps.
"""

from typing import Any

from aiokafka.consumer.fetcher import FetchResult, PartitionRecords

REQUESTS, TIMEOUT = 0, 2
"""Where the requests, and the time to sleep, are among what the fetcher decides."""

PARTIAL_WAIT_MS = 50
"""Longest wait at the broker of a question that leaves partitions out: the service has work."""


class Fetching:
    """Looks after the fetcher of a started consumer.

    Args:
        client: aiokafka's consumer.
    """

    def __init__(self, client: Any) -> None:
        self._fetcher = client._fetcher
        self._decide = self._fetcher._get_actions_per_node
        self._fetch = self._fetcher._proc_fetch_request
        self._light = False
        self._fetcher._get_actions_per_node = self._decide_better
        self._fetcher._proc_fetch_request = self._fetch_and_mark

    def lighten(self, light: bool) -> None:
        """Have polls from now on return the parser's records, without topic, or whole ones."""
        if light != self._light:
            self._light = light
            self._mark()

    def _decide_better(self, assignment: Any) -> Any:
        fetcher = self._fetcher
        # Each task has marked a node: with more marks than tasks, one is about to go.
        marked_for_nothing = len(fetcher._in_flight) > len(fetcher._pending_tasks)
        decided = list(self._decide(assignment))
        if marked_for_nothing:
            decided[TIMEOUT] = 0.0
        if decided[REQUESTS] and fetcher._records:
            unpolled = [fetcher._select_read_replica(tp) for tp in fetcher._records]
            for node_id, request in decided[REQUESTS]:
                if node_id in unpolled:
                    request._max_wait_ms = min(request._max_wait_ms, PARTIAL_WAIT_MS)
        return tuple(decided)

    async def _fetch_and_mark(self, *request: Any) -> Any:
        has_new_data = await self._fetch(*request)
        if self._light:
            self._mark()
        return has_new_data

    def _mark(self) -> None:
        kind = _LightRecords if self._light else PartitionRecords
        for fetched in self._fetcher._records.values():
            # What was fetched may be an error.
            if type(fetched) is FetchResult and fetched.has_more():
                fetched._partition_records.__class__ = kind


class _LightRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types here
    """Records as the parser made them."""

    def __iter__(self) -> Any:
        return self._records_iterator

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        return record
