"""One measurement of `core.py`: a service does the yardsticks' job, by its public names alone.

    python -m tests.benchmarks.core_service --bootstrap HOST:PORT --topic T --messages N

Clocks and the printed line are the yardsticks'. The service is measured from the return of `start`
(yardsticks: from their first poll with records) to the last acknowledged result or, without
uploads, to the last callback or, coalesced, the last record. Offsets are committed once a second,
as the yardsticks do it. With `--head H` the first H callbacks are not measured.
"""

import argparse
import asyncio
import contextlib
import gc
import sys
import threading
import time
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from data_analysis import AsyncDataAnalysisService, DataAnalysisService
from data_analysis import config as default_config
from tests.benchmarks.core_profile import profiled
from tests.benchmarks.yardsticks.common import FIELDS, Meter, prefill_points

MODULE = "load_prediction"
HOURLY = "SCHEDULE-STATION-REALTIME-DATA"
WATCH_S = 0.005
FIRST_TIME_S = 1_700_000_000.0
STEP_S = 15.0

Service = AsyncDataAnalysisService | DataAnalysisService


def config_of(options: argparse.Namespace) -> SimpleNamespace:
    """The default topics, and one of ten numbers, the station and the time of sending."""
    job_topic = {
        "fields": ["stationId", "sendTime", *FIELDS],
        "modules": [MODULE],
        "window_size": options.window,
        "expire_seconds": None,
    }
    hourly = options.topic == HOURLY
    linger = {} if options.linger_ms is None else {"linger_ms": options.linger_ms}
    return SimpleNamespace(
        TOPIC_DETAIL=default_config.TOPIC_DETAIL if hourly else {options.topic: job_topic},
        MODULE_DEPENDENCIES={},
        OFFSET_COMMIT_CONFIG={"commit_interval_seconds": 1.0, "commit_batch_size": 10_000_000},
        KAFKA_CONFIG={
            "bootstrap_servers": [options.bootstrap],
            "group_id": options.group,
            "auto_offset_reset": "earliest",
            "acks": "all",
            "compression_type": "none",
            "max_partition_fetch_bytes": options.fetch_bytes,
            **linger,
        },
    )


# What the user of a service writes.


def mean_of_list(inputs: dict[str, Any]) -> float:
    """The mean over a list, which a short window fills with None in front."""
    power = inputs["totalPower_window"]
    if power[0] is None:
        power = [value for value in power if value is not None]
    return float(sum(power) / len(power))


def mean_of_array(inputs: dict[str, Any]) -> float:
    """The mean over an array: as long as the window is, so takes its time."""
    return float(inputs["totalPower_window"].mean())


def newest(inputs: dict[str, Any]) -> float:
    """The newest value: the same work for every window."""
    return float(inputs["totalPower_window"][-1])


def mean_of_hours(inputs: dict[str, Any]) -> float:
    """The mean over the hours of a push."""
    hours = inputs["outputPowerPerStationAvg"]
    return float(sum(hours) / len(hours))


def answer_of(options: argparse.Namespace) -> Callable[[dict[str, Any]], float]:
    """Return what is made of an input."""
    if options.topic == HOURLY:
        return mean_of_hours
    if options.answer == "newest":
        return newest
    return mean_of_array if options.form == "array" else mean_of_list


