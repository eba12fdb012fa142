"""A gateway: sends what is due of a schedule to Kafka and keeps what was acknowledged.

It knows nothing of Locust, whose user in `users.py` drives it. Its client is kafka-python, which is
pure Python, so that its network thread is a greenlet there.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from station_load.plan import INPUT_TOPIC
from station_load.ranges import Ranges
from station_load.readings import encode_reading
from station_load.schedule import Due, Schedule
from station_load.trace import Trace

LINGER_MS = 5
"""A gateway forwards several stations' records in one request; this is part of the latency."""

BATCH_BYTES = 64 * 1024
DELIVERY_TIMEOUT_MS = 30_000
REQUEST_TIMEOUT_MS = 10_000
MAX_BLOCK_MS = 10_000
CONNECT_TIMEOUT_MS = 10_000
DISCONNECT_WITHIN_S = 1.0

PENDING_MAX = 20_000
"""Records sent and not answered, per gateway; beyond, sending waits while due times do not."""

BURST_MAX = 500
"""Records sent before the network greenlet gets its turn when the gateway is behind."""

Outcome = Callable[[float, int, Exception | None], None]
"""Told for every answer: milliseconds since the record was due, its bytes, the error if any."""


class Gateway:
    """The records of one schedule on their way to Kafka.

    Raises `kafka.errors.KafkaError` from `connect` when Kafka cannot be reached.
    """

    def __init__(
        self, bootstrap: str, schedule: Schedule, *, run: int, seed: int, outcome: Outcome
    ) -> None:
        self.acknowledged: dict[str, Ranges] = {}
        self.failed = 0
        self.pending = 0
        self.first_due_s: float | None = None
        self.last_acknowledged_s: float | None = None
        self.last_error: Exception | None = None
        self._bootstrap = bootstrap
        self._run = run
        self._seed = seed
        self._outcome = outcome
        self._schedule = schedule
        self._rest: Iterator[Due] = iter(schedule)
        self._next: Due | None = next(self._rest, None)
        self._halted = False
        self._started_s = 0.0
        self._producer: Any = None

    def connect(self) -> None:
        """Connect, learn the topic's partitions, and start the schedule's clock."""
        self._producer = KafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id="station-lab-load",
            acks="all",
            linger_ms=LINGER_MS,
            batch_size=BATCH_BYTES,
            delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_block_ms=MAX_BLOCK_MS,
            bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
        )
        self._producer.partitions_for(INPUT_TOPIC)
        self._started_s = time.time()

    @property
    def is_finished(self) -> bool:
        """Every record of the schedule was sent, or `halt` was called."""
        return self._next is None or self._halted

    @property
    def unsent(self) -> int:
        """How many records of the schedule were not sent."""
        return 0 if self._next is None else len(self._schedule) - self._sent

    @property
    def wait_s(self) -> float:
        """Seconds until the next record is due; 0 when one is, or when nothing is left to do."""
        if self._next is None or self._halted:
            return 0.0
        return max(0.0, self._started_s + self._next.at_s - time.time())

    def halt(self) -> None:
        """Send nothing more."""
        self._halted = True

    def send_due(self) -> None:
        """Send what is due now, within the bounds on bursts and on records under way."""
        elapsed_s = time.time() - self._started_s
        for _ in range(BURST_MAX):
            due = self._next
            if due is None or due.at_s > elapsed_s or self.pending >= PENDING_MAX:
                return
            self._send(due)
            self._next = next(self._rest, None)

    def close(self, *, within_s: float) -> None:
        """Wait for the answers to what was sent, then disconnect."""
        if self._producer is not None:
            with suppress(KafkaTimeoutError):  # what has no answer stays in `pending`
                self._producer.flush(timeout=within_s)
            self._producer.close(timeout=DISCONNECT_WITHIN_S)

    @property
    def _sent(self) -> int:
        return self.pending + self.failed + sum(map(len, self.acknowledged.values()))

    def _send(self, due: Due) -> None:
        due_s = round(self._started_s + due.at_s, 6)
        self.first_due_s = due_s if self.first_due_s is None else self.first_due_s
        value = encode_reading(self._seed, due.station, Trace(self._run, due.seq, due_s))
        self.pending += 1

        def succeeded(_: Any) -> None:
            self.pending -= 1
            self.acknowledged.setdefault(due.station, Ranges()).add(due.seq)
            self.last_acknowledged_s = time.time()
            self._outcome((self.last_acknowledged_s - due_s) * 1000, len(value), None)

        def failed(error: Exception) -> None:
            self.pending -= 1
            self.failed += 1
            self.last_error = error
            self._outcome((time.time() - due_s) * 1000, len(value), error)

        try:
            future = self._producer.send(
                INPUT_TOPIC, value, key=due.station.encode(), timestamp_ms=round(due_s * 1000)
            )
        except KafkaError as error:
            failed(error)
            return
        future.add_callback(succeeded)
        future.add_errback(failed)
