"""The straight way of a point: stored, the callback called, the result on its way, all in one go.

It is open where the callback answers at once and nothing else of the station is being done. What
does not end with that takes the station's lane; the way of all the rest is in
`data_analysis.engine`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from data_analysis.dispatcher import DataDispatcher
from data_analysis.effects import Pending, Raised, Results
from data_analysis.feeds import Feed
from data_analysis.flat_windows import FlatWindow, is_flat
from data_analysis.handover import MILLISECONDS, Asked, Call, Handover
from data_analysis.inputs import ModulePlan, OfWindow
from data_analysis.lanes import Lanes
from data_analysis.observe import Counters
from data_analysis.results import key_of, result_writer
from data_analysis.roster import Roster
from data_analysis.work import Ownership

Point = Callable[[str, Any, float | None, Any], bool]
"""Takes an item of a station, with the time and the flight of its record, the straight way.

False, with nothing done, if that is not open to it. Of a record that is of one station, the offset
is given: what goes straight needs no flight.
"""

Keep = Callable[[str, Any, float | None], FlatWindow | None]
"""Puts an item of a station, with the time of its record, into its window; returns that if the item
is flat and newer than all there is, so that it can be shown as it is."""

Merged = Callable[[str, Asked], bool]
"""Calls back for all that is asked of a station; false, with nothing done, if it may not."""

Stay = Callable[[Handover, str, Asked, dict[str, Any], Any], None]
"""Is told of a callback, for what it was called, its input and its answer, that has not ended with
a result to send."""

_NOTHING: Mapping[str, Any] = {}


class Straight:
    """Takes points the straight way.

    Args:
        dispatcher: the windows.
        counters: where outcomes are counted.
        roster: who is called.
        lanes: whose stations are busy.
        module: whose input is wanted, None for all.
        output_topic: where results go, None for nowhere.
        stay: takes what has not ended.
    """

    def __init__(
        self,
        dispatcher: DataDispatcher,
        counters: Counters,
        roster: Roster,
        lanes: Lanes,
        module: str | None,
        output_topic: str | None,
        stay: Stay,
    ) -> None:
        self._dispatcher = dispatcher
        self._counters = counters
        self._roster = roster
        self._busy = lanes.busy
        self._module = module
        self._output_topic = output_topic if module is not None else None
        self._stay = stay

    def point(
        self,
        handover: Handover,
        call: Call,
        feed: Feed,
        ownership: Ownership,
        ended: list[int] | None,
        flat: bool,
    ) -> Point:
        """Return what takes the items of a partition.

        Args:
            handover: gets the uploads.
            call: calls back.
            feed: of the topic.
            ownership: of the partition.
            ended: takes the offsets of records that bring about no more, where an item is all of
                its record; else None.
            flat: whether no item holds lists or dicts.
        """
        counters, roster = self._counters, self._roster
        busy, stay = self._busy, self._stay
        durations, most_seconds = handover.durations, handover.most_seconds
        removed, everyone, own = roster.removed, roster.everyone, roster.own
        module, output_topic = self._module, self._output_topic
        keep, of_window = self.keeping(feed, handover.now, flat), self._of_window(feed)
        now, effects, show = handover.now, handover.effects, self._show
        write = result_writer(module or "", now)
        none = Results(
            output_topic or "", int(now * MILLISECONDS), None if ended is None else ownership
        )
        results = none

        def point(station_id: str, item: Any, timestamp: float | None, origin: Any) -> bool:
            nonlocal results
            if (
                station_id in busy
                or handover.calls_left <= 0
                or durations.held_seconds > most_seconds
                or station_id in removed
                or not (everyone or station_id in own)
            ):
                return False
            handover.calls_left -= 1
            window = keep(station_id, item, timestamp)
            shown: dict[str, Any] = {}
            try:
                if of_window is not None and window is not None:
                    shown = of_window(station_id, window)
                else:
                    shown = show(station_id, now)
            except Exception as error:
                answer: Any = Raised(error)
            else:
                answer = call(station_id, shown)
            kind = type(answer)
            if kind is not Raised and kind is not Pending:
                if output_topic is None:
                    counters.callbacks_run += 1
                    if ended is not None:
                        ended.append(origin)
                    return True
                try:
                    value = write(station_id, shown if answer is None else answer)
                except (TypeError, ValueError, RecursionError):
                    pass
                else:
                    counters.callbacks_run += 1
                    if ended is None:
                        origin.open += 1
                    if not effects or effects[-1] is not results:
                        # What else is sent of a station meanwhile keeps its place.
                        results = none.blank()
                        effects.append(results)
                    results.add(key_of(station_id), value, origin)
                    return True
            asked: Asked = [(ownership, [origin])]
            if ended is None:
                origin.open += 1
                asked = [(origin, None)]
            stay(handover, station_id, asked, shown, answer)
            return True

        return point

    def keeping(self, feed: Feed, now: float, flat: bool) -> Keep:
        """Return what puts an item of a station, with the time of its record, into its window.

        What most items are, flat ones that are newer than all there is, in a few steps.
        """
        dispatcher, counters = self._dispatcher, self._counters
        stores_of, name, pick, limit_s = dispatcher.stores.get, feed.name, feed.pick, feed.limit_s

        def keep(station_id: str, item: Any, timestamp: float | None) -> FlatWindow | None:
            window: Any = stores_of(station_id, _NOTHING).get(name)
            if (
                type(window) is FlatWindow
                and timestamp is not None
                and timestamp > window.newest_at
                and now - window.arrived_at <= limit_s
            ):
                try:
                    row = pick(item)
                except KeyError:
                    pass
                else:
                    if flat or is_flat(map(type, row)):
                        window.append(row, timestamp, now)
                        counters.points_appended += 1
                        return window
            counters.count(dispatcher.take(station_id, feed, item, timestamp, now))
            return None

        return keep

    def merged(self, handover: Handover, ended: dict[Ownership, list[int]]) -> Merged:
        """Return what calls back for all that a poll has asked of a station, on its newest state.

        The offsets of records that bring about no more are `ended`.
        """
        roster, busy, call, stay = self._roster, self._busy, handover.call, self._stay
        counters, uploads = self._counters, self._output_topic is not None
        show = self._showing(handover.now)

        def merged(station_id: str, asked: Asked) -> bool:
            if (
                call is None
                or station_id in busy
                or not (roster.everyone or station_id in roster.own)
                or not all(type(origin) is Ownership and origin.current for origin, _ in asked)
            ):
                return False
            handover.calls_left -= 1
            shown: dict[str, Any] = {}
            try:
                shown = show(station_id)
            except Exception as error:
                answer: Any = Raised(error)
            else:
                answer = call(station_id, shown)
            kind = type(answer)
            if kind is Raised or kind is Pending or uploads:
                stay(handover, station_id, asked, shown, answer)
                return True
            counters.callbacks_run += 1
            for origin, offsets in asked:
                ended.setdefault(origin, []).extend(offsets)
            return True

        return merged

    def _showing(self, now: float) -> Callable[[str], dict[str, Any]]:
        """Return what does what `_show` does, quickly where a single window is all that shows."""
        dispatcher = self._dispatcher
        feed = dispatcher.only_feed(self._module)
        of_window = None if feed is None else self._of_window(feed)
        if feed is None or of_window is None:
            return lambda station_id: self._show(station_id, now)
        stores_of, name, limit_s = dispatcher.stores.get, feed.name, feed.limit_s

        def show(station_id: str) -> dict[str, Any]:
            window: Any = stores_of(station_id, _NOTHING).get(name)
            if type(window) is FlatWindow and window.count and now - window.arrived_at <= limit_s:
                return of_window(station_id, window)
            return self._show(station_id, now)

        return show

    def _show(self, station_id: str, now: float) -> dict[str, Any]:
        """Return a station's input, made of its windows as they are."""
        dispatcher, module = self._dispatcher, self._module
        views = dispatcher.views(station_id, module, now, lasting=False)
        return dispatcher.inputs(module).assemble(station_id, views, dispatcher.window_form)

    def _of_window(self, feed: Feed) -> OfWindow | None:
        """Return what makes an input of a window of this topic, if that is all it shows."""
        dispatcher, inputs = self._dispatcher, self._dispatcher.inputs(self._module)
        if dispatcher.only_feed(self._module) is not feed or not isinstance(inputs, ModulePlan):
            return None
        return inputs.of_window(dispatcher.window_form)
