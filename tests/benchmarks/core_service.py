"""One measurement of `core.py`: the service does the yardsticks' job, by its public names alone.

    python -m tests.benchmarks.core_service --bootstrap HOST:PORT --topic T --records N

It is measured from the return of `start` to the last acknowledged result (or, without uploads, to
the last callback), with commits once a second as the yardsticks have them. With `--known K` the
first K callbacks are not measured: they make K stations known.
"""

import argparse
import asyncio
import sys
import uuid
from types import SimpleNamespace
from typing import Any

from data_analysis import AsyncDataAnalysisService
from tests.benchmarks.yardsticks.job import FIELDS
from tests.benchmarks.yardsticks.meter import Meter, memory_mb, parser_of

MODULE = "load_prediction"
WATCH_SECONDS = 0.005
FIRST_TIME_S = 1_700_000_000.0
STEP_SECONDS = 15.0
MEMORY_SAMPLES = 10


def config_of(options: argparse.Namespace) -> SimpleNamespace:
    """A topic of its own with the job's ten numbers, the station and the time of sending."""
    detail = {
        options.topic: {
            "fields": ["stationId", "sendTime", *FIELDS],
            "modules": [MODULE],
            "window_size": options.window,
            "expire_seconds": None,
        }
    }
    commits = {"commit_interval_seconds": 1.0, "commit_batch_size": 10_000_000}
    return SimpleNamespace(
        TOPIC_DETAIL=detail,
        MODULE_DEPENDENCIES={},
        OFFSET_COMMIT_CONFIG={} if options.default_commits else commits,
        KAFKA_CONFIG={
            "bootstrap_servers": [options.bootstrap],
            "group_id": f"bench-{uuid.uuid4().hex[:12]}",
            "auto_offset_reset": "earliest",
            "compression_type": "none",
            "max_partition_fetch_bytes": options.fetch_bytes,
        },
    )


class Job:
    """The callback, and what it has seen."""

    def __init__(self, options: argparse.Namespace, meter: Meter) -> None:
        self.calls = 0
        self.check = 0.0
        self.memory: list[float] = []
        self.done = asyncio.Event()
        self._known = options.known
        self._wanted = options.calls + options.known
        self._sample_every = max(1, options.calls // MEMORY_SAMPLES)
        self._meter = meter

    def with_lists(self, station_id: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """The mean over a list, which a short window fills with None in front."""
        power = inputs["totalPower_window"]
        if power[0] is None:
            power = [value for value in power if value is not None]
        return self._count(station_id, sum(power) / len(power))

    def with_arrays(self, station_id: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """The mean over an array."""
        return self._count(station_id, float(inputs["totalPower_window"].mean()))

    def _count(self, station_id: str, mean: float) -> dict[str, Any]:
        self.calls += 1
        self.check += mean
        if self.calls % self._sample_every == 0:
            self.memory.append(memory_mb())
        if self.calls == self._known:
            self._meter.start()
        elif self.calls == self._wanted:
            self.done.set()
        return {"station_id": station_id, "mean": mean}


async def measure(options: argparse.Namespace) -> int:
    """Serve until all is called back, and acknowledged if it is uploaded."""
    meter = Meter(options)
    job = Job(options, meter)
    service = AsyncDataAnalysisService(
        MODULE,
        config=config_of(options),
        window_form=options.form,
        upload_results=not options.no_upload,
        coalesce=options.coalesce,
        output_topic_prefix=f"{options.out_topic}-",
    )
    if options.prefill:
        prefill(service, options)
    await service.start(job.with_arrays if options.form == "array" else job.with_lists)
    if not options.known:
        meter.start()
    await finished(service, job, options)
    counters = service.health()["counters"]
    meter.stop()
    await service.stop()
    meter.records = counters["records_finished"] - options.known
    return meter.report(
        points=counters["points_appended"],
        outputs=job.calls,
        check=job.check,
        commits=counters["commits"],
        memory_mb=[round(each, 1) for each in job.memory],
    )


async def finished(
    service: AsyncDataAnalysisService, job: Job, options: argparse.Namespace
) -> None:
    """Wait for the last callback, and for the last result or, if coalesced, the last record."""
    try:
        async with asyncio.timeout(options.max_seconds):
            if options.coalesce:
                await counted(service, "records_finished", options.records + options.known)
                return
            await job.done.wait()
            if not options.no_upload:
                await counted(service, "results_uploaded", options.calls + options.known)
    except TimeoutError:
        print(f"not done within {options.max_seconds:g} s: {service.health()}", file=sys.stderr)


async def counted(service: AsyncDataAnalysisService, counter: str, wanted: int) -> None:
    """Wait until a counter has reached a value."""
    while service.health()["counters"][counter] < wanted:
        await asyncio.sleep(WATCH_SECONDS)


def prefill(service: AsyncDataAnalysisService, options: argparse.Namespace) -> None:
    """Give every station `--prefill` points before the start."""
    for number in range(options.stations):
        station_id = f"S{number:04d}"
        for at in range(options.prefill):
            item = {"stationId": station_id, "sendTime": "2026-01-01 00:00:00"}
            item.update((field, at * 0.25 + index) for index, field in enumerate(FIELDS))  # type: ignore[misc]  # numbers beside text
            service.dispatcher.update_topic_data(
                station_id, options.topic, item, timestamp=FIRST_TIME_S + at * STEP_SECONDS
            )


def main() -> int:
    """Read the command line and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--form", choices=["list", "array"], default="list")
    parser.add_argument("--no-upload", action="store_true")
    parser.add_argument("--coalesce", action="store_true")
    parser.add_argument("--default-commits", action="store_true")
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--known", type=int, default=0)
    parser.add_argument("--prefill", type=int, default=0)
    parser.add_argument("--calls", type=int, help="callbacks to expect; one per record by default")
    parser.add_argument("--fetch-bytes", type=int, default=1_048_576)
    parser.add_argument("--profile", help="a file for cProfile's figures")
    options = parser.parse_args()
    options.calls = options.calls or options.records
    if options.profile is None:
        return asyncio.run(measure(options))
    import cProfile

    profile = cProfile.Profile()
    try:
        return profile.runcall(asyncio.run, measure(options))
    finally:
        profile.dump_stats(options.profile)


if __name__ == "__main__":
    sys.exit(main())
