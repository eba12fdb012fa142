"""All windows of all stations, and the inputs made of them.

Nothing here knows Kafka, callbacks or offsets. The methods of the reference read the clock; those
the engine uses are told the time.
"""

import copy
import logging
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import Any

from data_analysis import config as default_config
from data_analysis.clock import Clock, SystemClock
from data_analysis.columns import fresh
from data_analysis.errors import DispatcherError
from data_analysis.feeds import Feed
from data_analysis.filling import Shortage, joined, later, shortage_of
from data_analysis.flat_windows import FlatWindow
from data_analysis.inputs import EveryPlan, Inputs, plan_modules
from data_analysis.messages import Message
from data_analysis.refusals import Reason
from data_analysis.settings import (
    OUTPUT_TOPIC_PREFIX,
    PADDINGS,
    WINDOW_FORMS,
    Settings,
    check_choice,
    check_number,
    load_settings,
)
from data_analysis.stores import Outcome, Store, View

logger = logging.getLogger("data_analysis.dispatcher")


class DataDispatcher:
    """Windows per station and topic, and the module inputs assembled from them.

    Args:
        data_expire_seconds: age, since its newest arrival, at which a window is emptied; a topic's
            own `expire_seconds` comes first.
        config: module or object with `TOPIC_DETAIL` and `MODULE_DEPENDENCIES`.
        clock: where `time()` comes from.
        window_form: "list", padded to the window's size, or "array", read-only and never padded.
        padding: "none", "zero", "linear" or "forward"; a topic's own `padding` comes first.
        output_topic_prefix: what stands before a module's name in the topic of its results.

    Raises:
        ConfigurationError: the configuration or an argument is not valid.
    """

    def __init__(
        self,
        data_expire_seconds: float = 600,
        *,
        config: Any = default_config,
        clock: Clock | None = None,
        window_form: str = "list",
        padding: str = "none",
        output_topic_prefix: str = OUTPUT_TOPIC_PREFIX,
    ) -> None:
        check_choice("window_form", window_form, WINDOW_FORMS)
        check_choice("padding", padding, PADDINGS)
        check_number("data_expire_seconds", data_expire_seconds, least=0, above=True)
        self.window_form = window_form
        self._padding = padding
        self._expire_seconds = data_expire_seconds
        self._clock = clock or SystemClock()
        self._output_topic_prefix = output_topic_prefix
        self._stations: dict[str, dict[str, Any]] = {}
        self._feeds: dict[str, Feed] = {}
        self.global_data: dict[str, Any] = {}
        self.apply_settings(self.load_settings(config))

    def update_topic_data(
        self, station_id: str, topic: str, raw_data: Any, *, timestamp: float | None = None
    ) -> None:
        """Put one station's item of a topic into its window.

        Args:
            station_id: the station; a new one is made known.
            topic: a topic of the configuration.
            raw_data: the item, out of its envelope; a list of items for the hourly push, the
                uploaded value for MODULE-OUTPUT-*. What cannot be used is refused with a warning.
            timestamp: epoch seconds; without it the item is appended.

        Raises:
            DispatcherError: the topic is unknown.
        """
        feed = self.feed(topic)
        now = self._clock.time()
        message = _message(feed, station_id, raw_data)
        for reason in message.reasons:
            logger.warning("data of %s for station %s refused: %s", topic, station_id, reason.value)
        items = message.stations.get(station_id, ())
        if items:
            self.ensure_station(station_id, now)
            self.take_all(station_id, feed, items, timestamp, now)

    def get_topic_window(self, station_id: str, topic: str) -> list[Any]:
        """Return the points of a window, oldest first, as they came in: the configured fields.

        Topics of many devices are one point, a dict of code to payload; orders are one list per
        second; the hourly push is its items.

        Raises:
            DispatcherError: the topic is unknown.
        """
        feed = self.feed(topic)
        view = self._view(station_id, feed, self._clock.time())
        return [] if view is None else feed.family.points(station_id, feed.settings, view)

    def get_module_input(self, station_id: str, module: str) -> dict[str, Any]:
        """Return the input of one module for one station.

        Raises:
            DispatcherError: the module is unknown.
        """
        return self._input(station_id, module)

    def get_all_inputs(self, station_id: str) -> dict[str, Any]:
        """Return `{module: input}` for one station."""
        return self._input(station_id, None)

    def clean_expired(self) -> None:
        """Empty the windows that have expired and forget stations that have none left."""
        self.expire(self._clock.time())

    def reload_config(self, config_mod: Any) -> None:
        """Take topics, windows and dependencies from a configuration module.

        Raises:
            ConfigurationError: it is not valid; nothing has changed then.
        """
        self.apply_settings(self.load_settings(config_mod))

    # What the engine uses: told the time.

    def load_settings(self, config: Any) -> Settings:
        """Read a configuration, as `data_analysis.settings.load_settings` does."""
        return load_settings(config, self._output_topic_prefix)

    def apply_settings(self, settings: Settings) -> None:
        """Use other settings, all at once: larger windows keep their points, others the newest."""
        plans = plan_modules(settings, self._padding)
        feeds = {
            name: Feed(topic, self._expire_seconds, self.window_form)
            for name, topic in settings.topics.items()
        }
        stations = {
            station_id: _adapted(stores, self._feeds, feeds)
            for station_id, stores in self._stations.items()
        }
        self.settings = settings
        self._inputs: dict[str | None, Inputs] = {None: EveryPlan(tuple(plans.values()))}
        self._inputs.update(plans)
        self._seen: dict[str | None, tuple[Feed, ...]] = {
            module: tuple(feeds[name] for name in plan.seen) for module, plan in plans.items()
        }
        self._seen[None] = tuple(feeds.values())
        self._feeds = feeds
        self._stations = stations
        self.global_data = {
            topic: held for topic, held in self.global_data.items() if topic in feeds
        }

    def station_ids(self) -> list[str]:
        """Return the known stations, in the order in which they appeared."""
        return list(self._stations)

    @property
    def stores(self) -> Mapping[str, Mapping[str, Any]]:
        """What is kept of each known station, by topic; another one after `apply_settings`."""
        return self._stations

    def only_feed(self, module: str | None) -> Feed | None:
        """Return the topic that the input of a module is made of, None where there are others."""
        seen = self._seen[module]
        return seen[0] if len(seen) == 1 else None

    def knows(self, station_id: str) -> bool:
        """Return whether the station has a place here."""
        return station_id in self._stations

    def ensure_station(self, station_id: str, now: float) -> bool:
        """Make a station known and give it the data that is for everyone; True if it was new."""
        if station_id in self._stations:
            return False
        self._stations[station_id] = {}
        for topic, (payload, timestamp) in self.global_data.items():
            self.update(station_id, topic, payload, timestamp, now)
        return True

    def drop_station(self, station_id: str) -> None:
        """Forget a station and its windows."""
        self._stations.pop(station_id, None)

    def drop_window(self, station_id: str, topic: str) -> None:
        """Forget one window of a station."""
        self._stations.get(station_id, {}).pop(topic, None)

    def keep_for_everyone(self, topic: str, payload: Any, timestamp: float | None) -> None:
        """Keep the newest item that is for all stations, for those still to come."""
        held = self.global_data.get(topic, (None, None))[1]
        if held is None or timestamp is None or timestamp >= held:
            self.global_data[topic] = (payload, timestamp)

    def update(
        self, station_id: str, topic: str, payload: Any, timestamp: float | None, now: float
    ) -> Outcome:
        """Put a sifted payload of a known topic into the store of a known station."""
        return self.take(station_id, self._feeds[topic], payload, timestamp, now)

    def take(
        self, station_id: str, feed: Feed, payload: Any, timestamp: float | None, now: float
    ) -> Outcome:
        """Do what `update` does, for a station that may be new."""
        stores = self._stations.get(station_id)
        if stores is None:
            self.ensure_station(station_id, now)
            stores = self._stations[station_id]
        store = stores.get(feed.name)
        if store is None:
            store = stores[feed.name] = feed.store()
        elif now - store.arrived_at > feed.limit_s:
            store.clear()
        elif feed.settles:
            store.settle(now, feed.limit_s)
        try:
            row = feed.pick(payload)
        except KeyError:
            row = feed.row(payload)
        outcome: Outcome = store.add(row, timestamp, now)
        return outcome

    def take_all(
        self,
        station_id: str,
        feed: Feed,
        payloads: Sequence[Any],
        timestamp: float | None,
        now: float,
    ) -> Mapping[Outcome, int]:
        """Do what `take` does for each of some payloads; count the outcomes."""
        outcomes = Counter((self.take(station_id, feed, payloads[0], timestamp, now),))
        if len(payloads) > 1:
            # The first has made the store, or emptied it where it had expired.
            store = self._stations[station_id][feed.name]
            rows = [*map(feed.row, payloads[1:])]
            outcomes.update(store.add_all(rows, timestamp, now))
        return outcomes

    def inputs(self, module: str | None) -> Inputs:
        """Return what makes the input of one module, or of all for None.

        Raises:
            DispatcherError: the module is unknown.
        """
        if module not in self._inputs:
            known = ", ".join(each for each in self._inputs if each is not None) or "none"
            raise DispatcherError(f"unknown module {module!r}; the configuration names {known}")
        return self._inputs[module]

    def views(
        self, station_id: str, module: str | None, now: float, *, lasting: bool = True
    ) -> dict[str, View]:
        """Return a station's windows as they are: of one known module, or of all for None.

        Those that are not `lasting` are to be read before anything else comes.
        """
        views: dict[str, View] = {}
        stores = self._stations.get(station_id, {})
        for feed in self._seen[module]:
            store = stores.get(feed.name)
            if store is not None and now - store.arrived_at <= feed.limit_s:
                if feed.settles:
                    store.settle(now, feed.limit_s)
                view = store if not lasting and type(store) is FlatWindow else store.view()
                if view.count:
                    views[feed.name] = view
        return views

    def expire(self, now: float, keep: Container[str] = ()) -> list[str]:
        """Empty expired windows; return the stations that had none left and are forgotten.

        A station is kept by windows of its own, not by data for everyone; those in `keep` always.
        """
        forgotten: list[str] = []
        for station_id, stores in self._stations.items():
            held = False
            for topic, store in stores.items():
                feed = self._feeds[topic]
                if now - store.arrived_at > feed.limit_s:
                    store.clear()
                elif feed.settles:
                    store.settle(now, feed.limit_s)
                held = held or (len(store) > 0 and topic not in self.global_data)
            if stores and not held and station_id not in keep:
                forgotten.append(station_id)
        for station_id in forgotten:
            del self._stations[station_id]
        return forgotten

    # Windows that are filled apart, and taken over.

    def apart(self) -> "DataDispatcher":
        """Return one of the same topics without data."""
        other = copy.copy(self)
        other._stations, other.global_data = {}, {}
        return other

    def adopt(
        self, other: "DataDispatcher", now: float, later_s: float, without: Container[str]
    ) -> None:
        """Take over the windows of one that was `apart`, of all stations but some.

        Args:
            other: gives its windows away.
            now: the time of arrival of what is for everyone.
            later_s: how long ago its windows were filled.
            without: stations that are left out.
        """
        if other.settings is not self.settings:
            other.apply_settings(self.settings)
        for topic, (payload, timestamp) in other.global_data.items():
            self.keep_for_everyone(topic, payload, timestamp)
            for station_id in self.station_ids():
                self.update(station_id, topic, payload, timestamp, now)
        for station_id, stores in other._stations.items():
            if station_id not in without:
                self.ensure_station(station_id, now)
                own = self._stations[station_id]
                for topic, store in stores.items():
                    later(store, later_s)
                    own[topic] = joined(self._feeds[topic], own.get(topic), store)

    def shortage(self, station_id: str, topic: str) -> Shortage | None:
        """Return how a window is short of points; None for a full one, and without a size."""
        store = self._stations.get(station_id, {}).get(topic)
        return None if store is None else shortage_of(store)

    def _input(self, station_id: str, module: str | None) -> dict[str, Any]:
        inputs = self.inputs(module)
        views = self.views(station_id, module, self._clock.time())
        return inputs.assemble(station_id, views, self.window_form)

    def _view(self, station_id: str, feed: Feed, now: float) -> View | None:
        store: Any = self._stations.get(station_id, {}).get(feed.settings.name)
        if store is None or now - store.arrived_at > feed.limit_s:
            return None
        if feed.settles:
            store.settle(now, feed.limit_s)
        view: View = store.view()
        return view

    def feed(self, topic: str) -> Feed:
        """Return what is configured for a topic.

        Raises:
            DispatcherError: the topic is unknown.
        """
        if topic not in self._feeds:
            known = ", ".join(self._feeds) or "none"
            raise DispatcherError(f"unknown topic {topic!r}; the configuration names {known}")
        return self._feeds[topic]


def _message(feed: Feed, station_id: str, raw_data: Any) -> Message:
    """Return one station's items as a record would have brought them."""
    message = Message()
    # What the caller does with it afterwards changes nothing here.
    items = feed.family.items(fresh(raw_data))
    good = [item for item in items if isinstance(item, dict)]
    message.reasons.extend([Reason.BAD_ITEM] * (len(items) - len(good)))
    if good:
        message.stations[station_id] = good
        if feed.sift is not None:
            feed.sift(message)
    return message


def _adapted(
    stores: dict[str, Any], before: dict[str, Feed], after: dict[str, Feed]
) -> dict[str, Store]:
    adapted: dict[str, Store] = {}
    for topic, store in stores.items():
        if topic in after:
            kept = after[topic].adapted(store, before[topic])
            if kept is not None:
                adapted[topic] = kept
    return adapted
