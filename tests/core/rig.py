"""An engine with the default topics, a record at a time, that also makes every input."""

import copy
from types import SimpleNamespace
from typing import Any, NamedTuple

from data_analysis import DataDispatcher, OffsetManager, config
from data_analysis.effects import RunCallback, RunHandlers, Upload
from data_analysis.engine import Engine
from data_analysis.engine_options import EngineOptions
from data_analysis.record_columns import runs_of
from tests.core.test_dispatcher import Clock

TOPICS = [*config.TOPIC_DETAIL, "MODULE-OUTPUT-LOAD_PREDICTION"]


def small_topics() -> Any:
    """The default configuration with windows that are small enough to be shown at every record."""
    detail = copy.deepcopy(config.TOPIC_DETAIL)
    detail["REAL-STATION-DATA"]["window_size"] = 4
    detail["SCHEDULE-STATION-REALTIME-DATA"]["window_size"] = 3
    detail["SCHEDULE-DEVICE-GUN"]["modules"] = ["pv_prediction"]
    return SimpleNamespace(
        TOPIC_DETAIL=detail, MODULE_DEPENDENCIES=config.MODULE_DEPENDENCIES, OFFSET_COMMIT_CONFIG={}
    )


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Rig:
    """Feeds an engine; `reasons` are what it has refused so far, by reason."""

    def __init__(self, names: Any = None) -> None:
        self.clock = Clock()
        self.dispatcher = DataDispatcher(config=names or small_topics(), clock=self.clock)
        options = EngineOptions(output_topic="OUT", module_name=None, dead_letter_topic="DEAD")
        self.offsets = OffsetManager(clock=self.clock)
        self.engine = Engine(self.dispatcher, self.offsets, options)
        self.engine.call(all_stations=True, handlers=False)
        self._next: dict[str, int] = {}
        for topic in self.dispatcher.settings.topics:
            self.engine.assigned((topic, 0), 0, None)

    @property
    def reasons(self) -> dict[str, int]:
        return dict(self.engine.counters.records_refused)

    def feed(self, topic: str, value: bytes | None, timestamp_ms: int = 0) -> dict[str, Any]:
        """Give the engine one record; return the inputs of the stations that were called."""
        offset = self._next.get(topic, 0)
        self._next[topic] = offset + 1
        record = Record(topic, 0, offset, timestamp_ms, None, value)
        self.engine.taken(runs_of([record]))
        inputs: dict[str, Any] = {}
        waiting = self.engine.received(runs_of([record]), self.clock.now)
        while waiting:
            effect = waiting.pop(0)
            if isinstance(effect, RunCallback):
                work = effect.work
                inputs[work.station_id] = work.show("list")
                work.show("array")
                waiting += self.engine.finished(work, None, self.clock.now)
            elif isinstance(effect, RunHandlers):
                waiting += self.engine.handled(effect.work)
            elif isinstance(effect, Upload):
                waiting += self.engine.acknowledged(effect.ticket, self.clock.now)
        return inputs

    def committable(self, topic: str) -> int:
        """The next offset of a topic, when all its records are done."""
        return dict(self.offsets.committable()).get((topic, 0), 0)
