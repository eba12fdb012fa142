"""The engine: records, answers and time go in, effects come out.

It ties windows, callbacks and offsets together and decides the order of work: per station one thing
after another, stations side by side. What records do to windows is in `data_analysis.intake`. It
does no I/O, reads no clock and logs nothing.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any

from data_analysis.answers import Answers
from data_analysis.batches import BatchCollector, BatchResultAggregator
from data_analysis.dispatcher import DataDispatcher
from data_analysis.durations import Durations
from data_analysis.effects import (
    AwaitAnswer,
    Effect,
    Note,
    Pending,
    Raised,
    RunCallback,
)
from data_analysis.engine_options import EngineOptions
from data_analysis.flights import Flights
from data_analysis.gaps import GapEvent
from data_analysis.handover import Asked, Call, Handover, flights_of
from data_analysis.intake import Intake
from data_analysis.lanes import Lanes
from data_analysis.observe import Counters
from data_analysis.offsets import OffsetManager
from data_analysis.record_batches import RecordBatches
from data_analysis.record_columns import Run
from data_analysis.reports import DeadLetters
from data_analysis.roster import Roster
from data_analysis.settings import Settings
from data_analysis.straight import Straight
from data_analysis.work import Flight, Ownership, Work


class Engine:
    """Decides what records, answers and time bring about.

    Args:
        dispatcher: the windows.
        offsets: what is safe to commit.
        options: what the service was asked for.
        aggregator: gathers the results of batches, where there is a handler for them.
    """

    def __init__(
        self,
        dispatcher: DataDispatcher,
        offsets: OffsetManager,
        options: EngineOptions,
        aggregator: BatchResultAggregator | None = None,
    ) -> None:
        self.dispatcher = dispatcher
        self.offsets = offsets
        self.counters = Counters()
        self.callback_durations = Durations()
        self._flights = Flights(offsets)
        self._aggregator = aggregator or BatchResultAggregator(None)
        self._batches = RecordBatches(
            self._aggregator, self._flights, self.counters, options.batch_handler_tries
        )
        self._options = options
        self._roster = Roster()
        self._lanes = Lanes()
        self._dead_letters = DeadLetters(options.dead_letter_topic)
        self._answers = Answers(
            self._flights,
            self._lanes,
            self._batches,
            self.counters,
            self._roster,
            self._dead_letters,
            options,
        )
        self.asked = 0
        """How many callbacks the records that were received last have asked for."""
        self._gathered: dict[str, Asked] = {}
        self._straight = Straight(
            dispatcher,
            self.counters,
            self._roster,
            self._lanes,
            options.module_name,
            options.output_topic,
            self._stay_with,
        )
        self._intake = Intake(
            dispatcher,
            self._flights,
            self._batches,
            self.counters,
            self._roster,
            self._dead_letters,
            options.module_name,
            self._straight,
            self._gather if options.coalesce else self._ask_for,
            self._gathered if options.coalesce else None,
        )
        self._settings = dispatcher.settings

    # Who is called.

    def configure(self, settings: Settings) -> None:
        """Use these topics and modules from now on."""
        if self.dispatcher.settings is not settings:
            self.dispatcher.apply_settings(settings)
        self._settings = settings
        self._intake.configure(settings)

    def call(self, *, all_stations: bool, handlers: bool) -> None:
        """Say whether every station has a callback, and whether results have handlers."""
        self._roster.everyone = all_stations
        self._answers.handles = handlers

    def add_station(self, station_id: str, now: float) -> None:
        """Make a station known that has a callback of its own."""
        self._roster.add(station_id)
        self.dispatcher.ensure_station(station_id, now)

    def remove_station(self, station_id: str) -> list[Effect]:
        """Forget a station and what waits for it; its records are passed over from now on."""
        self._roster.remove(station_id)
        self.dispatcher.drop_station(station_id)
        self._intake.forget([station_id])
        effects: list[Effect] = []
        works = self._lanes.empty(station_id)
        if station_id in self._gathered:
            works.append(self._merged(station_id, self._gathered.pop(station_id)))
        for work in works:
            self.counters.works_dropped += 1
            self._batches.answer(work, None, effects)
            self._answers.close(work)
        return effects

    # Records and time in.

    @property
    def newest_ms(self) -> dict[str, int]:
        """The newest record time of each topic, epoch milliseconds."""
        return self._intake.newest_ms

    @property
    def coalesces(self) -> bool:
        """Whether what is received at once makes one callback per station."""
        return self._options.coalesce

    def taken(self, runs: Iterable[Run]) -> None:
        """Note records that are held in memory: none of them, nor what follows, is done yet."""
        for tp, records in runs:
            self.offsets.track_all(tp, records.offsets, records.times_ms)

    def received(self, runs: Iterable[Run], now: float, call: Call | None = None) -> list[Effect]:
        """Apply taken records, in this order.

        Args:
            runs: the records.
            now: the time of arrival in epoch seconds.
            call: calls back at once, for stations for which nothing is being done.
        """
        if self.dispatcher.settings is not self._settings:
            self.configure(self.dispatcher.settings)
        if self._answers.handles:
            call = None
        early = None if self._options.coalesce else call
        handover = Handover(now, early, self.callback_durations)
        for tp, records in runs:
            ownership = self._flights.ownership(tp)
            if ownership is not None and records:
                self._intake.apply(ownership, records, handover)
        handover.call = call
        self._call_gathered(handover)
        self.asked = handover.asked
        return handover.effects

    @property
    def has_gathered(self) -> bool:
        """Whether there are callbacks still to be made of what was received: see `go_on`."""
        return bool(self._gathered)

    def go_on(self, now: float, call: Call | None = None) -> list[Effect]:
        """Call more stations back for what a poll has asked of them, as `received` does."""
        call = None if self._answers.handles else call
        handover = Handover(now, call, self.callback_durations)
        self._call_gathered(handover)
        return handover.effects

    def ticked(self, now: float) -> list[Effect]:
        """Let time pass: windows that have expired are emptied."""
        forgotten = self.dispatcher.expire(now, keep=self._roster.own)
        self._intake.forget(forgotten)
        if not forgotten:
            return []
        return [
            Note(logging.INFO, "%d stations expired: %s", (len(forgotten), ", ".join(forgotten)))
        ]

    # Answers in.

    def finished(self, work: Work, result: Any, now: float) -> list[Effect]:
        """A callback has returned: upload, and the station's next work."""
        return self._answers.finished(work, result, now)

    def failed(self, work: Work, error: BaseException) -> list[Effect]:
        """A callback has raised: once more if it may, else noted and done."""
        return self._answers.failed(work, error)

    def acknowledged_all(self, tickets: Sequence[Any], now: float) -> list[Effect]:
        """Uploads have been acknowledged."""
        return self._answers.acknowledged_all(tickets, now)

    def acknowledged(self, ticket: Any, now: float, error: str | None = None) -> list[Effect]:
        """An upload has been acknowledged, or has failed for good for the reason `error`."""
        return self._answers.acknowledged(ticket, now, error)

    def handled(self, work: Work, errors: Sequence[BaseException] = ()) -> list[Effect]:
        """The result handlers have run for `work`."""
        return self._answers.handled(work, errors)

    # Batches in.

    @property
    def last_batch_error(self) -> str | None:
        """What the batch handler raised at last, None once it has returned again."""
        return self._batches.last_error

    def next_due(self) -> float | None:
        """Return when `batches_due` is to be called, by the monotonic clock; None for never."""
        return self._aggregator.next_due()

    def batches_due(self) -> list[Effect]:
        """Time has passed: batches that have timed out end."""
        return self._batches.due()

    def wants(self, batch: BatchCollector) -> bool:
        """Return whether the handler is still to be called: the batch's record is still ours."""
        return self._batches.counts(batch)

    def batch_handled(
        self, batch: BatchCollector, error: BaseException | None = None
    ) -> list[Effect]:
        """The handler has returned for a batch, or has raised."""
        return self._batches.handled(batch, error)

    # Ownership in.

    def assigned(self, tp: tuple[str, int], position: int, last_record_ms: int | None) -> None:
        """A partition is ours, from `position` on; windows that reflect another one are dropped."""
        self.offsets.assign(tp, position, last_record_ms=last_record_ms)
        self._forget([tp])
        self._intake.begin_at(tp, position)

    @property
    def warm_start(self) -> bool:
        """Whether windows are filled before a partition that is assigned is read."""
        return self._options.warm_start

    def reflects(self, tp: tuple[str, int], position: int) -> bool:
        """Return whether the windows have what comes before this position of a partition."""
        return self._intake.reflects(tp, position)

    def apart(self) -> "Engine":
        """Return an engine of the same topics without data, which calls nobody."""
        module = EngineOptions(self._options.module_name)
        return Engine(self.dispatcher.apart(), OffsetManager(), module)

    def fed(self, tp: tuple[str, int]) -> Collection[str]:
        """Return the stations whose windows have something of a partition."""
        return self._intake.fed(tp)

    def adopt(self, other: "Engine", now: float, later_s: float) -> None:
        """Take over the windows of an engine that was `apart`; they are `later_s` seconds old."""
        self.dispatcher.adopt(other.dispatcher, now, later_s, self._roster.removed)
        self._intake.adopt(other._intake)
        self.counters.records_read_again += other.counters.records_received

    def declared(self, gap: GapEvent) -> None:
        """A gap is known: it is counted; `moved` says where reading goes on."""
        self.counters.gaps += 1

    def moved(
        self, tp: tuple[str, int], start: int, end: int, last_record_ms: int | None = None
    ) -> None:
        """Reading goes on at `end`: [start, end) is lost, `end` committed at once, windows stay."""
        generation = self.offsets.generation(tp)
        self.offsets.gap(tp, start, end, last_record_ms=last_record_ms)
        if self.offsets.generation(tp) != generation:
            self._forget([tp])
        self._intake.go_on_at(tp, end)

    @property
    def in_flight(self) -> int:
        """How many records are in flight, counting callbacks that are late for their batch."""
        return self._flights.count + self._aggregator.awaited_late

    def in_flight_of(self, tps: Iterable[tuple[str, int]]) -> int:
        """Return how many records of these partitions are in flight."""
        return self._flights.count_of(tps)

    @property
    def idle(self) -> bool:
        """Whether no callback or handler runs or waits."""
        return self._lanes.idle and not self._gathered

    def works_for(self, station_id: str) -> bool:
        """Return whether a callback or handler of a station runs or waits."""
        return station_id in self._lanes.busy or station_id in self._gathered

    def busy(self, tps: Iterable[tuple[str, int]]) -> bool:
        """Return whether work for one of these partitions is in flight."""
        return self._flights.busy(tps)

    def revoked(self, tps: Sequence[tuple[str, int]]) -> None:
        """Partitions are no longer ours: waiting work is dropped, nothing more is committed."""
        self.offsets.revoke(tps)
        self._forget(tps)
        works = self._lanes.drop(lambda work: not self._answers.wanted(work))
        for station_id in list(self._gathered):
            work = self._merged(station_id, self._gathered[station_id])
            if not self._answers.wanted(work):
                del self._gathered[station_id]
                works.append(work)
        for work in works:
            self.counters.works_dropped += 1
            self._batches.drop(work)

    # Inside.

    def _gather(
        self, handover: Handover, station_id: str, flight: Flight, batch: BatchCollector | None
    ) -> None:
        self._gathered.setdefault(station_id, []).append((flight, batch))

    def _call_gathered(self, handover: Handover) -> None:
        """Make one callback of what is asked of each station: of all, unless they run here."""
        ended: dict[Ownership, list[int]] = {}
        calls = None if handover.call is None else handover.calls_left
        settings, merged = self._settings, self._straight.merged(handover, ended)
        for station_id in [*islice(self._gathered, calls)]:
            if self.dispatcher.settings is not settings:
                # A callback has changed them.
                settings = self.dispatcher.settings
                self.configure(settings)
                merged = self._straight.merged(handover, ended)
            if handover.call is not None and not handover.may_call:
                break
            asked = self._gathered.pop(station_id, None)
            if asked is None:
                # A callback has removed the station.
                continue
            if not merged(station_id, asked):
                handover.calls_left -= 1
                work = self._merged(station_id, asked, handover.now)
                self._answers.line_up(RunCallback(work), handover.effects)
        self.counters.records_finished += self._flights.end_all(ended)

    def _ask_for(
        self, handover: Handover, station_id: str, flight: Flight, batch: BatchCollector | None
    ) -> None:
        handover.lined_up += 1
        work = self._intake.work(station_id, flight, handover.now)
        if batch is not None:
            work.single = False
            work.batches = (batch,)
        self._answers.line_up(RunCallback(work), handover.effects)

    def _stay_with(
        self, handover: Handover, station_id: str, asked: Asked, shown: dict[str, Any], answer: Any
    ) -> None:
        """A callback that went straight has not ended with a result: it has a lane from here on."""
        work = self._merged(station_id, asked, handover.now)
        work.shown = shown
        self._lanes.line_up(RunCallback(work))
        if type(answer) is Raised:
            handover.effects.extend(self.failed(work, answer.error))
        elif type(answer) is Pending:
            handover.effects.append(AwaitAnswer(work, answer))
        else:
            handover.effects.extend(self.finished(work, answer, handover.now))

    def _merged(self, station_id: str, asked: Asked, now: float | None = None) -> Work:
        """Return the one work of all that is asked of a station, on its state at a time, if any."""
        flown = flights_of(asked)
        flight, last = flown[-1]
        work = self._intake.work(station_id, flight, now)
        work.single = last is None
        work.merged = [flight for flight, batch in flown[:-1] if batch is None]
        work.batches = tuple(batch for _, batch in flown if batch is not None)
        return work

    def _forget(self, tps: Sequence[tuple[str, int]]) -> None:
        self._flights.forget(tps)
        self._batches.forget()
