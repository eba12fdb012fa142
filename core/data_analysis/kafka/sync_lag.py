"""Asks Kafka how far the group is behind, in a thread of its own and over connections of its own.

On the consumer's connections the answer would wait behind a long poll. What the numbers mean is in
`data_analysis.lag`.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from data_analysis.kafka.blocking_options import blocking_admin_options
from data_analysis.kafka.errors import CLIENT_ERRORS, describe, gone_is_unknown
from data_analysis.kafka.options import KafkaOptions
from data_analysis.lag import NOT_REFRESHED, Ends, Lags, Progress, Starts, by_topic
from data_analysis.offsets import Partition

logger = logging.getLogger(__name__)

LOOK_UP_TIMEOUT_MS = 5_000
"""How long one question may take; the numbers stay as they are until one is answered."""

ProgressOf = Callable[[Partition], tuple[int | None, int | None]]
"""Returns what is read next of a partition, and the group's committed offset."""


class LagWatch(Lags):
    """Refreshes in a thread of its own.

    Args:
        options: where Kafka is.
        assigned: returns the partitions to ask for.
        progress: how far reading and committing have come.
        refresh_seconds: time between two refreshes.
    """

    def __init__(
        self,
        options: KafkaOptions,
        assigned: Callable[[], list[Partition]],
        progress: ProgressOf,
        refresh_seconds: float,
    ) -> None:
        super().__init__()
        self._options = options
        self._assigned = assigned
        self._progress = progress
        self._refresh_seconds = refresh_seconds
        self._client: Any = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to refresh."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="data-analysis-lag", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Have the thread end, and wait for that as long as a question may take."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(LOOK_UP_TIMEOUT_MS / 1000)

    def refresh(self) -> None:
        """Ask for all partitions; those of a topic that cannot be answered for stay as they are.

        kafka-python's errors come as they are, if nothing could be asked.
        """
        tps = self._assigned()
        if tps:
            client = self._connected()
            try:
                self._ask(client, tps)
            except CLIENT_ERRORS as error:
                self._ask_by_topic(client, tps, error)
        self.keep(self._assigned())

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
            except CLIENT_ERRORS as error:
                self.last_error = describe(error)
                logger.debug("lag is not refreshed: %s", self.last_error)
                self._disconnect()
            except Exception as error:  # only numbers are missing: it is said, and tried again
                self.last_error = describe(error)
                logger.exception(NOT_REFRESHED)
                self._disconnect()
            else:
                self.last_error = None
            self._stopping.wait(self._refresh_seconds)
        self._disconnect()

    def _ask_by_topic(self, client: Any, tps: Sequence[Partition], error: BaseException) -> None:
        """Ask topic by topic; raise `error` if none is answered for."""
        answered = False
        for some in by_topic(tps):
            if self._stopping.is_set():
                return
            try:
                self._ask(client, some)
            except CLIENT_ERRORS:
                continue
            answered = True
        if not answered:
            raise error

    def _ask(self, client: Any, tps: Sequence[Partition]) -> None:
        asking = self.ask(tps)
        request = next(asking)
        while True:
            answer = self._answer(client, request)
            try:
                request = asking.send(answer)
            except StopIteration:
                return

    def _answer(
        self, client: Any, request: Progress | Ends | Starts
    ) -> Mapping[tuple[str, int], Any]:
        if isinstance(request, Progress):
            return {tp: self._progress(tp) for tp in request.tps}
        ask = client.end_offsets if isinstance(request, Ends) else client.beginning_offsets
        where = [TopicPartition(*tp) for tp in request.tps]
        with gone_is_unknown():
            answer: Mapping[tuple[str, int], Any] = ask(where, timeout_ms=LOOK_UP_TIMEOUT_MS)
        return answer

    def _connected(self) -> Any:
        if self._client is None:
            self._client = KafkaConsumer(
                group_id=None,
                enable_auto_commit=False,
                metrics_enabled=False,
                bootstrap_timeout_ms=LOOK_UP_TIMEOUT_MS,
                **blocking_admin_options(self._options),
            )
        return self._client

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                client.close(timeout_ms=LOOK_UP_TIMEOUT_MS)
            except CLIENT_ERRORS as error:
                logger.debug("closing what asks for lag: %s", describe(error))
