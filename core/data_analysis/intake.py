"""Records in: into windows they go, and what they ask for comes out as work.

Who is called is in `data_analysis.roster`; in which order work is done, and what becomes of its
results, is in `data_analysis.engine`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol

from data_analysis.dispatcher import DataDispatcher
from data_analysis.feeds import Feed
from data_analysis.flights import Flights
from data_analysis.garbage import searched_later
from data_analysis.handover import MILLISECONDS, Ask, Asked, Handover
from data_analysis.messages import Message, read_message, read_single
from data_analysis.observe import Counters
from data_analysis.record_batches import RecordBatches
from data_analysis.reports import DeadLetters, note_refused
from data_analysis.roster import Roster
from data_analysis.settings import Settings
from data_analysis.straight import Point, Straight
from data_analysis.work import Flight, Ownership, Work


class Record(Protocol):
    """What the engine needs of a client's record; `timestamp` in epoch ms, None or < 0 for none."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int | None: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


_TIMESTAMP = attrgetter("timestamp")

Run = tuple[tuple[str, int], Sequence[Record]]
"""A partition, and records of it in the order of their offsets."""


class Intake:
    """Applies records.

    Args:
        dispatcher: the windows.
        flights: where records begin to be in flight.
        batches: which records open batches.
        counters: where outcomes are counted.
        roster: who is called.
        dead_letters: where records go that cannot be used.
        module: whose input is wanted, None for all.
        straight: takes points that need not wait.
        ask: called for every other record and station that is called, with the windows as they are.
        gathered: takes instead what records that are of one station ask for; None for nothing.
    """

    def __init__(
        self,
        dispatcher: DataDispatcher,
        flights: Flights,
        batches: RecordBatches,
        counters: Counters,
        roster: Roster,
        dead_letters: DeadLetters,
        module: str | None,
        straight: Straight,
        ask: Ask,
        gathered: dict[str, Asked] | None,
    ) -> None:
        self.newest_ms: dict[str, int] = {}
        """The newest record time of each topic, epoch milliseconds."""
        self._dispatcher = dispatcher
        self._flights = flights
        self._batches = batches
        self._counters = counters
        self._roster = roster
        self._dead_letters = dead_letters
        self._module = module
        self._straight = straight
        self._ask = ask
        self._gathered = gathered
        self._topics: dict[str, _Topic] = {}
        self._reflected: dict[tuple[str, int], int] = {}
        self._fed: defaultdict[tuple[str, int], dict[str, None]] = defaultdict(dict)
        self.configure(dispatcher.settings)

    def configure(self, settings: Settings) -> None:
        """Use these topics, which the dispatcher knows already, from now on."""
        dispatcher = self._dispatcher
        self._zone = settings.timezone
        self._inputs = dispatcher.inputs(self._module)
        self._topics = {
            name: _Topic(dispatcher.feed(name), self._module) for name in settings.topics
        }

    def begin_at(self, tp: tuple[str, int], position: int) -> None:
        """A partition is read from here on; windows that reflect another position are dropped."""
        if self._reflected.get(tp, position) != position:
            for station_id in self._fed.pop(tp, {}):
                self._dispatcher.drop_window(station_id, tp[0])
        self._reflected[tp] = position

    def go_on_at(self, tp: tuple[str, int], position: int) -> None:
        """A partition is read from here on; what was between is lost, and windows stay."""
        self._reflected[tp] = position

    def reflects(self, tp: tuple[str, int], position: int) -> bool:
        """Return whether the windows have what comes before this position of a partition."""
        return self._reflected.get(tp) == position

    def fed(self, tp: tuple[str, int]) -> Collection[str]:
        """Return the stations whose windows have something of a partition."""
        return self._fed.get(tp, {})

    def adopt(self, other: "Intake") -> None:
        """Remember what another one has put into windows that are taken over."""
        for tp, stations in other._fed.items():
            self._fed[tp].update(stations)
        for topic, newest_ms in other.newest_ms.items():
            self.newest_ms[topic] = max(newest_ms, self.newest_ms.get(topic, newest_ms))

    def forget(self, station_ids: Iterable[str]) -> None:
        """Stations have no windows any more: nothing of them reflects a partition."""
        for station_id in station_ids:
            for fed in self._fed.values():
                fed.pop(station_id, None)

    def apply(
        self,
        ownership: Ownership,
        records: Sequence[Record],
        handover: Handover,
    ) -> None:
        """Apply records of one partition, one at least, in their order."""
        tp = ownership.tp
        self._flights.begin(ownership, len(records))
        self._reflected[tp] = records[-1].offset + 1
        self._counters.records_received += len(records)
        counters, roster, dispatcher = self._counters, self._roster, self._dispatcher
        gathered = self._gathered
        settings, topic, fed = dispatcher.settings, self._topics.get(tp[0]), self._fed[tp]
        if topic is not None:
            self._note_newest(tp[0], records)
        applied: list[Flight] = []
        ended: list[int] = []
        point: Point = _no_way
        if topic is not None and topic.single:
            keep = self._straight.keeping(topic.feed, handover.now, True)
            point = self._point(topic, handover, ownership, ended, flat=True)
        for record in records:
            if dispatcher.settings is not settings:
                # A callback has changed them.
                settings = dispatcher.settings
                self.configure(settings)
                topic = self._topics.get(tp[0])
                if topic is not None and topic.single:
                    keep = self._straight.keeping(topic.feed, handover.now, True)
                    point = self._point(topic, handover, ownership, ended, flat=True)
            if topic is None:
                ended.append(record.offset)
                continue
            time_ms = record.timestamp
            timestamp = None if time_ms is None or time_ms < 0 else time_ms / MILLISECONDS
            single = read_single(record.value) if topic.single else None
            if single is None:
                flight = Flight(ownership, record.offset)
                self._apply(record, flight, topic, timestamp, handover)
                applied.append(flight)
                continue
            station_id, item = single
            if point(station_id, item, timestamp, record.offset):
                fed[station_id] = None
                continue
            if station_id in roster.removed:
                counters.records_of_removed_stations += 1
                ended.append(record.offset)
                continue
            keep(station_id, item, timestamp)
            fed[station_id] = None
            if not topic.used or not (roster.everyone or station_id in roster.own):
                ended.append(record.offset)
            elif gathered is None:
                self._ask(handover, station_id, Flight(ownership, record.offset), None)
            elif station_id in gathered:
                gathered[station_id].append((ownership, record.offset))
            else:
                gathered[station_id] = [(ownership, record.offset)]
        counters.records_finished += self._flights.end(ownership, ended)
        counters.records_finished += self._flights.release_all(applied)

    def _point(
        self,
        topic: "_Topic",
        handover: Handover,
        ownership: Ownership,
        ended: list[int] | None,
        *,
        flat: bool,
    ) -> Point:
        """Return what takes points straight; see `Straight.point`."""
        if handover.call is None or not topic.used:
            return _no_way
        call, feed = handover.call, topic.feed
        return self._straight.point(handover, call, feed, ownership, ended, flat)

    def work(self, station_id: str, flight: Flight, now: float | None) -> Work:
        """Return what a record asks of a station, on its windows as they are; None for none."""
        views = {} if now is None else self._dispatcher.views(station_id, self._module, now)
        return Work(station_id, self._inputs, views, flight)

    def _apply(
        self,
        record: Record,
        flight: Flight,
        topic: "_Topic",
        timestamp: float | None,
        handover: Handover,
    ) -> None:
        with searched_later(record.value):
            message = read_message(record.value, topic.family.scopes)
            batch_id = self._batches.id_of(flight.topic, message.stations, self._zone)
            if topic.family.sifts:
                topic.family.sift(message)
        if message.reasons:
            self._refuse(record, message, flight, handover)
        if handover.call is not None and batch_id is None and message.everyone is None:
            fed = self._fed[flight.ownership.tp]
            point = self._point(topic, handover, flight.ownership, None, flat=message.flat)
            others: dict[str, list[Any]] = {}
            for station_id, items in message.stations.items():
                if len(items) == 1 and point(station_id, items[0], timestamp, flight):
                    fed[station_id] = None
                else:
                    others[station_id] = items
            message.stations = others
        touched = self._store(flight.ownership.tp, topic.feed, message, timestamp, handover.now)
        if not topic.used:
            return
        called = self._roster.called(touched)
        batch = self._batches.open(batch_id, called, flight)
        if batch is None:
            flight.open += len(called)
        for station_id in called:
            self._ask(handover, station_id, flight, batch)

    def _store(
        self,
        tp: tuple[str, int],
        feed: Feed,
        message: Message,
        timestamp: float | None,
        now: float,
    ) -> Collection[str]:
        """Put a message's items into windows; return the stations that have something new."""
        dispatcher = self._dispatcher
        if message.everyone is not None:
            dispatcher.keep_for_everyone(tp[0], message.everyone, timestamp)
            touched = dispatcher.station_ids()
            for station_id in touched:
                self._counters.count(
                    dispatcher.take(station_id, feed, message.everyone, timestamp, now)
                )
            return touched
        removed = self._roster.removed
        touched = []
        for station_id, items in message.stations.items():
            if station_id in removed:
                self._counters.records_of_removed_stations += 1
                continue
            if len(items) == 1:
                self._counters.count(dispatcher.take(station_id, feed, items[0], timestamp, now))
            else:
                outcomes = dispatcher.take_all(station_id, feed, items, timestamp, now)
                for outcome, times in outcomes.items():
                    self._counters.count(outcome, times)
            touched.append(station_id)
        self._fed[tp].update(dict.fromkeys(touched))
        return touched

    def _note_newest(self, topic: str, records: Sequence[Record]) -> None:
        newest = max([each for each in times_of(records) if each is not None], default=-1)
        if newest > self.newest_ms.get(topic, -1):
            self.newest_ms[topic] = newest

    def _refuse(self, record: Record, message: Message, flight: Flight, handover: Handover) -> None:
        for reason in message.reasons:
            self._counters.refuse(reason.value)
        reasons = list(dict.fromkeys(message.reasons))
        handover.effects.extend(note_refused(flight, reason) for reason in reasons)
        if record.value:
            why = ",".join(reason.value for reason in reasons)
            key = record.key or flight.topic.encode()
            self._dead_letters.bury(
                flight, key, bytes(record.value), why, handover.now, handover.effects
            )


class _Topic:
    """A configured topic: `single` where most records are one flat item of one station, `used`
    where its records call back."""

    __slots__ = ("family", "feed", "single", "used")

    def __init__(self, feed: Feed, module: str | None) -> None:
        modules = feed.settings.modules
        self.feed = feed
        self.family = feed.family
        self.single = feed.single
        self.used = bool(modules) if module is None else module in modules


def _no_way(station_id: str, item: Any, timestamp: float | None, origin: Any) -> bool:
    return False


def times_of(records: Iterable[Record]) -> list[int | None]:
    """Return the records' times; clients give None or a negative one for a record without."""
    times = [*map(_TIMESTAMP, records)]
    if None not in times and min(times, default=0) >= 0:
        return times
    return [None if each is None or each < 0 else each for each in times]


def runs_of(records: Iterable[Record]) -> list[Run]:
    """Return records as runs: those that follow each other and are of one partition."""
    return [(tp, list(run)) for tp, run in groupby(records, attrgetter("topic", "partition"))]
