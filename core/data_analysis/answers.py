"""Answers in: what callbacks, uploads and handlers have brought about, and what is next for whom.

Per station one thing after another. What makes work is in `data_analysis.intake`.
"""

import logging
from collections.abc import Sequence
from typing import Any

from data_analysis.effects import Effect, Note, Results, RunCallback, RunHandlers, Upload
from data_analysis.engine_options import EngineOptions
from data_analysis.flights import Flights
from data_analysis.handover import MILLISECONDS
from data_analysis.lanes import Job, Lanes
from data_analysis.observe import Counters
from data_analysis.record_batches import RecordBatches
from data_analysis.reports import DeadLetters, note_failed, note_lost
from data_analysis.results import key_of, write_result
from data_analysis.roster import Roster
from data_analysis.work import Buried, Flight, Ownership, Work


class Answers:
    """Follows works from their callbacks to their end.

    Args:
        flights: told of records that are done.
        lanes: which work is next for a station.
        batches: told of results.
        counters: where outcomes are counted.
        roster: which stations are removed.
        dead_letters: where results go that Kafka will never take.
        options: of the engine.

    `handles` is whether results have handlers.
    """

    def __init__(
        self,
        flights: Flights,
        lanes: Lanes,
        batches: RecordBatches,
        counters: Counters,
        roster: Roster,
        dead_letters: DeadLetters,
        options: EngineOptions,
    ) -> None:
        self.handles = False
        self._counters = counters
        self._flights = flights
        self._lanes = lanes
        self._batches = batches
        self._roster = roster
        self._dead_letters = dead_letters
        self._options = options

    def finished(self, work: Work, result: Any, now: float) -> list[Effect]:
        """A callback has returned: upload, and the station's next work."""
        effects: list[Effect] = []
        self._conclude(work, result, now, effects)
        self._next(work.station_id, effects)
        return effects

    def _conclude(self, work: Work, result: Any, now: float, effects: list[Effect]) -> None:
        self._counters.callbacks_run += 1
        work.result = result
        if not self.handles and result is not None:
            # What waits for its acknowledgement need not keep its input.
            work.let_go()
        topic, module = self._options.output_topic, self._options.module_name
        if not (work.single and work.flight.ownership.current) and not self.wanted(work):
            self._counters.works_dropped += 1
            result = None
        elif not work.single and not work.merged:
            pass
        elif topic is None or module is None:
            self._hand_over(work, effects)
        else:
            output = work.shown if result is None else result
            try:
                value = write_result(work.station_id, module, output, now)
            except (TypeError, ValueError, RecursionError) as error:
                self._counters.results_unserialisable += 1
                effects.append(note_failed(work, "result cannot be written as JSON", error))
                self.close(work)
            else:
                key = key_of(work.station_id)
                effects.append(Upload(topic, key, value, int(now * MILLISECONDS), (), work))
        if work.batches:
            self._batches.answer(work, result, effects)

    def failed(self, work: Work, error: BaseException) -> list[Effect]:
        """A callback has raised: once more if it may, else noted and done."""
        self._counters.callback_errors += 1
        work.attempts += 1
        effects: list[Effect] = [note_failed(work, "callback failed", error)]
        known = work.station_id not in self._roster.removed
        if known and work.attempts < self._options.callback_tries and self.wanted(work):
            effects.append(RunCallback(work))
            return effects
        self._batches.answer(work, None, effects)
        self.close(work)
        self._next(work.station_id, effects)
        return effects

    def acknowledged_all(self, tickets: Sequence[Any], now: float) -> list[Effect]:
        """Uploads have been acknowledged."""
        effects: list[Effect] = []
        flights: list[Flight] = []
        ended: dict[Ownership, list[int]] = {}
        for ticket in tickets:
            if type(ticket) is Results:
                self._counters.results_uploaded += len(ticket.origins)
                if ticket.ownership is None:
                    flights += ticket.origins
                else:
                    ended.setdefault(ticket.ownership, []).extend(ticket.origins)
            elif self.handles or type(ticket) is Buried:
                effects += self.acknowledged(ticket, now)
            else:
                self._counters.results_uploaded += 1
                flights += ticket.flights()
        self._counters.records_finished += self._flights.end_all(ended)
        self._counters.records_finished += self._flights.release_all(flights)
        return effects

    def acknowledged(self, ticket: Any, now: float, error: str | None = None) -> list[Effect]:
        """An upload has been acknowledged, or has failed for good for the reason `error`."""
        effects: list[Effect] = []
        if type(ticket) is Buried:
            self._counters.dead_letters += error is None
            if error is not None:
                effects.append(Note(logging.ERROR, "dead letter lost: %s", (error,), "dead_letter"))
            self._counters.records_finished += self._flights.release(ticket.flight)
        elif error is None:
            self._counters.results_uploaded += 1
            self._hand_over(ticket, effects)
        else:
            self._lose(ticket, error, now, effects)
        return effects

    def handled(self, work: Work, errors: Sequence[BaseException] = ()) -> list[Effect]:
        """The result handlers have run for `work`."""
        self._counters.handler_errors += len(errors)
        effects: list[Effect] = [
            note_failed(work, "result handler failed", error) for error in errors
        ]
        self.close(work)
        self._next(work.station_id, effects)
        return effects

    def line_up(self, job: Job, effects: list[Effect]) -> None:
        """Begin with a job, or have it wait for what its station does."""
        ready = self._lanes.line_up(job)
        if ready is not None:
            self._begin(ready, effects)

    def _next(self, station_id: str, effects: list[Effect]) -> None:
        job = self._lanes.next(station_id)
        if job is not None:
            self._begin(job, effects)

    def _begin(self, job: Job, effects: list[Effect]) -> None:
        if job.work.batches:
            self._batches.began(job.work)
        effects.append(job)

    def _hand_over(self, work: Work, effects: list[Effect]) -> None:
        if self.handles:
            self.line_up(RunHandlers(work), effects)
        else:
            self.close(work)

    def close(self, work: Work) -> None:
        """Nothing more comes of a work: the records that waited for it may be done."""
        flights = self._flights
        if work.merged:
            self._counters.records_finished += flights.release_all(work.merged)
        if work.single:
            self._counters.records_finished += flights.release(work.flight)

    def wanted(self, work: Work) -> bool:
        """Return whether a record or batch that waits for a work still counts."""
        return any(map(self._flights.counts, work.flights())) or self._batches.wanted(work)

    def _lose(self, work: Work, error: str, now: float, effects: list[Effect]) -> None:
        self._counters.results_lost += 1
        note = note_lost(work, error)
        effects.append(note)
        text = (note.text % note.details).encode("utf-8", "replace")
        # Not the record of a batch, which does not wait for this work.
        flight = work.flights()[-1]
        self._dead_letters.bury(flight, key_of(work.station_id), text, "result_lost", now, effects)
        self.close(work)
