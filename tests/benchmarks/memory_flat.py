"""A long run of the engine, for its memory: whatever could grow is exercised, all the time.

Stations come and never come again, some come back, some are removed; records are late, come twice,
cannot be used or bring several stations; callbacks and handlers raise, uploads fail, batches time
out, partitions are taken away, gaps open, the configuration is reloaded. What a run must not keep
is decided by the measurement in `tests.benchmarks.memory`.
"""

import time
from collections import Counter, deque
from types import SimpleNamespace
from typing import Any, NamedTuple

import orjson

from data_analysis import DataDispatcher, OffsetManager
from data_analysis.batches import BatchCollector, BatchResultAggregator
from data_analysis.effects import Effect, RunBatchHandler, RunCallback, RunHandlers, Upload
from data_analysis.engine import Engine
from data_analysis.engine_options import EngineOptions
from data_analysis.gaps import GapCause, GapEvent
from data_analysis.record_columns import Run, runs_of

ROWS, COLUMNS, LATEST = "ROWS", "COLUMNS", "LATEST"
PUSH, CALENDAR = "SCHEDULE-STATION-REALTIME-DATA", "SCHEDULE-ENVIRONMENT-CALENDAR"
ORDERS, HOSTS = "SCHEDULE-CAR-ORDER", "SCHEDULE-DEVICE-HOST-DCDC"
PARTITIONS = [*((ROWS, number) for number in range(4)), (COLUMNS, 0)]
SELDOM = [LATEST, PUSH, ORDERS, HOSTS, LATEST, LATEST, ORDERS]
MODULE = "m"

FIRST_S = 1_700_000_000
ROUND_RECORDS = 500
ROUND_S = 1.0
ACTIVE = 50
"""Stations that send at a time; the oldest of them goes for good with every `STAY` records."""

STAY = 2_000
EXPIRE_S = 120
CALENDAR_RECORDS = 100_000
"""A calendar, which is for all stations, comes with so many others."""

BATCH_TIMEOUT_S = 5.0
HELD_ROUNDS = 10
HELD = 29
"""One call of so many that a batch waits for is answered so late."""

SHOWN = 12
"""One input of so many is looked at: each has seven topics."""

NOT_OF_THE_ENGINE = {"uploads_retried", "commits", "commit_errors", "poll_errors"}
BAD = [b"", b"{", b"[]", b"\xff", b'{"stationId":""}', b'{"stationId":"S1","v":NaN}', b"[" * 99]


