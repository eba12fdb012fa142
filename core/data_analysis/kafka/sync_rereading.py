"""Reads records once more with kafka-python, over a connection of its own and without a group.

What is read, and what becomes of it, is decided in `data_analysis.kafka.warm_start`.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from data_analysis.kafka.blocking_options import blocking_consumer_options
from data_analysis.kafka.errors import CLIENT_ERRORS, unanswered
from data_analysis.kafka.options import KafkaOptions
from data_analysis.kafka.requests import FirstSince, LogRange, Wait
from data_analysis.kafka.warm_start import CLIENT_ID, FETCHING, Asking

ROUND_MS = 1_000
"""How long one look for records waits."""

ANSWER_TIMEOUT_MS = 5_000
"""How long a look-up, or connecting, may take."""


class Rereader:
    """Answers what a warm start asks for, in the thread that calls it.

    Args:
        options: where Kafka is.
        wanted: whether the answers are still wanted.
    """

    def __init__(self, options: KafkaOptions, wanted: Callable[[], bool]) -> None:
        self._options = options
        self._wanted = wanted
        self._ended = threading.Event()
        self._client: Any = None
        self._next: dict[TopicPartition, int] = {}

    def drive(self, asking: Asking) -> None:
        """Answer until there are no more questions, or nobody wants to know."""
        try:
            request = next(asking)
            while self._wanted():
                try:
                    answer = self._answer(request)
                except CLIENT_ERRORS as error:
                    self.close()
                    request = asking.throw(unanswered(error))
                else:
                    request = asking.send(answer)
        except StopIteration:
            return
        finally:
            self.close()

    def close(self) -> None:
        """Disconnect; the next question connects."""
        client, self._client = self._client, None
        self._next = {}
        if client is not None:
            with suppress(*CLIENT_ERRORS):
                client.close(autocommit=False, timeout_ms=ANSWER_TIMEOUT_MS)

    def wake(self) -> None:
        """Wait no longer: nobody wants to know any more."""
        self._ended.set()

    def _answer(self, request: Any) -> Any:
        if isinstance(request, Wait):
            return self._ended.wait(request.seconds)
        client = self._connected()
        if isinstance(request, LogRange):
            tp = TopicPartition(*request.tp)
            start = client.beginning_offsets([tp], timeout_ms=ANSWER_TIMEOUT_MS)[tp]
            return start, client.end_offsets([tp], timeout_ms=ANSWER_TIMEOUT_MS)[tp]
        if isinstance(request, FirstSince):
            tp = TopicPartition(*request.tp)
            times = {tp: request.timestamp_ms}
            found = client.offsets_for_times(times, timeout_ms=ANSWER_TIMEOUT_MS)[tp]
            return None if found is None else (int(found.offset), int(found.timestamp))
        return self._read(client, request.offsets)

    def _read(self, client: Any, offsets: Mapping[Any, int]) -> Mapping[Any, Any]:
        tps = {TopicPartition(*tp): offset for tp, offset in offsets.items()}
        if not self._next.keys() >= tps.keys():
            client.assign(list(tps))
            self._next = {}
        for tp, offset in tps.items():
            if self._next.get(tp) != offset:
                client.seek(tp, offset)
        client.pause(*(self._next.keys() - tps.keys()))
        client.resume(*tps)
        records = client.poll(timeout_ms=ROUND_MS)
        for tp in tps:
            self._next[tp] = client.position(tp, timeout_ms=ANSWER_TIMEOUT_MS)
        return {tuple(tp): (records.get(tp, ()), self._next[tp]) for tp in tps}

    def _connected(self) -> Any:
        if self._client is None:
            self._client = KafkaConsumer(
                group_id=None,
                client_id=CLIENT_ID,
                enable_auto_commit=False,
                auto_offset_reset="none",
                max_poll_records=self._options.max_poll_records,
                bootstrap_timeout_ms=ANSWER_TIMEOUT_MS,
                metrics_enabled=False,
                **{**blocking_consumer_options(self._options), **FETCHING},
            )
        return self._client
