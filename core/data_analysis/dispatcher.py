"""All windows of all stations, and the inputs made of them.

Nothing here knows Kafka, callbacks or offsets. The methods of the reference read the clock; those
the engine uses are told the time.
"""

from collections.abc import Container, Sequence
from typing import Any

from data_analysis import config as default_config
from data_analysis.clock import Clock, SystemClock
from data_analysis.errors import DispatcherError
from data_analysis.inputs import ModulePlan, Snapshot, plan_modules
from data_analysis.settings import (
    PADDINGS,
    WINDOW_FORMS,
    Settings,
    TopicSettings,
    check_choice,
    check_number,
    load_settings,
)
from data_analysis.topics import family_of
from data_analysis.windows import Outcome, Window, WindowView


class DataDispatcher:
    """Windows per station and topic, and the module inputs assembled from them.

    Args:
        data_expire_seconds: age, since its newest arrival, at which a window is emptied; a topic's
            own `expire_seconds` comes first.
        config: module or object with `TOPIC_DETAIL` and `MODULE_DEPENDENCIES`.
        clock: where `time()` comes from.
        window_form: "list", padded to the window's size, or "array", read-only and never padded.
        padding: "none", "zero", "linear" or "forward"; a topic's own `padding` comes first.

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
    ) -> None:
        check_choice("window_form", window_form, WINDOW_FORMS)
        check_choice("padding", padding, PADDINGS)
        check_number("data_expire_seconds", data_expire_seconds, least=0, above=True)
        self.window_form = window_form
        self._padding = padding
        self._expire_seconds = data_expire_seconds
        self._clock = clock or SystemClock()
        self._stations: dict[str, dict[str, Window]] = {}
        self.global_data: dict[str, Any] = {}
        self.apply_settings(load_settings(config))

    def update_topic_data(
        self, station_id: str, topic: str, raw_data: Any, *, timestamp: float | None = None
    ) -> None:
        """Put one station's item of a topic into its window.

        Args:
            station_id: the station; a new one is made known.
            topic: a topic of the configuration.
            raw_data: the item, out of its envelope.
            timestamp: epoch seconds; without it the item is appended.

        Raises:
            DispatcherError: the topic is unknown.
        """
        self._topic(topic)
        now = self._clock.time()
        self.ensure_station(station_id, now)
        self.update(station_id, topic, raw_data, timestamp, now)

    def get_topic_window(self, station_id: str, topic: str) -> list[Any]:
        """Return the points of a window, oldest first, as they came in: the configured fields.

        Raises:
            DispatcherError: the topic is unknown.
        """
        fields = self._topic(topic).fields
        view = self._view(station_id, topic, self._clock.time())
        family = family_of(topic)
        if view is None:
            return []
        return [family.point(station_id, fields, row) for row in view.rows()]

    def get_module_input(self, station_id: str, module: str) -> dict[str, Any]:
        """Return the input of one module for one station.

        Raises:
            DispatcherError: the module is unknown.
        """
        snapshot = self.snapshot(station_id, module, self._clock.time())
        return snapshot.assemble(self.window_form)

    def get_all_inputs(self, station_id: str) -> dict[str, Any]:
        """Return `{module: input}` for one station."""
        return self.snapshot(station_id, None, self._clock.time()).assemble(self.window_form)

    def clean_expired(self) -> None:
        """Empty the windows that have expired and forget stations that have none left."""
        self.expire(self._clock.time())

    def reload_config(self, config_mod: Any) -> None:
        """Take topics, windows and dependencies from a configuration module.

        Raises:
            ConfigurationError: it is not valid; nothing has changed then.
        """
        self.apply_settings(load_settings(config_mod))

    # What the engine uses: told the time.

    def apply_settings(self, settings: Settings) -> None:
        """Use other settings: a larger window keeps its points, a smaller one its newest."""
        before = getattr(self, "settings", settings)
        self.settings = settings
        self._plans: dict[str, ModulePlan] = plan_modules(settings, self._padding)
        self._every_plan = tuple(self._plans.values())
        for station_id, windows in self._stations.items():
            self._stations[station_id] = {
                topic: _adapted(window, before.topics[topic], settings.topics[topic])
                for topic, window in windows.items()
                if topic in settings.topics
            }
        for topic in [topic for topic in self.global_data if topic not in settings.topics]:
            del self.global_data[topic]

    def station_ids(self) -> list[str]:
        """Return the known stations, in the order in which they appeared."""
        return list(self._stations)

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
        """Put an item of a known topic into the window of a known station."""
        settings = self.settings.topics[topic]
        row = family_of(topic).row(payload, settings.fields)
        windows = self._stations[station_id]
        window = windows.get(topic)
        if window is None:
            window = windows[topic] = Window(len(row), settings.window_size)
        elif self._expired(window, settings, now):
            window.clear()
        return window.add(row, timestamp, now)

    def snapshot(self, station_id: str, module: str | None, now: float) -> Snapshot:
        """Return a station's windows as they are: of one module, or of all for None.

        Raises:
            DispatcherError: the module is unknown.
        """
        if module is None:
            plans: Sequence[ModulePlan] = self._every_plan
        elif module in self._plans:
            plans = (self._plans[module],)
        else:
            known = ", ".join(self._plans) or "none"
            raise DispatcherError(f"unknown module {module!r}; the configuration names {known}")
        windows = self._stations.get(station_id)
        views: dict[str, WindowView | None] = {}
        if windows:
            topics = self.settings.topics
            for topic, window in windows.items():
                if not self._expired(window, topics[topic], now):
                    views[topic] = window.view()
        return Snapshot(station_id, views, plans, module is None)

    def expire(self, now: float, keep: Container[str] = ()) -> list[str]:
        """Empty expired windows; return the stations that had none left and are forgotten.

        A station is kept by windows of its own, not by data for everyone; those in `keep` always.
        """
        forgotten: list[str] = []
        for station_id, windows in self._stations.items():
            held = False
            for topic, window in windows.items():
                if self._expired(window, self.settings.topics[topic], now):
                    window.clear()
                held = held or (len(window) > 0 and topic not in self.global_data)
            if windows and not held and station_id not in keep:
                forgotten.append(station_id)
        for station_id in forgotten:
            del self._stations[station_id]
        return forgotten

    def _expired(self, window: Window, settings: TopicSettings, now: float) -> bool:
        limit = settings.expire_seconds
        if limit == "inherit":
            limit = self._expire_seconds
        return limit is not None and now - window.arrived_at > limit  # type: ignore[operator]  # the word is replaced above

    def _view(self, station_id: str, topic: str, now: float) -> WindowView | None:
        window = self._stations.get(station_id, {}).get(topic)
        if window is None or self._expired(window, self.settings.topics[topic], now):
            return None
        return window.view()

    def _topic(self, topic: str) -> TopicSettings:
        if topic not in self.settings.topics:
            known = ", ".join(self.settings.topics) or "none"
            raise DispatcherError(f"unknown topic {topic!r}; the configuration names {known}")
        return self.settings.topics[topic]


def _adapted(window: Window, before: TopicSettings, after: TopicSettings) -> Window:
    family = family_of(after.name)
    old, new = family.columns(before.fields), family.columns(after.fields)
    if old != new:
        window = window.reordered([old.index(name) if name in old else None for name in new])
    return window if window.size == after.window_size else window.resized(after.window_size)