class Record(NamedTuple):
    """What the engine needs of a record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class LongRun:
    """An engine, and a shell that performs its effects at once or some rounds later.

    Args:
        coalesce: whether a round's records of one station ask for one call.
    """

    def __init__(self, *, coalesce: bool) -> None:
        self._s = float(FIRST_S)
        aggregator = BatchResultAggregator(lambda *_: None, BATCH_TIMEOUT_S, clock=self)
        self.engine = Engine(
            DataDispatcher(config=_config(10), clock=self),
            OffsetManager(clock=self),
            EngineOptions(MODULE, "OUT", coalesce, callback_tries=2, dead_letter_topic="DEAD"),
            aggregator,
        )
        self.engine.call(all_stations=True, handlers=True)
        self.seen: Counter[str] = Counter()
        """What happened, beside what the engine counts."""
        self._positions = dict.fromkeys(
            [*PARTITIONS, *((topic, 0) for topic in (*SELDOM, CALENDAR))], 0
        )
        for tp in self._positions:
            self.engine.assigned(tp, 0, None)
        self._records = self._rounds = 0
        self._calls = 0
        self._uploads: list[Upload] = []
        self._held: deque[tuple[int, RunCallback]] = deque()
        self._last: dict[tuple[str, int], Record] = {}

    def time(self) -> float:
        """Return the time of the run, epoch seconds."""
        return self._s

    monotonic = time

    def round(self) -> None:
        """Take and finish `ROUND_RECORDS` records, one second of the run."""
        engine, number = self.engine, self._rounds
        self._rounds += 1
        # Local times that are new in every round, so that what is kept of them is full soon.
        minute = time.strftime("%Y-%m-%d %H:%M:", time.gmtime(FIRST_S + 60 * number))
        sent = [b"%b%02d" % (minute.encode(), second) for second in range(60)]
        records = sorted(self._next(sent[each % 60]) for each in range(ROUND_RECORDS))
        runs = runs_of(records)
        engine.taken(runs)
        self._perform(engine.received(runs, self._s))
        self._acknowledge()
        self._perform(engine.batches_due())
        while self._held and self._held[0][0] <= number - HELD_ROUNDS:
            self._perform(engine.finished(self._held.popleft()[1].work, {"late": 1}, self._s))
        self._commit(number)
        if number % 401 == 0:
            self._read_again(runs)
        self._disturb(number)
        self._s += ROUND_S
        if number % 10 == 0:
            engine.ticked(self._s)

    def end(self) -> None:
        """Finish what is still in work."""
        while self._held or self._uploads:
            while self._held:
                self._perform(self.engine.finished(self._held.popleft()[1].work, None, self._s))
            self._acknowledge()
        self._s += BATCH_TIMEOUT_S
        self._perform(self.engine.batches_due())

    def _next(self, sent: bytes) -> Record:
        """Return the next record, of whatever kind its number says."""
        number = self._records
        self._records += 1
        kind = number % 20
        if kind < 16:
            tp = PARTITIONS[number % 4]
        else:
            tp = PARTITIONS[4] if kind < 19 else (SELDOM[number // 20 % len(SELDOM)], 0)
        if number % CALENDAR_RECORDS == 19:
            tp = (CALENDAR, 0)
        time_ms = int(self._s * 1000) + number % ROUND_RECORDS
        station = number // STAY + number % ACTIVE
        value = b'{"stationId":"S%d","sendTime":"%b","serial":"n%d","power":%d.5}' % (
            station,
            sent,
            number,
            number % 999,
        )
        last = self._last.get(tp)
        if kind == 19 or tp[0] == CALENDAR:
            value = _seldom(tp[0], station, number, value)
        elif number % 97 == 0:
            value = BAD[number // 97 % len(BAD)]
        elif number % 101 == 0:
            time_ms -= 2_500 if number % 202 else 60_000
        elif number % 103 == 0 and last is not None:
            time_ms, value = last.timestamp, last.value or b""
        elif number % 211 == 0:
            value = b"[%b]" % b",".join([value, value.replace(b'"S', b'"B'), b"7", value])
        record = Record(*tp, self._positions[tp], time_ms, None, value)
        self._positions[tp] += 1
        self._last[tp] = record
        return record

    def _perform(self, effects: list[Effect]) -> None:
        waiting = deque(effects)
        engine = self.engine
        while waiting:
            effect = waiting.popleft()
            if isinstance(effect, RunCallback):
                waiting += self._call(effect)
            elif isinstance(effect, Upload):
                self._uploads.append(effect)
            elif isinstance(effect, RunHandlers):
                self.seen["handlers"] += 1
                failed = self.seen["handlers"] % 1013 == 0
                waiting += engine.handled(effect.work, [ValueError("no")] if failed else [])
            elif isinstance(effect, RunBatchHandler):
                waiting += self._handle(effect.batch)
            else:
                self.seen["notes"] += 1

    def _call(self, effect: RunCallback) -> list[Effect]:
        self._calls += 1
        if self._calls % SHOWN == 0:
            effect.work.show("list" if self._calls % 3 else "array")
        if effect.work.batches and self._calls % HELD == 0:
            self._held.append((self._rounds, effect))
            return []
        if self._calls % 1009 == 0:
            return self.engine.failed(effect.work, ValueError("no"))
        result: Any = {"mean": 1.0}
        if self._calls % 997 == 0:
            result = {"mean": object()}
        elif self._calls % 3 == 0 and effect.work.shown is not None:
            result = None
        return self.engine.finished(effect.work, result, self._s)

    def _handle(self, batch: BatchCollector) -> list[Effect]:
        self.seen["batches"] += 1
        if self.seen["batches"] % 50:
            return self.engine.batch_handled(batch)
        return self.engine.batch_handled(batch, ValueError("no"))

    def _acknowledge(self) -> None:
        """Answer the uploads of this round: most at once, some with an error."""
        uploads, self._uploads = self._uploads, []
        effects: list[Effect] = []
        for upload in uploads[::1021]:
            effects += self.engine.acknowledged(upload.ticket, self._s, "too large")
        tickets = [upload.ticket for at, upload in enumerate(uploads) if at % 1021]
        self._perform(effects + self.engine.acknowledged_all(tickets, self._s))

    def _commit(self, number: int) -> None:
        offsets = self.engine.offsets.committable()
        self.engine.offsets.attempted()
        for tp in offsets:
            self.engine.offsets.last_record_ms(tp)
        if number % 50:
            self.engine.offsets.confirmed(offsets)
        else:
            self.engine.offsets.unknown(offsets)

    def _disturb(self, number: int) -> None:
        """Let happen what happens now and then."""
        tps = list(self._positions)
        if number % 20 == 0:
            self._reassign(tps[number // 20 % len(tps)], back=number % 60 == 0)
        if number % 301 == 0:
            self._lose(tps[number // 301 % len(tps)])
        if number % 100 == 0:
            self.engine.remove_station(f"S{number // 100 % 50}")
            self.engine.add_station(f"S{number // 100 % 50 - 25}", self._s)
        if number % 2000 == 1999:
            settings = self.engine.dispatcher.load_settings(_config(8 + number // 2000 % 4))
            self.engine.configure(settings)

    def _reassign(self, tp: tuple[str, int], back: bool) -> None:
        """Lose a partition and get it again: where it was committed, or elsewhere."""
        committed = self.engine.offsets.committed(tp)
        position = committed if back and committed is not None else self._positions[tp] + 9
        self.engine.revoked([tp])
        self.engine.assigned(tp, position, None)
        self._positions[tp] = position

    def _read_again(self, runs: list[Run]) -> None:
        """Fill windows as a warm start does, and take them over."""
        filled = self.engine.apart()
        for tp, records in runs:
            filled.assigned(tp, records.offsets[0], None)
        filled.taken(runs)
        filled.received(runs, self._s)
        self.engine.adopt(filled, self._s, 0.0)

    def _lose(self, tp: tuple[str, int]) -> None:
        start = self._positions[tp]
        self._positions[tp] = end = start + 5
        self.engine.declared(GapEvent(GapCause.EXPIRED, *tp, start, end, None, self._s))
        self.engine.moved(tp, start, end)


def _config(rows: int) -> SimpleNamespace:
    fields = ["stationId", "sendTime", "power"]

    def detail(window: int, *more: str) -> dict[str, Any]:
        return {
            "fields": [*fields, *more],
            "modules": [MODULE],
            "window_size": window,
            "expire_seconds": EXPIRE_S,
        }

    topics = {ROWS: detail(rows), COLUMNS: detail(60, "serial")}
    topics[LATEST] = {**detail(1), "modules": ["other"]}
    topics[PUSH] = detail(24, "gunNo", "outputPowerPerGunAvg")
    topics[ORDERS] = detail(5, "transactionSerialNo")
    topics[HOSTS] = detail(1, "hostCode", "dcdcPower")
    topics[CALENDAR] = {**detail(1), "fields": ["date", "isHoliday"], "expire_seconds": None}
    return SimpleNamespace(TOPIC_DETAIL=topics, MODULE_DEPENDENCIES={})


def _seldom(topic: str, station: int, number: int, value: bytes) -> bytes:
    """Return the value of a record of a topic with a shape of its own."""
    item = orjson.loads(value)
    if topic == PUSH:
        guns = {"gunNo": ["1"], "outputPowerPerGunAvg": [item["power"]]}
        item.update(hostCode="h", gunPower=guns)
        return orjson.dumps([{**item, "stationId": f"S{station + each}"} for each in range(4)])
    if topic == ORDERS:
        return orjson.dumps({**item, "transactionSerialNo": f"o{number}"})
    if topic == HOSTS:
        return orjson.dumps({**item, "hostCode": f"h{number % 3}", "dcdcPower": [1.0, 2.0]})
    if topic == CALENDAR:
        return orjson.dumps({"calendar": [{"date": item["sendTime"][:10], "isHoliday": 0}]})
    return value


def check(*runs: LongRun) -> None:
    """Raise unless all records of ended runs are done, and everything that could happen did."""
    happened: Counter[str] = Counter()
    for run in runs:
        assert run.engine.idle, "callbacks are left"
        assert not run.engine.in_flight, "records are left"
        counters = run.engine.counters.shown()
        happened.update({name: 1 for name, count in counters.items() if count})
    never = set(counters) - set(happened) - NOT_OF_THE_ENGINE
    assert not never, f"never happened: {', '.join(sorted(never))}"
