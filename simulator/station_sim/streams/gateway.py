"""The gateway: takes what the world says and sends it to Kafka, as a site's uplink does.

It collects records for a stated linger, then hands over one batch per partition, so that a second
of many stations is one request. Producers and partitions are `uplinks`' business, keeping records
back is `holds`'; what became of a record stands in the `ledger`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from types import TracebackType
from typing import Any, Self

from aiokafka.errors import KafkaError, KafkaTimeoutError

from station_sim.errors import LabError
from station_sim.streams.driver import StoryClock
from station_sim.streams.holds import Hold
from station_sim.streams.ledger import Entry, Fate, Ledger
from station_sim.streams.record import Record
from station_sim.streams.uplinks import Lane, Producers, Uplinks

log = logging.getLogger(__name__)

QUEUED_RECORDS_MAX = 1_000_000  # about 500 MB: then the broker is gone and the story is moot


class Gateway:
    """Sends records to `bootstrap` and keeps `ledger`.

    `linger_ms` is how long, in loop time, the first waiting record waits for company. `producers`
    is `"gateway"` (one connection for all) or `"per-station"` (a producer for each station, one
    more for records of several). `producer_options` are added to aiokafka's. `start` raises
    `LabError` when the bootstrap server does not answer.
    """

    def __init__(
        self,
        bootstrap: str,
        ledger: Ledger,
        *,
        clock: StoryClock,
        linger_ms: int = 1000,
        producers: Producers = "gateway",
        producer_options: Mapping[str, Any] | None = None,
    ) -> None:
        if linger_ms < 0:
            raise LabError(f"linger_ms must be >= 0, got {linger_ms}")
        self.bootstrap = bootstrap
        self.ledger = ledger
        self._clock = clock
        self._linger_s = linger_ms / 1000
        self._uplinks = Uplinks(bootstrap, producers, producer_options or {})
        self._queue: list[Entry] = []
        self._holds: list[Hold] = []
        self._outstanding = 0
        self._is_open = False
        self._timer: asyncio.TimerHandle | None = None
        self._pump: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def outstanding(self) -> int:
        """Records taken and neither held, acknowledged nor failed."""
        return self._outstanding

    async def start(self) -> None:
        """Connect, and begin to send."""
        await self._uplinks.open()
        self._is_open = True
        self._pump = asyncio.create_task(self._send_queued(), name="gateway-pump")

    def submit(self, record: Record) -> None:
        """Take a record; returns at once. Records of a station and topic keep this order.

        Raises `LabError` when the gateway is not open, or a million records wait.
        """
        if not self._is_open:
            raise LabError(f"the gateway to {self.bootstrap} is not open; await start() first")
        entry = self.ledger.record(record)
        for hold in self._holds:
            if hold.matches(record):
                self.ledger.hold(entry)
                hold.entries.append(entry)
                return
        self._enqueue([entry])

    def hold(self, matches: Callable[[Record], bool], shuffle: Random | None = None) -> Hold:
        """Keep back records that `matches` says yes to, from now until `release` or block's end.

        Where several holds match, the oldest keeps the record.
        """
        hold = Hold(matches, self._take_back, shuffle)
        self._holds.append(hold)
        return hold

    async def flush(self, timeout_s: float = 60.0) -> None:
        """Send what waits without lingering; returns when all of it is acknowledged or failed.

        Held records stay held. Raises `LabError` after `timeout_s` of loop time.
        """
        assert self._pump is not None, "flush comes after start"
        self._wake.set()
        idle = asyncio.ensure_future(self._idle.wait())
        await asyncio.wait(
            [idle, self._pump], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if idle.done():
            return
        idle.cancel()
        if self._pump.done():
            self._pump.result()
        raise LabError(
            f"{self._outstanding} records not acknowledged within {timeout_s} s; "
            f"is the broker at {self.bootstrap} up?"
        )

    async def close(self, timeout_s: float = 60.0) -> None:
        """Flush, then disconnect; what has not been handed to a producer by then counts as failed.

        Raises `LabError` when that takes longer than `timeout_s`; a second close is harmless.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            await self.flush(timeout_s)
        finally:
            await self._disconnect(timeout_s)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _take_back(self, hold: Hold, released: list[Entry]) -> None:
        if hold in self._holds:
            self._holds.remove(hold)
        if not self._is_open:
            self.ledger.failed(released)
        elif released:
            self._enqueue(released)

    def _enqueue(self, entries: list[Entry]) -> None:
        if self._outstanding + len(entries) > QUEUED_RECORDS_MAX:
            raise LabError(
                f"{self._outstanding} records wait for the broker at {self.bootstrap}; is it up?"
            )
        self._queue.extend(entries)
        self._outstanding += len(entries)
        self._idle.clear()
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._linger_s, self._wake.set)

    async def _send_queued(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            queue, self._queue = self._queue, []
            await self._send(queue)

    async def _send(self, entries: list[Entry]) -> None:
        lanes: dict[Lane, list[Entry]] = {}
        unreachable: dict[str, Exception] = {}  # by topic: not to be tried for each record anew
        for entry in entries:
            if entry.topic not in unreachable:
                try:
                    lane = await self._uplinks.lane(entry)
                except (KafkaError, LabError) as error:
                    unreachable[entry.topic] = error
                else:
                    lanes.setdefault(lane, []).append(entry)
                    continue
            self._give_up([entry], unreachable[entry.topic])
        for lane, lane_entries in lanes.items():
            await self._send_lane(lane, lane_entries)

    async def _send_lane(self, lane: Lane, entries: list[Entry]) -> None:
        begin = 0
        while begin < len(entries):
            batch = lane.producer.create_batch()
            end = begin
            while end < len(entries) and _append(batch, entries[end]):
                end += 1
            batch.close()
            await self._hand_over(lane, batch, entries[begin:end])
            begin = end

    async def _hand_over(self, lane: Lane, batch: Any, entries: list[Entry]) -> None:
        at_s = self._clock.story_s()
        for entry in entries:
            self.ledger.sent(entry, lane.partition, at_s)
        while True:
            try:
                future = await lane.send(batch)
            except KafkaTimeoutError:
                continue  # the batch before is not gone yet; close() ends the waiting
            except KafkaError as error:
                self._give_up(entries, error)
            else:
                future.add_done_callback(partial(self._settle, entries))
            return

    def _settle(self, entries: list[Entry], future: "asyncio.Future[Any]") -> None:
        """Called once per batch, when Kafka has answered for it."""
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or error is not None:
            self._give_up(entries, error)
            return
        self.ledger.acknowledged(entries, future.result().offset, self._clock.story_s())
        self._leave(len(entries))

    def _give_up(self, entries: list[Entry], error: BaseException | None) -> None:
        log.warning("%d records of %s failed: %r", len(entries), entries[0].topic, error)
        self.ledger.failed(entries)
        self._leave(len(entries))

    def _leave(self, count: int) -> None:
        self._outstanding -= count
        if self._outstanding == 0:
            self._idle.set()

    async def _disconnect(self, timeout_s: float) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])
        if self._timer is not None:
            self._timer.cancel()
        if self._outstanding:
            self.ledger.failed([each for each in self.ledger.entries if each.fate is Fate.DUE])
        await self._uplinks.close(timeout_s)


def _append(batch: Any, entry: Entry) -> bool:
    """Add the entry to the batch; False when it is full."""
    key = None if entry.key is None else entry.key.encode()
    return batch.append(timestamp=entry.timestamp_ms, key=key, value=entry.wire) is not None
