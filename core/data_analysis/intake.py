"""Records in: into windows they go, and what they ask for comes out as work.

Who is called is in `data_analysis.roster`; in which order work is done, and what becomes of its
results, is in `data_analysis.engine`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from data_analysis.dispatcher import DataDispatcher
from data_analysis.feeds import Feed
from data_analysis.flights import Flights
from data_analysis.garbage import searched_later
from data_analysis.handover import MILLISECONDS, Ask, Asked, Handover
from data_analysis.messages import Message, read_message, read_single
from data_analysis.observe import Counters
from data_analysis.record_batches import RecordBatches
from data_analysis.record_columns import RecordColumns
from data_analysis.reports import DeadLetters, note_refused
from data_analysis.roster import Roster
from data_analysis.settings import Settings
from data_analysis.straight import Point, Straight
from data_analysis.work import Flight, Ownership, Work


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
        records: RecordColumns,
        handover: Handover,
    ) -> None:
        """Apply records of one partition, one at least, in their order."""
        tp = ownership.tp
        self._flights.begin(ownership, len(records))
        self._reflected[tp] = records.offsets[-1] + 1
        self._counters.records_received += len(records)
        topic = self._topics.get(tp[0])
        if topic is not None:
            self._note_newest(tp[0], records.newest_ms)
        if self._gathered is not None and topic is not None and topic.single:
            self._gather(ownership, records, topic, handover, self._gathered)
        else:
            self._hand_over(ownership, records, topic, handover)

    def _gather(
        self,
        ownership: Ownership,
        records: RecordColumns,
        topic: "_Topic",
        handover: Handover,
        gathered: dict[str, Asked],
    ) -> None:
        """Put records, most of them of one station, into windows; gather what they ask for."""
        roster, fed = self._roster, self._fed[ownership.tp]
        keep = self._straight.keeping(topic.feed, handover.now, True)
        applied: list[Flight] = []
        ended: list[int] = []
        # The offsets of a station's records, which go on where all that is asked of it ends.
        offsets_of: dict[str, list[int]] = {}
        for offset, time_ms, key, value in records:
            timestamp = None if time_ms is None else time_ms / MILLISECONDS
            single = read_single(value)
            if single is None:
                applied.append(Flight(ownership, offset))
                self._apply(key, value, applied[-1], topic, timestamp, handover)
                continue
            station_id, item = single
            offsets = offsets_of.get(station_id)
            if offsets is None:
                if station_id in roster.removed:
                    self._counters.records_of_removed_stations += 1
                    ended.append(offset)
                    continue
                fed[station_id] = None
                if topic.used and (roster.everyone or station_id in roster.own):
                    offsets = []
                    gathered.setdefault(station_id, []).append((ownership, offsets))
                else:
                    offsets = ended
                offsets_of[station_id] = offsets
            keep(station_id, item, timestamp)
            offsets.append(offset)
        self._counters.records_finished += self._flights.end(ownership, ended)
        self._counters.records_finished += self._flights.release_all(applied)

    def _hand_over(
        self,
        ownership: Ownership,
        records: RecordColumns,
        topic: "_Topic | None",
        handover: Handover,
    ) -> None:
        """Apply records one by one: each asks for its callback before the next one comes."""
        tp = ownership.tp
        counters, roster, dispatcher = self._counters, self._roster, self._dispatcher
        settings, fed = dispatcher.settings, self._fed[tp]
        applied: list[Flight] = []
        ended: list[int] = []
        point: Point | None = None
        for offset, time_ms, key, value in records:
            if dispatcher.settings is not settings:
                # A callback has changed them.
                settings = dispatcher.settings
                self.configure(settings)
                topic, point = self._topics.get(tp[0]), None
            if topic is None:
                ended.append(offset)
                continue
            timestamp = None if time_ms is None else time_ms / MILLISECONDS
            single = read_single(value) if topic.single else None
            if single is None:
                applied.append(Flight(ownership, offset))
                self._apply(key, value, applied[-1], topic, timestamp, handover)
                continue
            station_id, item = single
            if point is None:
                keep = self._straight.keeping(topic.feed, handover.now, True)
                point = self._point(topic, handover, ownership, ended, flat=True)
            if point(station_id, item, timestamp, offset):
                fed[station_id] = None
                continue
            if station_id in roster.removed:
                counters.records_of_removed_stations += 1
                ended.append(offset)
                continue
            keep(station_id, item, timestamp)
            fed[station_id] = None
            if not topic.used or not (roster.everyone or station_id in roster.own):
                ended.append(offset)
            else:
                self._ask(handover, station_id, Flight(ownership, offset), None)
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
        key: bytes | None,
        value: bytes | None,
        flight: Flight,
        topic: "_Topic",
        timestamp: float | None,
        handover: Handover,
    ) -> None:
        with searched_later(value):
            message = read_message(value, topic.family.scopes)
            batch_id = self._batches.id_of(flight.topic, message.stations, self._zone)
            if topic.family.sifts:
                topic.family.sift(message)
        if message.reasons:
            self._refuse(key, value, message, flight, handover)
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

    def _note_newest(self, topic: str, newest_ms: int | None) -> None:
        if newest_ms is not None and newest_ms > self.newest_ms.get(topic, -1):
            self.newest_ms[topic] = newest_ms

    def _refuse(
        self,
        key: bytes | None,
        value: bytes | None,
        message: Message,
        flight: Flight,
        handover: Handover,
    ) -> None:
        for reason in message.reasons:
            self._counters.refuse(reason.value)
        reasons = list(dict.fromkeys(message.reasons))
        handover.effects.extend(note_refused(flight, reason) for reason in reasons)
        if value:
            why = ",".join(reason.value for reason in reasons)
            key = key or flight.topic.encode()
            self._dead_letters.bury(flight, key, bytes(value), why, handover.now, handover.effects)


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
