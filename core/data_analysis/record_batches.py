"""Which records open a batch, and what becomes of their works' results.

What a batch expects and when it ends is in `data_analysis.batches`. A record is done when the
handler of its batch has returned; a callback that is late then changes nothing any more.
"""

import logging
import re
from collections.abc import Collection, Mapping
from datetime import datetime, tzinfo
from typing import Any

from data_analysis.batches import BatchCollector, BatchResultAggregator
from data_analysis.effects import Effect, Note, RunBatchHandler
from data_analysis.flights import Flights
from data_analysis.observe import Counters
from data_analysis.work import Flight, Work

BATCH_TOPIC = "SCHEDULE-STATION-REALTIME-DATA"
"""The one topic whose records open batches."""

SEND_TIME = "sendTime"
_SEND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")


class RecordBatches:
    """The batches of records in flight.

    Args:
        aggregator: gathers the results.
        flights: which records count; told when a batch's record is done.
        counters: where outcomes are counted.
        tries: how often a handler is called for one batch at most.
    """

    def __init__(
        self,
        aggregator: BatchResultAggregator,
        flights: Flights,
        counters: Counters,
        tries: int,
    ) -> None:
        self.last_error: str | None = None
        self._aggregator = aggregator
        self._flights = flights
        self._counters = counters
        self._tries = tries
        self._failures: dict[BatchCollector, int] = {}
        aggregator.changed = lambda: None

    def id_of(self, topic: str, stations: Mapping[str, list[Any]], zone: tzinfo) -> str | None:
        """Return the id of a record's batch, None where it takes the single-station path.

        Args:
            topic: of the record.
            stations: its items by station, as they came.
            zone: of the local times in the items.
        """
        if topic != BATCH_TOPIC or len(stations) < 2:
            return None
        if self._aggregator.batch_upload_handler is None:
            return None
        seconds = newest_send_time(stations, zone)
        return None if seconds is None else f"{BATCH_TOPIC}_{seconds}"

    def open(
        self, batch_id: str | None, called: Collection[str], flight: Flight
    ) -> BatchCollector | None:
        """Open the batch of a record, if it has an id and stations that are called."""
        if batch_id is None or not called:
            return None
        flight.open += 1
        self._counters.batches_opened += 1
        return self._aggregator.open(batch_id, called, flight, waits=True)

    def began(self, work: Work) -> None:
        """A callback runs: the time of its batches counts."""
        for batch in work.batches:
            self._aggregator.begin(batch)

    def wanted(self, work: Work) -> bool:
        """Return whether the record of one of the work's batches still counts."""
        return any(self.counts(batch) for batch in work.batches)

    def answer(self, work: Work, result: Any, effects: list[Effect]) -> None:
        """A work is done, with a result or without: its batches take note."""
        for batch in work.batches:
            late = batch.timed_out and work.station_id in batch.missing
            self._aggregator.answer(batch, work.station_id, result)
            if late and result is not None:
                self._counters.batch_results_late += 1
                effects.append(_note_late(batch, work))
        effects.extend(self.ended())

    def drop(self, work: Work) -> None:
        """A work is not done any more, for its record counts no more."""
        for batch in work.batches:
            self._aggregator.answer(batch, work.station_id, None)

    def due(self) -> list[Effect]:
        """Time has passed: end what has timed out."""
        self._aggregator.expire()
        return self.ended()

    def ended(self) -> list[Effect]:
        """Return the calls of handlers for batches that have ended."""
        effects: list[Effect] = []
        for batch in self._aggregator.take_ended():
            if batch.timed_out:
                self._counters.batches_timed_out += 1
                effects.append(_note_timed_out(batch))
            else:
                self._counters.batches_completed += 1
            effects.append(RunBatchHandler(batch))
        return effects

    def handled(self, batch: BatchCollector, error: BaseException | None) -> list[Effect]:
        """A handler has returned or raised: its record is done, or the handler is called again."""
        if error is None:
            self.last_error = None
            self._close(batch)
            return []
        self._counters.batch_handler_errors += 1
        self.last_error = f"{batch.batch_id}: {type(error).__name__}: {error}"
        effects: list[Effect] = [
            Note(logging.ERROR, "batch handler failed for %s", (batch.batch_id,), error=error)
        ]
        self._failures[batch] = self._failures.get(batch, 0) + 1
        if self._failures[batch] < self._tries and self.counts(batch):
            effects.append(RunBatchHandler(batch))
        else:
            self._close(batch)
        return effects

    def forget(self) -> None:
        """Partitions have changed hands: batches of records that count no more are dropped."""
        self._counters.batches_dropped += self._aggregator.abandon(
            lambda batch: isinstance(batch.key, Flight) and not self.counts(batch)
        )

    def counts(self, batch: BatchCollector) -> bool:
        """Return whether the batch's record is still ours; the user's own batches have none."""
        return not isinstance(batch.key, Flight) or self._flights.counts(batch.key)

    def _close(self, batch: BatchCollector) -> None:
        self._failures.pop(batch, None)
        if isinstance(batch.key, Flight):
            self._counters.records_finished += self._flights.release(batch.key)


def newest_send_time(stations: Mapping[str, list[Any]], zone: tzinfo) -> int | None:
    """Return the newest `sendTime` of all items in epoch seconds, None if none can be read."""
    values = (item.get(SEND_TIME) for items in stations.values() for item in items)
    # Many items say the same: each text is read once.
    texts = dict.fromkeys(value for value in values if type(value) is str)
    times = [time for time in map(_read_time, texts) if time is not None]
    if not times:
        return None
    try:
        return int(max(times).replace(tzinfo=zone).timestamp())
    except (ValueError, OverflowError):
        return None


def _read_time(text: str) -> datetime | None:
    if not _SEND_TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _note_late(batch: BatchCollector, work: Work) -> Note:
    return Note(
        logging.WARNING,
        "result of station %s is too late for batch %s and dropped",
        (work.station_id, batch.batch_id),
        "late_result",
    )


def _note_timed_out(batch: BatchCollector) -> Note:
    return Note(
        logging.WARNING,
        "batch %s timed out: %d of %d stations have answered; missing: %s",
        (
            batch.batch_id,
            len(batch.arrived),
            len(batch.expected_stations),
            ", ".join(batch.missing),
        ),
        "batch_timed_out",
    )
