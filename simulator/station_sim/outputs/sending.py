"""Sends a stream of records to an output, at a pace, until it ends or somebody interrupts.

Knows nothing of where records come from; used by `simulate` and `replay` alike.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from station_sim.outputs.interruption import Interruption
from station_sim.outputs.kafka import KafkaOutput
from station_sim.outputs.output import Output
from station_sim.outputs.pacing import portions
from station_sim.streams.record import Record

Progress = Callable[["Sent"], None]


@dataclass
class Sent:
    """What has gone out so far. `reached_ms` is the sending time of the newest record."""

    records: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    value_bytes: int = 0
    reached_ms: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    interrupted: bool = False
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Records of all topics."""
        return self.records.total()

    @property
    def missed(self) -> int:
        """Records of these that the output refused, or that did not arrive."""
        return self.failed + sum(self.refused.values())

    def add(self, portion: list[Record]) -> None:
        """Count a portion."""
        self.records.update([each.topic for each in portion])
        self.fates.update([str(each.fate) for each in portion if each.fate])
        self.value_bytes += sum([len(each.value) for each in portion])
        self.reached_ms = portion[-1].sent_ms


def send_to_files(
    records: Iterable[Record], output: Output, pace: float | None, progress: Progress
) -> Sent:
    """Write records; after Ctrl-C what was written stays. The output is closed in any case."""
    sent, began, cpu = Sent(), time.monotonic(), time.process_time()
    with Interruption() as interruption:
        try:
            for wait_s, portion in portions(records, pace):
                if wait_s:
                    time.sleep(wait_s)
                with interruption.shielded():
                    output.write(portion)
                    sent.add(portion)
                progress(sent)
        except KeyboardInterrupt:
            sent.interrupted = True
        finally:
            output.close()
    sent.wall_s, sent.cpu_s = time.monotonic() - began, time.process_time() - cpu
    return sent


async def send_to_kafka(
    records: Iterable[Record], output: KafkaOutput, pace: float | None, progress: Progress
) -> Sent:
    """Send records to an open output; after Ctrl-C, what was handed over is flushed."""
    sent, began, cpu = Sent(), time.monotonic(), time.process_time()
    try:
        for wait_s, portion in portions(records, pace):
            await asyncio.sleep(wait_s)
            await output.write(portion)
            sent.add(portion)
            progress(sent)
    except asyncio.CancelledError:
        sent.interrupted = True
    await output.flush()
    sent.wall_s, sent.cpu_s = time.monotonic() - began, time.process_time() - cpu
    sent.failed, sent.failures, sent.refused = output.failed, output.failures, output.refused
    sent.value_bytes = output.bytes_written
    return sent
