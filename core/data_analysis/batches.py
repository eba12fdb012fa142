"""Batches: the results of one record's stations, gathered for one upload.

What a batch expects, what has arrived, and when it ends is decided here. Which record opens one is
in `data_analysis.record_batches`; handlers are called elsewhere: `take_ended` says for which.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from data_analysis.clock import Clock, SystemClock
from data_analysis.errors import BatchError, ConfigurationError
from data_analysis.settings import check_number

MAX_AGE_SECONDS = 300.0
"""Age at which a cleanup gives a batch up."""

STATION_ID = "station_id"


class BatchCollector:
    """One batch: the stations it expects and what they answered.

    Args:
        batch_id: what the handler gets; another batch may have the same.
        expected_stations: whose answers are awaited.
        key: what tells batches with the same id apart.
        opened_at: by the monotonic clock, seconds.

    Raises:
        BatchError: no station is expected, or a string is given where ids are.
    """

    def __init__(
        self, batch_id: str, expected_stations: Iterable[str], key: Hashable, opened_at: float
    ) -> None:
        if isinstance(expected_stations, str):
            raise BatchError(
                f"expected_stations must be a list of ids, got {expected_stations!r};"
                " write ['...', ...]"
            )
        self.batch_id = batch_id
        self.expected_stations = tuple(dict.fromkeys(expected_stations))
        self.key = key
        self.opened_at = opened_at
        self.begun_at: float | None = None
        self.ended = False
        self.timed_out = False
        self._missing = dict.fromkeys(self.expected_stations)
        self._arrived: dict[str, None] = {}
        self._results: list[dict[str, Any]] = []
        if not self.expected_stations:
            raise BatchError(f"batch {batch_id} must expect a station, got none; name one")

    @property
    def arrived(self) -> tuple[str, ...]:
        """Stations that have answered, None and errors included, in the order of their answers."""
        return tuple(self._arrived)

    @property
    def missing(self) -> tuple[str, ...]:
        """Stations that have not answered, not even late."""
        return tuple(self._missing)

    @property
    def progress(self) -> float:
        """The share of stations that have answered, 0 to 1."""
        return len(self._arrived) / len(self.expected_stations)

    @property
    def complete(self) -> bool:
        """Whether every station has answered in time."""
        return len(self._arrived) == len(self.expected_stations)

    @property
    def results(self) -> list[dict[str, Any]]:
        """What the handler gets: results that are not None, in the order of arrival, as new dicts.

        Each is the station's result with `station_id` put in; one that is no mapping comes as
        `{"station_id": ..., "result": ...}`.
        """
        return [dict(result) for result in self._results]

    def take(self, station_id: str, result: Any) -> bool:
        """Note a station's answer; return whether it is the one that was awaited."""
        if station_id not in self._missing:
            return False
        del self._missing[station_id]
        if not self.ended:
            self._arrived[station_id] = None
            if result is not None:
                self._results.append(_with_station(station_id, result))
        return not self.ended


