"""The engine: records, answers and time go in, effects come out.

It ties windows, callbacks and offsets together and decides the order of work: per station one thing
after another, stations side by side. It does no I/O, reads no clock and logs nothing.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol

from data_analysis.batches import BatchCollector, BatchResultAggregator
from data_analysis.dispatcher import DataDispatcher
from data_analysis.durations import Durations
from data_analysis.effects import Effect, Note, RunCallback, RunHandlers, Upload
from data_analysis.flights import Flights
from data_analysis.gaps import GapEvent
from data_analysis.lanes import Job, Lanes
from data_analysis.messages import Message, read_message, read_single
from data_analysis.observe import Counters
from data_analysis.offsets import OffsetManager
from data_analysis.record_batches import RecordBatches
from data_analysis.reports import dead_letter, note_failed, note_lost, note_refused
from data_analysis.results import write_result
from data_analysis.settings import Settings, TopicSettings
from data_analysis.stores import Outcome
from data_analysis.topics import TopicFamily, family_of
from data_analysis.topics.general import GeneralTopic
from data_analysis.work import Flight, Ownership, Work

MILLISECONDS = 1000

_partition_of = attrgetter("topic", "partition")


class Record(Protocol):
    """What the engine needs of a client's record; `timestamp` in epoch ms, None or < 0 for none."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int | None: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a service asks of the engine; constant while it runs.

    `output_topic` is None where results are not uploaded; `callback_tries` and
    `batch_handler_tries` are at least 1.
    """

    module_name: str | None = None
    output_topic: str | None = None
    coalesce: bool = False
    callback_tries: int = 1
    batch_handler_tries: int = 1
    dead_letter_topic: str | None = None


_Asked = tuple[Flight, BatchCollector | None]
_Newest = dict[str, list[_Asked]]
"""With `coalesce`: what a poll asks of each station, record by record."""


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
        self.newest_ms: dict[str, int] = {}
        """The newest record time of each topic, epoch milliseconds."""
        self._flights = Flights(offsets)
        self._aggregator = aggregator or BatchResultAggregator(None)
        self._batches = RecordBatches(
            self._aggregator, self._flights, self.counters, options.batch_handler_tries
        )
        self._options = options
        self._calls_all = False
        self._calls: dict[str, None] = {}
        self._removed: dict[str, None] = {}
        self._handles = False
        self._lanes = Lanes()
        self._reflected: dict[tuple[str, int], int] = {}
        self._fed: dict[tuple[str, int], dict[str, None]] = {}
        self._topics: dict[str, _Topic] = {}
        self._settings = dispatcher.settings
        self.configure(dispatcher.settings)

    # Who is called.

    def configure(self, settings: Settings) -> None:
        """Use these topics and modules from now on."""
        if self.dispatcher.settings is not settings:
            self.dispatcher.apply_settings(settings)
        self._settings = settings
        module = self._options.module_name
        self._topics = {
            name: _Topic.of(topic, _uses(module, topic.modules))
            for name, topic in settings.topics.items()
        }

    def call(self, *, all_stations: bool, handlers: bool) -> None:
        """Say whether every station has a callback, and whether results have handlers."""
        self._calls_all = all_stations
        self._handles = handlers

    def add_station(self, station_id: str, now: float) -> None:
        """Make a station known that has a callback of its own."""
        self._removed.pop(station_id, None)
        self._calls[station_id] = None
        self.dispatcher.ensure_station(station_id, now)

    def remove_station(self, station_id: str) -> list[Effect]:
        """Forget a station and what waits for it; its records are passed over from now on."""
        self._removed[station_id] = None
        self._calls.pop(station_id, None)
        self.dispatcher.drop_station(station_id)
        effects: list[Effect] = []
        for work in self._lanes.empty(station_id):
            self.counters.works_dropped += 1
            self._batches.answer(work, None, effects)
            self._close(work)
        return effects

    # Records and time in.

    def taken(self, records: Iterable[Record]) -> None:
        """Note records that are held in memory: none of them, nor what follows, is done yet."""
        for tp, run in groupby(records, _partition_of):
            held = list(run)
            self.offsets.track_all(tp, [each.offset for each in held], [*map(_time_ms, held)])

    def received(self, records: Iterable[Record], now: float) -> list[Effect]:
        """Apply taken records, in this order, at the time `now` in epoch seconds."""
        if self.dispatcher.settings is not self._settings:
            self.configure(self.dispatcher.settings)
        effects: list[Effect] = []
        newest: _Newest | None = {} if self._options.coalesce else None
        for tp, run in groupby(records, _partition_of):
            ownership = self._flights.ownership(tp)
            if ownership is not None:
                for record in run:
                    self._apply(record, ownership, now, effects, newest)
                    self.counters.records_received += 1
        for station_id, asked in (newest or {}).items():
            self._line_up(RunCallback(self._merged(station_id, asked, now)), effects)
        return effects

    def ticked(self, now: float) -> list[Effect]:
        """Let time pass: windows that have expired are emptied."""
        forgotten = self.dispatcher.expire(now, keep=self._calls)
        if not forgotten:
            return []
        return [
            Note(logging.INFO, "%d stations expired: %s", (len(forgotten), ", ".join(forgotten)))
        ]

    # Answers in.

    def finished(self, work: Work, result: Any, now: float) -> list[Effect]:
        """A callback has returned: upload, and the station's next work."""
        self.counters.callbacks_run += 1
        effects: list[Effect] = []
        work.result = result
        if not self._handles and result is not None:
            # What waits for its acknowledgement need not keep its input.
            work.let_go()
        topic, module = self._options.output_topic, self._options.module_name
        if not self._wanted(work):
            self.counters.works_dropped += 1
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
                self.counters.results_unserialisable += 1
                effects.append(note_failed(work, "result cannot be written as JSON", error))
                self._close(work)
            else:
                key = _key(work.station_id)
                effects.append(Upload(topic, key, value, int(now * MILLISECONDS), (), work))
        if work.batches:
            self._batches.answer(work, result, effects)
        self._next(work.station_id, effects)
        return effects

    def failed(self, work: Work, error: BaseException) -> list[Effect]:
        """A callback has raised: once more if it may, else noted and done."""
        self.counters.callback_errors += 1
        work.attempts += 1
        effects: list[Effect] = [note_failed(work, "callback failed", error)]
        known = work.station_id not in self._removed
        if known and work.attempts < self._options.callback_tries and self._wanted(work):
            effects.append(RunCallback(work))
            return effects
        self._batches.answer(work, None, effects)
        self._close(work)
        self._next(work.station_id, effects)
        return effects

    def acknowledged(self, ticket: Any, now: float, error: str | None = None) -> list[Effect]:
        """An upload has been acknowledged, or has failed for good for the reason `error`."""
        effects: list[Effect] = []
        if isinstance(ticket, Flight):
            self.counters.dead_letters += error is None
            if error is not None:
                effects.append(Note(logging.ERROR, "dead letter lost: %s", (error,), "dead_letter"))
            self._release(ticket)
        elif error is None:
            self.counters.results_uploaded += 1
            self._hand_over(ticket, effects)
        else:
            self._lose(ticket, error, now, effects)
        return effects

    def handled(self, work: Work, errors: Sequence[BaseException] = ()) -> list[Effect]:
        """The result handlers have run for `work`."""
        self.counters.handler_errors += len(errors)
        effects: list[Effect] = [
            note_failed(work, "result handler failed", error) for error in errors
        ]
        self._close(work)
        self._next(work.station_id, effects)
        return effects

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
        if self._reflected.get(tp, position) != position:
            for station_id in self._fed.pop(tp, {}):
                self.dispatcher.drop_window(station_id, tp[0])
        self._reflected[tp] = position

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
        self._reflected[tp] = end

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
        return self._lanes.idle

    def busy(self, tps: Iterable[tuple[str, int]]) -> bool:
        """Return whether work for one of these partitions is in flight."""
        return self._flights.busy(tps)

    def revoked(self, tps: Sequence[tuple[str, int]]) -> None:
        """Partitions are no longer ours: waiting work is dropped, nothing more is committed."""
        self.offsets.revoke(tps)
        self._forget(tps)
        for work in self._lanes.drop(lambda work: not self._wanted(work)):
            self.counters.works_dropped += 1
            self._batches.drop(work)

    # Inside.

    def _apply(
        self,
        record: Record,
        ownership: Ownership,
        now: float,
        effects: list[Effect],
        newest: _Newest | None,
    ) -> None:
        tp = ownership.tp
        flight = self._flights.begin(ownership, record.offset)
        self._reflected[tp] = record.offset + 1
        topic = self._topics.get(tp[0])
        if topic is not None:
            time_ms = _time_ms(record)
            timestamp = None if time_ms is None else time_ms / MILLISECONDS
            if time_ms is not None and time_ms > self.newest_ms.get(tp[0], -1):
                self.newest_ms[tp[0]] = time_ms
            batch_id = None
            single = read_single(record.value) if topic.single else None
            if single is not None:
                touched = self._store_single(tp, *single, timestamp, now)
            else:
                message = read_message(record.value, topic.family.scopes)
                batch_id = self._batches.id_of(tp[0], message.stations, self._settings.timezone)
                if topic.family.sifts:
                    topic.family.sift(message)
                if message.reasons:
                    self._refuse(record, message, flight, now, effects)
                touched = self._store(tp, message, timestamp, now)
            if topic.used:
                called = touched
                if not self._calls_all:
                    called = [each for each in touched if each in self._calls]
                batch = self._batches.open(batch_id, called, flight)
                for station_id in called:
                    self._ask(station_id, flight, batch, now, effects, newest)
        if flight.open > 1:
            flight.open -= 1
        else:
            self._release(flight)

    def _store(
        self,
        tp: tuple[str, int],
        message: Message,
        timestamp: float | None,
        now: float,
    ) -> Collection[str]:
        """Put a message's items into windows; return the stations that have something new."""
        topic = tp[0]
        dispatcher = self.dispatcher
        if message.everyone is not None:
            dispatcher.keep_for_everyone(topic, message.everyone, timestamp)
            touched = dispatcher.station_ids()
            for station_id in touched:
                self._count(dispatcher.update(station_id, topic, message.everyone, timestamp, now))
            return touched
        fed = self._fed.setdefault(tp, {})
        touched = []
        for station_id, items in message.stations.items():
            if station_id in self._removed:
                self.counters.records_of_removed_stations += 1
                continue
            dispatcher.ensure_station(station_id, now)
            for payload in items:
                self._count(dispatcher.update(station_id, topic, payload, timestamp, now))
            fed[station_id] = None
            touched.append(station_id)
        return touched

    def _store_single(
        self, tp: tuple[str, int], station_id: str, item: Any, timestamp: float | None, now: float
    ) -> Collection[str]:
        """Do what `_store` does, for one item of one station."""
        if station_id in self._removed:
            self.counters.records_of_removed_stations += 1
            return ()
        if not self.dispatcher.knows(station_id):
            self.dispatcher.ensure_station(station_id, now)
        outcome = self.dispatcher.update(station_id, tp[0], item, timestamp, now)
        if outcome is Outcome.APPENDED:
            self.counters.points_appended += 1
        else:
            self._count(outcome)
        if tp in self._fed:
            self._fed[tp][station_id] = None
        else:
            self._fed[tp] = {station_id: None}
        return (station_id,)

    def _count(self, outcome: Outcome) -> None:
        counters = self.counters
        if outcome is Outcome.APPENDED:
            counters.points_appended += 1
        elif outcome is Outcome.INSERTED:
            counters.points_inserted += 1
        elif outcome is Outcome.TOO_LATE:
            counters.points_too_late += 1
        else:
            counters.points_duplicate += 1

    def _ask(
        self,
        station_id: str,
        flight: Flight,
        batch: BatchCollector | None,
        now: float,
        effects: list[Effect],
        newest: _Newest | None,
    ) -> None:
        if batch is None:
            flight.open += 1
        if newest is not None:
            newest.setdefault(station_id, []).append((flight, batch))
            return
        work = self._work(station_id, flight, now)
        if batch is not None:
            work.single = False
            work.batches = (batch,)
        self._line_up(RunCallback(work), effects)

    def _work(self, station_id: str, flight: Flight, now: float) -> Work:
        snapshot = self.dispatcher.snapshot(station_id, self._options.module_name, now)
        return Work(station_id, snapshot, flight)

    def _merged(self, station_id: str, asked: list[_Asked], now: float) -> Work:
        """Return the one work of all that a poll asks of a station, on its newest state."""
        flight, last = asked[-1]
        work = self._work(station_id, flight, now)
        work.single = last is None
        work.merged = [flight for flight, batch in asked[:-1] if batch is None]
        work.batches = tuple(batch for _, batch in asked if batch is not None)
        return work

    def _line_up(self, job: Job, effects: list[Effect]) -> None:
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
        if self._handles:
            self._line_up(RunHandlers(work), effects)
        else:
            self._close(work)

    def _close(self, work: Work) -> None:
        for flight in work.merged:
            self._release(flight)
        if work.single:
            self._release(work.flight)

    def _release(self, flight: Flight) -> None:
        self.counters.records_finished += self._flights.release(flight)

    def _wanted(self, work: Work) -> bool:
        if work.single and work.flight.ownership.current:
            return True
        return any(map(self._flights.counts, work.flights())) or self._batches.wanted(work)

    def _forget(self, tps: Sequence[tuple[str, int]]) -> None:
        self._flights.forget(tps)
        self._batches.forget()

    def _refuse(
        self, record: Record, message: Message, flight: Flight, now: float, effects: list[Effect]
    ) -> None:
        for reason in message.reasons:
            self.counters.refuse(reason.value)
        reasons = list(dict.fromkeys(message.reasons))
        effects.extend(note_refused(flight, reason) for reason in reasons)
        if record.value:
            why = ",".join(reason.value for reason in reasons)
            key = record.key or record.topic.encode()
            self._bury(flight, key, bytes(record.value), why, now, effects)

    def _lose(self, work: Work, error: str, now: float, effects: list[Effect]) -> None:
        self.counters.results_lost += 1
        note = note_lost(work, error)
        effects.append(note)
        text = (note.text % note.details).encode("utf-8", "replace")
        self._bury(work.flight, _key(work.station_id), text, "result_lost", now, effects)
        self._close(work)

    def _bury(
        self,
        flight: Flight,
        key: bytes,
        value: bytes,
        reason: str,
        now: float,
        effects: list[Effect],
    ) -> None:
        """Send a dead letter, if there is a topic for them; the record waits for it."""
        topic = self._options.dead_letter_topic
        if topic is not None:
            flight.open += 1
            now_ms = int(now * MILLISECONDS)
            effects.append(dead_letter(topic, flight, key, value, reason, now_ms))


@dataclass(frozen=True, slots=True)
class _Topic:
    family: TopicFamily
    used: bool
    single: bool

    @classmethod
    def of(cls, topic: TopicSettings, used: bool) -> "_Topic":
        family = family_of(topic)
        return cls(family, used, type(family) is GeneralTopic)


def _uses(module: str | None, modules: Sequence[str]) -> bool:
    """Return whether a topic of these modules matters to a service of one, or of all for None."""
    return bool(modules) if module is None else module in modules


def _time_ms(record: Record) -> int | None:
    """Return a record's time; clients give None or a negative one for a record without."""
    return None if record.timestamp is None or record.timestamp < 0 else record.timestamp


def _key(station_id: str) -> bytes:
    return station_id.encode("utf-8", "replace")