class Job:
    """The callback, and what it has seen; `done` is called with the last one."""

    def __init__(self, options: argparse.Namespace, meter: Meter, done: Callable[[], None]) -> None:
        self.calls = 0
        self.check = 0.0
        self.first_at_s: float | None = None
        self._answer = answer_of(options)
        self._head = options.head
        self._wanted = options.calls + options.head
        self._meter = meter
        self._done = done

    def __call__(self, station_id: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """Answer, and count."""
        mean = self._answer(inputs)
        if self.first_at_s is None:
            self.first_at_s = time.perf_counter()
        self.calls += 1
        self.check += mean
        if self.calls == self._head:
            self._meter.start()
        elif self.calls == self._wanted:
            self._done()
        return {"station_id": station_id, "mean": mean}


def made(options: argparse.Namespace) -> Service:
    """Return the service, its windows as full as is asked for."""
    kind = DataAnalysisService if options.blocking else AsyncDataAnalysisService
    service: Service = kind(
        MODULE,
        topics=[options.topic],
        config=config_of(options),
        window_form=options.form,
        upload_results=not options.no_upload,
        coalesce=options.coalesce,
        output_topic_prefix=f"{options.out_topic}-",
    )
    if options.prefill:
        points = prefill_points(options.prefill)
        for number in range(options.stations):
            for at, point in enumerate(points):
                service.dispatcher.update_topic_data(
                    f"S{number:04d}", options.topic, point, timestamp=FIRST_TIME_S + at * STEP_S
                )
    gc.collect()
    return service


async def measure(options: argparse.Namespace) -> int:
    """Measure the asynchronous service."""
    meter = Meter(options, "service-async")
    called = asyncio.Event()
    job = Job(options, meter, called.set)
    service = made(options)
    await service.start(job)
    started_s = begin(meter, options)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(options.max_seconds):
            if not options.coalesce:
                await called.wait()
            while not finished(service, options):
                await asyncio.sleep(WATCH_S)
    end(service, meter, job, started_s)
    await service.stop()
    return meter.report()


def measure_blocking(options: argparse.Namespace) -> int:
    """Measure the blocking service."""
    meter = Meter(options, "service-blocking")
    called = threading.Event()
    job = Job(options, meter, called.set)
    lock = threading.Lock()

    def one_at_a_time(station_id: str, inputs: dict[str, Any]) -> dict[str, Any]:
        with lock:
            return job(station_id, inputs)

    service = made(options)
    service.start(one_at_a_time)
    started_s = begin(meter, options)
    deadline_s = started_s + options.max_seconds
    if not options.coalesce:
        called.wait(options.max_seconds)
    while not finished(service, options) and time.perf_counter() < deadline_s:
        time.sleep(WATCH_S)
    end(service, meter, job, started_s)
    service.stop()
    return meter.report()


def begin(meter: Meter, options: argparse.Namespace) -> float:
    """Start the clock, unless there are callbacks to come that are not measured."""
    if not options.head:
        meter.start()
    return time.perf_counter()


def finished(service: Service, options: argparse.Namespace) -> bool:
    """Return whether all that is measured has happened."""
    counters = service.health()["counters"]
    if options.coalesce:
        return bool(counters["records_finished"] >= options.messages + options.head)
    if options.no_upload:
        return True
    return bool(counters["results_uploaded"] >= options.calls + options.head)


def end(service: Service, meter: Meter, job: Job, started_s: float) -> None:
    """Stop the clock, and put down what was seen."""
    meter.stop()
    counters = service.health()["counters"]
    meter.messages = counters["records_finished"] - job._head
    meter.points = counters["points_appended"]
    meter.outputs, meter.check = job.calls, job.check
    first_at_s = job.first_at_s or started_s
    meter.extra["first_call_after_s"] = round(max(first_at_s - started_s, 0.0), 4)


def read_options() -> argparse.Namespace:
    """Read the command line; the meter wants to know more than is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--out-topic", default="bench-out")
    parser.add_argument("--messages", type=int, required=True, help="stop after so many")
    parser.add_argument("--blocking", action="store_true", help="the service without asyncio")
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--form", choices=["list", "array"], default="list")
    parser.add_argument("--answer", choices=["mean", "newest"], default="mean")
    parser.add_argument("--no-upload", action="store_true")
    parser.add_argument("--coalesce", action="store_true")
    parser.add_argument("--stations", type=int, default=1000, help="of those to prefill")
    parser.add_argument("--prefill", type=int, default=0, help="points of each before the start")
    parser.add_argument("--head", type=int, default=0)
    parser.add_argument("--calls", type=int, help="callbacks to expect; one per record by default")
    parser.add_argument("--fetch-bytes", type=int, default=1_048_576)
    parser.add_argument("--linger-ms", type=float, help="the service's own by default")
    parser.add_argument("--max-seconds", type=float, default=120.0)
    parser.add_argument("--profile", help="a file for the figures of cProfile, all threads")
    options = parser.parse_args()
    options.calls = options.calls or options.messages
    options.emit_every, options.payload = 1, "service"
    options.group = f"bench-{uuid.uuid4().hex[:12]}"
    return options


def main() -> int:
    """Measure, and print the line; 0 if all was seen."""
    options = read_options()

    def run() -> int:
        return measure_blocking(options) if options.blocking else asyncio.run(measure(options))

    code = run() if options.profile is None else profiled(options.profile, run)
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