class BatchResultAggregator:
    """Opens batches, takes their results, and says when they end.

    A batch ends when every station has answered, or `batch_timeout` seconds after it has begun:
    when it was opened or, where it `waits`, with the first of its callbacks, at the latest when no
    open batch is older. By itself it calls its handler at once; a service does so for its own.
    `awaited_late` counts the answers that batches were still waiting for when they timed out.

    Args:
        batch_upload_handler: `(batch_id, results_list)`, sync or async.
        batch_timeout: seconds; may be changed at any time and from any thread, open batches follow.
        cleanup_interval: seconds between two looks for what need not be remembered; likewise.
        clock: where `monotonic()` comes from.

    Raises:
        ConfigurationError: the handler cannot be called, or a number is not valid, here or when it
            is set later.
    """

    def __init__(
        self,
        batch_upload_handler: Callable[..., Any] | None,
        batch_timeout: float = 5.0,
        cleanup_interval: float = 60.0,
        *,
        clock: Clock | None = None,
    ) -> None:
        check_batch_handler(batch_upload_handler)
        self.batch_upload_handler = batch_upload_handler
        self.clock = clock or SystemClock()
        self.changed: Callable[[], None] | None = None
        self.guard: AbstractContextManager[Any] = nullcontext()
        """Held while batches are touched from outside; a service with threads gives its lock."""
        self._open: OrderedDict[Hashable, BatchCollector] = OrderedDict()
        self._begun: OrderedDict[Hashable, BatchCollector] = OrderedDict()
        self._late: OrderedDict[Hashable, BatchCollector] = OrderedDict()
        self._ended: list[BatchCollector] = []
        self.awaited_late = 0
        self._opened = 0
        self._cleaned_at = 0.0
        self._batch_timeout = check_number("batch_timeout", batch_timeout, least=0, above=True)
        self._cleanup_interval = check_number(
            "cleanup_interval", cleanup_interval, least=0, above=True
        )

    @property
    def batch_timeout(self) -> float:
        """How long a batch waits for its stations, seconds."""
        return self._batch_timeout

    @batch_timeout.setter
    def batch_timeout(self, seconds: float) -> None:
        self._batch_timeout = check_number("batch_timeout", seconds, least=0, above=True)
        self._changed()

    @property
    def cleanup_interval(self) -> float:
        """How often batches that timed out long ago are forgotten, seconds."""
        return self._cleanup_interval

    @cleanup_interval.setter
    def cleanup_interval(self, seconds: float) -> None:
        self._cleanup_interval = check_number("cleanup_interval", seconds, least=0, above=True)
        self._changed()

    def open(
        self,
        batch_id: str,
        expected_stations: Iterable[str],
        key: Hashable = None,
        *,
        waits: bool = False,
    ) -> BatchCollector:
        """Open a batch.

        Args:
            batch_id: what the handler gets.
            expected_stations: whose answers are awaited.
            key: what tells it from others with the same id; unique by itself if None.
            waits: its time begins with `begin`.

        Raises:
            BatchError: no station is expected, or a batch with this key is open.
        """
        with self.guard:
            self._opened += 1
            if key is None:
                key = self._opened
            if key in self._open:
                raise BatchError(
                    f"a batch with the key {key!r} is open; end it or give another key"
                )
            collector = BatchCollector(batch_id, expected_stations, key, self.clock.monotonic())
            self._open[key] = collector
            if not waits or len(self._open) == 1:
                self._begin(collector)
            self._changed()
            return collector

    def begin(self, collector: BatchCollector) -> None:
        """Let a batch's time begin, if it has not: its first callback runs."""
        if collector.begun_at is None and not collector.ended:
            self._begin(collector)
            self._changed()

    def add_result(self, collector: BatchCollector | str, station_id: str, result: Any) -> bool:
        """Add a station's answer, None included; return False for one that is not awaited (more).

        Args:
            collector: the batch, or its id: the oldest one that awaits the station is meant then.
            station_id: whose answer it is.
            result: a dict, as a rule; None is an answer without a result.

        Raises:
            BatchError: the batch does not expect this station.
        """
        with self.guard:
            self.expire()
            found = self._find(collector, station_id) if isinstance(collector, str) else collector
            if found is None:
                return False
            if station_id not in found.expected_stations:
                raise BatchError(
                    f"batch {found.batch_id} does not expect station {station_id};"
                    f" it expects {', '.join(found.expected_stations)}"
                )
            return self.answer(found, station_id, result)

    def answer(self, collector: BatchCollector, station_id: str, result: Any) -> bool:
        """Add an answer to a batch whatever the time; return False for a late one."""
        self.awaited_late -= collector.timed_out and station_id in collector.missing
        taken = collector.take(station_id, result)
        if collector.complete and not collector.ended:
            self._end(collector)
            self._changed()
        elif not collector.missing:
            self._late.pop(collector.key, None)
        return taken

    def abandon(self, unwanted: Callable[[BatchCollector], bool]) -> int:
        """Forget open batches, without their handler; return how many."""
        gone = [collector for collector in self._open.values() if unwanted(collector)]
        for collector in gone:
            collector.ended = True
            self._forget(collector)
        if gone:
            self._changed()
        return len(gone)

    def expire(self) -> None:
        """End what has timed out; now and then, forget what timed out long ago."""
        now = self.clock.monotonic()
        timed_out = 0
        while self._begun:
            collector = next(iter(self._begun.values()))
            if self._deadline(collector) > now:
                break
            self._end(collector)
            timed_out += 1
        if self._late and now >= self._cleaned_at + self._cleanup_interval:
            self._forget_late(now, MAX_AGE_SECONDS)
        if timed_out:
            self._changed()

    def cleanup_expired(self, max_age_seconds: float = MAX_AGE_SECONDS) -> int:
        """End and forget the batches that are older; return how many.

        One that is open ends as at its timeout: its handler gets what there is.

        Raises:
            ConfigurationError: `max_age_seconds` is not valid.
        """
        check_number("max_age_seconds", max_age_seconds, least=0)
        with self.guard:
            now = self.clock.monotonic()
            old = [each for each in self._open.values() if now - each.opened_at >= max_age_seconds]
            for collector in old:
                self._end(collector)
                self._late.pop(collector.key, None)
            forgotten = self._forget_late(now, max_age_seconds)
            if old:
                self._changed()
            return len(old) + forgotten

    def take_ended(self) -> list[BatchCollector]:
        """Return the batches that have ended since the last call: their handler is to be called."""
        ended, self._ended = self._ended, []
        return ended

    def next_due(self) -> float | None:
        """Return when `expire` is to be called, by the monotonic clock; None for never."""
        due = []
        if self._ended:
            due.append(self.clock.monotonic())
        if self._begun:
            due.append(self._deadline(next(iter(self._begun.values()))))
        if self._late:
            due.append(self._cleaned_at + self._cleanup_interval)
        return min(due, default=None)

    @property
    def open_count(self) -> int:
        """How many batches are open."""
        return len(self._open)

    def _changed(self) -> None:
        if self.changed is None:
            # Imported here, for the engine imports this module and must not know event loops.
            from data_analysis.lone_batches import LoneBatches

            self.changed = LoneBatches(self).changed
        self.changed()

    def _begin(self, collector: BatchCollector) -> None:
        collector.begun_at = self.clock.monotonic()
        self._begun[collector.key] = collector

    def _deadline(self, collector: BatchCollector) -> float:
        assert collector.begun_at is not None, "only batches that have begun are asked"
        return collector.begun_at + self._batch_timeout

    def _end(self, collector: BatchCollector) -> None:
        collector.ended = True
        collector.timed_out = not collector.complete
        self._ended.append(collector)
        self._forget(collector)
        if collector.timed_out:
            self.awaited_late += len(collector.missing)
            if not self._late:
                self._cleaned_at = self.clock.monotonic()
            self._late[collector.key] = collector

    def _forget(self, collector: BatchCollector) -> None:
        del self._open[collector.key]
        self._begun.pop(collector.key, None)
        oldest = next(iter(self._open.values()), None)
        if oldest is not None and oldest.begun_at is None:
            self._begin(oldest)

    def _forget_late(self, now: float, max_age_seconds: float) -> int:
        self._cleaned_at = now
        old = [key for key, each in self._late.items() if now - each.opened_at >= max_age_seconds]
        for key in old:
            del self._late[key]
        return len(old)

    def _find(self, batch_id: str, station_id: str) -> BatchCollector | None:
        for batches in (self._open, self._late):
            named = [each for each in batches.values() if each.batch_id == batch_id]
            for collector in named:
                if station_id in collector.missing:
                    return collector
            if named:
                return named[0]
        return None


def check_batch_handler(handler: object) -> None:
    """Raise `ConfigurationError` unless it is None or may be called."""
    if handler is not None and not callable(handler):
        raise ConfigurationError(
            f"batch_upload_handler must be callable, got {handler!r};"
            " give a function of (batch_id, results_list)"
        )


def _with_station(station_id: str, result: Any) -> dict[str, Any]:
    if isinstance(result, Mapping):
        return {**result, STATION_ID: station_id}
    return {STATION_ID: station_id, "result": result}
